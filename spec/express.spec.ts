import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import express, { type Express, type Request, type Response } from 'express'
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm'
import type { SqljsEntityManager } from 'typeorm/entity-manager/SqljsEntityManager.js'
import { octopusMiddleware } from '../lib/express.js'
import { type ConnectionProxy, UnknownShardError, octopus } from '../lib/index.js'

@Entity()
class Note {
  @PrimaryColumn() id!: number
  @Column() text!: string
}

type ShardFunction = (request: Request) => string | undefined | Promise<string | undefined>

describe('octopusMiddleware in Express', () => {
  let db: ConnectionProxy
  const servers: Server[] = []
  let lastId = 0

  before(async () => {
    const template = new DataSource({ type: 'sqljs', entities: [Note], synchronize: true })
    await template.initialize()
    const database = (template.manager as SqljsEntityManager).exportDatabase()
    await template.destroy()
    const shard = { database, replicas: [{ name: 'r1', database }] }
    const source = new DataSource({ type: 'sqljs', database, entities: [Note] })
    db = octopus(source, {
      replicas: shard.replicas,
      shards: { brazil: shard, canada: shard },
    })
    await db.initialize()
  })
  after(async () => {
    for (const server of servers) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    await db.destroy()
  })

  const fromHeader: ShardFunction = (request) => request.get('x-shard')

  /** An application with the middleware; `get` asks it, on behalf of a shard. */
  const serve = async (
    routes: (app: Express) => void,
    options: { shard?: ShardFunction } = { shard: fromHeader },
  ) => {
    const app = express()
    app.use(octopusMiddleware<Request>(db, options))
    routes(app)
    app.use((error: Error, _request: Request, response: Response, _next: unknown) => {
      response.status(error instanceof UnknownShardError ? 404 : 500).send(error.message)
    })
    const server = await new Promise<Server>((resolve) => {
      const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
    })
    servers.push(server)
    const { port } = server.address() as AddressInfo
    return async (path: string, shard?: string) => {
      const headers = shard === undefined ? {} : { 'x-shard': shard }
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
      return { status: answer.status, text: await answer.text() }
    }
  }
  const currentShard = (app: Express): void => {
    app.get('/shard', (_request, response) => void response.send(db.octopus.currentShard()))
  }

  it('runs each request on its shard, and others on the default one', async () => {
    const get = await serve(currentShard)
    expect(await get('/shard', 'brazil')).to.deep.equal({ status: 200, text: 'brazil' })
    expect(await get('/shard')).to.deep.equal({ status: 200, text: 'master' })
  })

  it('needs no options', async () => {
    const get = await serve(currentShard, {})
    expect((await get('/shard', 'brazil')).text).to.equal('master')
  })

  it('never mixes requests that run at the same time', async () => {
    const arrived: (() => void)[] = []
    const get = await serve((app) => {
      app.get('/together', async (_request, response) => {
        const before = db.octopus.currentShard()
        // Each waits for the other, and is woken in the other's turn.
        await new Promise<void>((resolve) => {
          arrived.push(resolve)
          if (arrived.length === 2) for (const go of arrived) go()
        })
        await db.getRepository(Note).insert({ id: (lastId += 1), text: before })
        const texts = (await db.getRepository(Note).find()).map(({ text }) => text)
        response.json([before, db.octopus.currentShard(), ...texts])
      })
    })
    const [brazil, canada] = await Promise.all([
      get('/together', 'brazil'),
      get('/together', 'canada'),
    ])
    expect(JSON.parse(brazil.text)).to.deep.equal(['brazil', 'brazil', 'brazil'])
    expect(JSON.parse(canada.text)).to.deep.equal(['canada', 'canada', 'canada'])
  })

  it('sends an unknown shard to the error handler, and runs no route', async () => {
    let ran = 0
    const get = await serve((app) => app.use(() => void (ran += 1)))
    expect(await get('/shard', 'denmark')).to.deep.equal({
      status: 404,
      text: 'Unknown shard "denmark"; configured shards: master, brazil, canada.',
    })
    expect(ran).to.equal(0)
  })

  it('takes the shard from a function that looks it up', async () => {
    const get = await serve(currentShard, {
      shard: async (request) => {
        await new Promise(setImmediate)
        return request.get('x-shard')
      },
    })
    expect((await get('/shard', 'canada')).text).to.equal('canada')
    expect((await get('/shard')).text).to.equal('master')
    expect((await get('/shard', 'denmark')).status).to.equal(404)
  })

  for (const [title, shard] of [
    [
      'throws',
      () => {
        throw new Error('no tenant')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no tenant'))],
  ] as const)
    it(`sends what the function ${title} to the error handler`, async () => {
      const get = await serve(currentShard, { shard })
      expect(await get('/shard')).to.deep.equal({ status: 500, text: 'no tenant' })
    })

  for (const [title, handler] of [
    [
      'throws',
      (): never => {
        throw new Error('route failed')
      },
    ],
    ['rejects', async (): Promise<never> => Promise.reject(new Error('route failed'))],
  ] as const)
    for (const [kind, shard] of [
      ['', fromHeader],
      [', after the shard was looked up', async (request: Request) => request.get('x-shard')],
    ] as const)
      it(`leaves it to Express when a route ${title}${kind}`, async () => {
        let errors = 0
        const get = await serve(
          (app) => {
            app.get('/fail', handler)
            app.use(
              (
                error: Error,
                _request: Request,
                _response: Response,
                next: (e: unknown) => void,
              ) => {
                errors += 1
                next(error)
              },
            )
          },
          { shard },
        )
        expect(await get('/fail', 'brazil')).to.deep.equal({ status: 500, text: 'route failed' })
        expect(errors).to.equal(1)
      })

  it('lets reads follow the writes of their own request, and of no other', async () => {
    const get = await serve((app) => {
      app.get('/write', async (_request, response) => {
        await db.getRepository(Note).insert({ id: (lastId += 1), text: 'x' })
        const { events } = await db.octopus.withTrace(() => db.getRepository(Note).find())
        response.send(events[0]!.reason)
      })
      app.get('/read', async (_request, response) => {
        const { events } = await db.octopus.withTrace(() => db.getRepository(Note).find())
        response.send(events[0]!.reason)
      })
    })
    for (const shard of [undefined, 'brazil']) {
      expect((await get('/write', shard)).text).to.equal('read your writes')
      expect((await get('/read', shard)).text).to.equal('read outside a transaction')
    }
  })
})

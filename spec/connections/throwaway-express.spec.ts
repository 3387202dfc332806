import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import express, { type Express, type Request, type Response } from 'express'
import { type OctopusMiddlewareOptions, octopusMiddleware } from '../../lib/express.js'
import { type ConnectionProxy, InvalidScopeError } from '../../lib/index.js'
import { until } from '../support/until.js'
import { describeOnServers, later, outcomeOf, times } from './own-support.js'

/** An application whose requests own their connections. */
const serve = async (
  db: ConnectionProxy,
  routes: (app: Express) => void,
  options: Pick<OctopusMiddlewareOptions<Request>, 'late'>,
): Promise<{ server: Server; url: string }> => {
  const app = express()
  app.use(octopusMiddleware<Request>(db, { connections: 'throwaway', ...options }))
  routes(app)
  app.use((error: Error, _request: Request, response: Response, _next: unknown) => {
    response.status(500).send(error.message)
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

describeOnServers('requests with throw-away connections in Express', { shards: 1 }, (servers) => {
  const running: Server[] = []
  afterEach(async () => {
    for (const server of running.splice(0)) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })

  const start = async (
    routes: (app: Express, db: ConnectionProxy) => void,
    options: Pick<OctopusMiddlewareOptions<Request>, 'late'> = {},
  ): Promise<{ url: string; db: ConnectionProxy }> => {
    const db = await servers().open({}, { poolSize: 15 })
    await db.octopus.disconnectAll()
    const { server, url } = await serve(db, (app) => routes(app, db), options)
    running.push(server)
    return { url, db }
  }

  /** Sends 10 queries that nobody awaits. */
  const burst = (db: ConnectionProxy): void => {
    times(10, () => void outcomeOf(db.query(servers().waiting)))
  }

  it('close what a request has opened once its answer is sent', async () => {
    const free = await servers().hold()
    const { url } = await start((app, db) =>
      app.get('/', (_request, response) => {
        burst(db)
        response.send('early')
      }),
    )
    expect(await (await fetch(url)).text()).to.equal('early')
    await servers().connected(10)
    await free()
    await servers().connected(0)
  })

  it('close it when the handler throws', async () => {
    const free = await servers().hold()
    const { url } = await start((app, db) =>
      app.get('/', () => {
        burst(db)
        throw new Error('no luck')
      }),
    )
    const answer = await fetch(url)
    expect([answer.status, await answer.text()]).to.deep.equal([500, 'no luck'])
    await servers().connected(10)
    await free()
    await servers().connected(0)
  })

  it('close it when the client goes before the answer', async () => {
    const free = await servers().hold()
    const { url } = await start((app, db) => app.get('/', () => burst(db)))
    const client = new AbortController()
    const answer = outcomeOf(fetch(url, { signal: client.signal }))
    await servers().connected(10)
    client.abort()
    expect((await answer).error).to.be.instanceOf(Error)
    await free()
    await servers().connected(0)
  })

  it('keep those of a request that is still at work', async () => {
    const slow = later()
    const { url } = await start((app, db) => {
      app.get('/slow', async (_request, response) => {
        await db.query('SELECT 1')
        await slow.promise
        const rows = (await db.query('SELECT 2 AS two')) as { two: unknown }[]
        response.send(String(rows[0]?.two))
      })
      app.get('/quick', async (_request, response) => {
        await db.query('SELECT 1')
        response.send('done')
      })
    })
    const answer = fetch(`${url}/slow`)
    await servers().connected(1)
    expect(await (await fetch(`${url}/quick`)).text()).to.equal('done')
    await servers().connected(1)
    slow.resolve()
    expect(await (await answer).text()).to.equal('2')
    await servers().connected(0)
  })

  it('refuse work that comes after the answer', async () => {
    const after = later()
    let late: { error?: unknown } | undefined
    const { url } = await start((app, db) =>
      app.get('/', (_request, response) => {
        void after.promise.then(async () => (late = await outcomeOf(db.query('SELECT 1'))))
        response.send('early')
      }),
    )
    await (await fetch(url)).text()
    await servers().connected(0)
    after.resolve()
    await until(() => late, { what: 'the late work' })
    expect(late?.error).to.include({ code: 'scope-ended' })
  })

  it('serve work that comes after the answer, with late: connect', async () => {
    const after = later()
    let late: { error?: unknown; value?: unknown } | undefined
    const { url } = await start(
      (app, db) =>
        app.get('/', (_request, response) => {
          void after.promise.then(async () => (late = await outcomeOf(db.query('SELECT 1'))))
          response.send('early')
        }),
      { late: 'connect' },
    )
    await (await fetch(url)).text()
    await servers().connected(0)
    after.resolve()
    await until(() => late, { what: 'the late work' })
    expect(late?.error).to.equal(undefined)
    await servers().connected(0)
  })

  it('are refused by another word than those known', async () => {
    const db = await servers().open()
    const options = { connections: 'disposable' } as unknown as { connections: 'throwaway' }
    expect(() => octopusMiddleware(db, options)).to.throw(InvalidScopeError, /"disposable"/)
    const late = { connections: 'throwaway', late: 'perhaps' } as unknown as { late: 'connect' }
    expect(() => octopusMiddleware(db, late)).to.throw(InvalidScopeError, /"perhaps"/)
    expect(() => octopusMiddleware(db, { late: 'connect' })).to.throw(
      InvalidScopeError,
      /add connections: "throwaway"/,
    )
  })
})

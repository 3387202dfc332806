import type { Server } from 'node:http'
import { expect } from 'chai'
import type { Request } from 'express'
import { octopusMiddleware } from '../lib/express.js'
import {
  ConfigError,
  type ConnectionProxy,
  type OctopusOptions,
  WritesTokenError,
} from '../lib/index.js'
import { type Cluster, MariadbCluster } from './support/cluster/index.js'
import {
  type Settings,
  openOver,
  secret,
  sentBack,
  serveComments,
  write,
} from './support/comments.js'
import { until } from './support/until.js'

const byCookie = { writes: { cookie: 'wrote' } } satisfies Settings
const byHeader = { writes: { header: 'X-Wrote' } } satisfies Settings

describe('octopusMiddleware with the writes of earlier requests', function () {
  this.timeout(30_000)
  let cluster: Cluster
  const opened: ConnectionProxy[] = []
  const servers: Server[] = []
  /** Two processes of one application. */
  let one: ConnectionProxy
  let other: ConnectionProxy

  const open = async (options?: OctopusOptions): Promise<ConnectionProxy> => {
    const db = await openOver(cluster, options)
    opened.push(db)
    return db
  }
  const serve: typeof serveComments = async (...process) => {
    const { server, get } = await serveComments(...process)
    servers.push(server)
    return { server, get }
  }

  before(async () => {
    cluster = await MariadbCluster.start({ shards: 1, replicas: 1 })
    one = await open()
    await one.synchronize()
    await cluster.waitUntilCaughtUp(cluster.shard(0))
    await cluster.freezeReplication(cluster.node('s0r1'))
    other = await open()
  })
  after(async () => {
    for (const server of servers) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    for (const db of opened) await db.destroy()
    await cluster?.stop()
  })

  for (const [title, settings] of [
    ['a cookie', byCookie],
    ['a header', byHeader],
  ] as const)
    for (const [where, shard] of [
      ['', undefined],
      [', on the shard of the request', () => 'brazil'],
      [', on a shard that is looked up', () => Promise.resolve('brazil')],
    ] as const)
      it(`lets another process read them, by ${title}${where}`, async () => {
        const options = { ...settings, ...(shard && { shard }) }
        const [first, second] = [await serve(one, options), await serve(other, options)]
        const wrote = await first.get('/write')
        expect((await second.get(`/see/${wrote.text}`)).text).to.equal('false')
        expect(await second.get(`/see/${wrote.text}`, sentBack(wrote))).to.deep.equal({
          status: 200,
          text: 'true',
          // It has written nothing: what the client has stays as it is.
          cookies: [],
          header: undefined,
        })
      })

  it('tells a client nothing that has written nothing', async () => {
    for (const settings of [byCookie, byHeader]) {
      const { get } = await serve(one, settings)
      expect(await get('/see/1'))
        .to.include({ header: undefined })
        .and.deep.include({ cookies: [] })
    }
  })

  it('sets a cookie that only the server can read, for as long as it counts', async () => {
    const brief = await open({ readYourWrites: { secret, windowMs: 1500 } })
    for (const [options, attributes] of [
      [{}, 'Max-Age=2; Path=/; HttpOnly; Secure; SameSite=Lax'],
      [{ secure: false, sameSite: 'strict' }, 'Max-Age=2; Path=/; HttpOnly; SameSite=Strict'],
      [
        { path: '/notes', domain: 'example.org', sameSite: 'none' },
        'Max-Age=2; Domain=example.org; Path=/notes; HttpOnly; Secure; SameSite=None',
      ],
    ] as const) {
      const { get } = await serve(brief, { writes: { cookie: 'wrote', ...options } })
      const [sent = ''] = (await get('/write')).cookies
      expect(sent).to.match(/^wrote=[\w-]+\.[\w-]{43}; /)
      expect(sent.replace(/^[^;]*; /, '')).to.equal(attributes)
    }
  })

  it('adds to the cookies that the application sets, however it does', async () => {
    const { get } = await serve(one, byCookie, (app) => {
      app.get('/cookie', async (_request, response) => {
        await write(one)
        response.cookie('a', '1').cookie('b', '2').send()
      })
      app.get('/head', async (_request, response) => {
        await write(one)
        response.writeHead(201, { 'set-cookie': 'a=1', 'x-other': 'y' }).end()
      })
      app.get('/stream', async (_request, response) => {
        await write(one)
        response.write('x')
        response.end()
      })
    })
    const names = async (path: string): Promise<string> =>
      (await get(path)).cookies.map((text) => text.split('=')[0]).join(' ')
    expect(await names('/cookie')).to.equal('a b wrote')
    expect(await names('/head')).to.equal('a wrote')
    expect(await names('/stream')).to.equal('wrote')
  })

  it('tells the writes of a request whose answer is ended by work outside it', async () => {
    const waiting: (() => void)[] = []
    const { get } = await serve(one, byCookie, (app) => {
      app.get('/wait', async (_request, response) => {
        await write(one)
        waiting.push(() => response.send('done'))
      })
    })
    const answer = get('/wait')
    await one.octopus.scope(async () => {
      await until(() => waiting.length, { what: 'the request' })
      waiting[0]?.()
    })
    expect((await answer).cookies).to.have.length(1)
  })

  it('puts no older token in the place of a newer one, when a reading answer comes late', async () => {
    let release = (): void => undefined
    const arrived = new Promise<void>((resolve) => {
      release = resolve
    })
    const { get } = await serve(one, byCookie, (app) => {
      app.get('/late', async (_request, response) => {
        await arrived
        response.send(await one.query('SELECT 1'))
      })
    })
    const first = await get('/write')
    const late = get('/late', sentBack(first))
    const second = await get('/write', sentBack(first))
    expect(second.cookies).to.have.length(1)
    release()
    expect((await late).cookies).to.deep.equal([])
  })

  for (const [title, settings, headers] of [
    ['cookie', byCookie, { cookie: 'a=b; wrote=x.y; c=d' }],
    ['header', byHeader, { 'x-wrote': 'x.y' }],
  ] as const)
    it(`goes on without a ${title} that is refused, and tells`, async () => {
      const refused: [WritesTokenError['failure'], string][] = []
      const onRefused = (error: WritesTokenError, request: Request): void =>
        void refused.push([error.failure, request.path])
      const { get } = await serve(one, { writes: { ...settings.writes, onRefused } })
      expect((await get('/see/0', headers)).text).to.equal('false')
      expect(refused).to.deep.equal([['forged', '/see/0']])
      // Nobody has to listen.
      const silent = await serve(one, settings)
      expect((await silent.get('/see/0', headers)).status).to.equal(200)
    })

  it('takes no token, or an empty one, for none', async () => {
    const onRefused = (error: Error): never => {
      throw error
    }
    const cookies = await serve(one, { writes: { ...byCookie.writes, onRefused } })
    const headers = await serve(one, { writes: { ...byHeader.writes, onRefused } })
    expect((await cookies.get('/see/0')).status).to.equal(200)
    expect((await cookies.get('/see/0', { cookie: 'wrote=; other=1' })).status).to.equal(200)
    expect((await headers.get('/see/0', { 'x-wrote': '' })).status).to.equal(200)
  })

  for (const [title, shard] of [
    ['', undefined],
    [', after the shard was looked up', () => Promise.resolve('brazil')],
  ] as const)
    it(`sends what onRefused throws to the error handler${title}`, async () => {
      const onRefused = (): never => {
        throw new Error('no stale reads here')
      }
      const { get } = await serve(one, {
        writes: { ...byHeader.writes, onRefused },
        ...(shard && { shard }),
      })
      const answer = await get('/see/0', { 'x-wrote': 'x' })
      expect(answer).to.include({ status: 500, text: 'no stale reads here' })
    })

  it('does not call a next that throws once more', () => {
    const failure = new WritesTokenError('forged')
    let calls = 0
    const middleware = octopusMiddleware(one, { writes: { header: 'x-wrote' } })
    expect(() =>
      middleware({ headers: {} }, {}, () => {
        calls += 1
        throw failure
      }),
    ).to.throw(failure)
    expect(calls).to.equal(1)
  })

  it('leaves a refusal that a route runs into to the error handler', async () => {
    const refused: unknown[] = []
    const writes = { ...byHeader.writes, onRefused: (error: unknown) => void refused.push(error) }
    const { get } = await serve(one, { writes }, (app) => {
      app.get('/job', () => one.octopus.scope(() => 1, { writes: 'x' }))
    })
    expect((await get('/job')).status).to.equal(500)
    expect(refused).to.deep.equal([])
  })

  it('is refused without a secret, and with a name that nothing can have, before any request', async () => {
    const bare = await open({ readYourWrites: {} })
    for (const settings of [byCookie, byHeader])
      expect(() => octopusMiddleware(bare, settings as object)).to.throw(
        ConfigError,
        'readYourWrites.secret: is missing',
      )
    expect(() => octopusMiddleware(one, { writes: { cookie: 'a b' } })).to.throw(TypeError)
    expect(() => octopusMiddleware(one, { writes: { header: 'a b' } })).to.throw(TypeError)
    expect(() => octopusMiddleware(bare)).to.not.throw()
  })
})

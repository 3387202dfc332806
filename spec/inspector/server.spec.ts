import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'
import { expect } from 'chai'
import { type IncomingHttpHeaders, request as ask } from 'node:http'
import { connect } from 'node:net'
import {
  ConfigError,
  type ConnectionProxy,
  type Inspector,
  type InspectorOptions,
  type RouteEvent,
} from '../../lib/index.js'
import { startInspector } from '../../lib/inspector.js'
import { until } from '../support/until.js'
import { Customer, openShards } from './stage.js'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

const get = (
  url: string,
  path = '/',
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = ask(new URL(path, url), { headers, method }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      )
    })
    request.on('error', reject)
    request.end()
  })

/** A page's stream, as a program reads it. */
class Stream {
  text = ''
  isOpen = true
  readonly #request

  constructor(url: string, path = '/events', headers: Record<string, string> = {}) {
    this.#request = ask(new URL(path, url), { headers }, (response) => {
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (this.text += chunk))
      response.on('error', () => undefined)
      response.on('close', () => (this.isOpen = false))
    })
    this.#request.on('error', () => (this.isOpen = false))
    this.#request.end()
  }

  hears(words: string): Promise<unknown> {
    return until(() => this.text.includes(words), { what: `${words} in a stream` })
  }

  /** The routes that came. */
  get routes(): (RouteEvent & { readonly number: number })[] {
    return [...this.text.matchAll(/^event: routes\ndata: (.*)$/gm)].flatMap(
      ([, data = '[]']) => JSON.parse(data) as (RouteEvent & { readonly number: number })[],
    )
  }

  close(): void {
    this.#request.destroy()
  }
}

const token = 'a token of enough length'

describe("the inspector's server", () => {
  let db: ConnectionProxy
  const started: Inspector[] = []

  before(async () => {
    db = await openShards()
  })
  afterEach(async () => {
    await Promise.all(started.splice(0).map((inspector) => inspector.close()))
  })
  after(() => db.destroy())

  const start = async (options: InspectorOptions = {}): Promise<string> => {
    const inspector = await startInspector(db, options)
    started.push(inspector)
    return inspector.url
  }
  const read = () => db.using('brazil', () => db.getRepository(Customer).find())

  describe('answers', () => {
    it('on loopback, at a free port, with the page and nothing else', async () => {
      const url = await start()
      expect(url).to.match(/^http:\/\/127\.0\.0\.1:\d+\/$/)
      const page = await get(url)
      expect(page.status).to.equal(200)
      expect(page.text).to.include('<script type="module" src="page.js">')
      for (const file of ['/page.js', '/preact.js', '/style.css', '/preact-license.txt'])
        expect((await get(url, file)).status, file).to.equal(200)
      for (const path of ['/nothing', '/../server.js', '/..%2fserver.js', '/index.html'])
        expect((await get(url, path)).status, path).to.equal(404)
    })

    it('with a policy that allows its own files only, and nothing to be stored', async () => {
      const url = await start()
      const { headers } = await get(url)
      const policy = String(headers['content-security-policy']).split('; ')
      expect(policy).to.include.members([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
      ])
      expect(policy.join()).not.to.match(/unsafe|\*|data:|http/)
      expect(headers['cache-control']).to.equal('no-store')
      expect(headers['x-content-type-options']).to.equal('nosniff')
      expect((await get(url, '/nothing')).headers).to.include.keys('content-security-policy')
    })

    it('nothing but GET', async () => {
      const url = await start()
      const { status, headers } = await get(url, '/', {}, 'POST')
      expect([status, headers.allow]).to.deep.equal([405, 'GET'])
    })

    it('on, after connections that it could not take, and warns of them', async () => {
      const url = await start({ keep: 10 })
      const servers: EventEmitter[] = []
      const note = (message: unknown): void =>
        void servers.push((message as { server: EventEmitter }).server)
      subscribe('http.server.request.start', note)
      await get(url)
      unsubscribe('http.server.request.start', note)
      const warnings: string[] = []
      const warn = ({ name }: Error): void => void warnings.push(name)
      process.on('warning', warn)
      for (let time = 0; time < 2; time += 1) servers[0]?.emit('error', new Error('accept EMFILE'))
      await until(() => warnings.length === 2, { what: 'two warnings' })
      process.off('warning', warn)
      expect(new Set(warnings)).to.deep.equal(new Set(['OctopusInspectorWarning']))
      await read()
      const stream = new Stream(url)
      await stream.hears('event: routes')
      expect(stream.routes).to.have.length(1)
      stream.close()
    })

    it('the same by db.octopus.inspector()', async () => {
      const inspector = await db.octopus.inspector()
      started.push(inspector)
      expect((await get(inspector.url)).status).to.equal(200)
    })
  })

  describe('refuses', () => {
    it('names that lead here without being its own: another site may have them', async () => {
      const url = await start({ names: ['shop.internal'] })
      const { port } = new URL(url)
      const status = async (host: string): Promise<number> => (await get(url, '/', { host })).status
      for (const host of [
        'localhost',
        'LOCALHOST',
        `127.0.0.1:${port}`,
        '[::1]:1',
        'shop.internal',
      ])
        expect(await status(host), host).to.equal(200)
      for (const host of ['evil.example', 'localhost.evil.example', '10.0.0.1', '127.0.0.1.nip.io'])
        expect(await status(host), host).to.equal(403)
    })

    it('pages of other sites, which browsers tell of', async () => {
      const url = await start()
      const { host, origin } = new URL(url)
      const status = async (headers: Record<string, string>): Promise<number> =>
        (await get(url, '/page.js', headers)).status
      expect(await status({ origin })).to.equal(200)
      expect(await status({ 'sec-fetch-site': 'same-origin' })).to.equal(200)
      expect(await status({ origin: 'http://evil.example' })).to.equal(403)
      expect(await status({ origin: 'null' })).to.equal(403)
      expect(await status({ origin: `http://${host}0` })).to.equal(403)
      expect(await status({ 'sec-fetch-site': 'cross-site' })).to.equal(403)
      expect(await status({ 'sec-fetch-site': 'same-site' })).to.equal(403)
    })

    it('to be reached from other machines without a token', async () => {
      for (const host of ['0.0.0.0', '::', '10.1.2.3', 'shop.internal']) {
        const error = await startInspector(db, { host }).catch((reason: unknown) => reason)
        expect(error, host).to.be.instanceOf(ConfigError)
        expect((error as ConfigError).message)
          .to.include('inspector.host')
          .and.to.include('token')
      }
    })

    it('settings that cannot be meant, all at once', async () => {
      const error = await startInspector(db, { token: 'short', port: 70_000, keep: -1 }).catch(
        (reason: unknown) => reason,
      )
      expect((error as ConfigError).problems.map(({ path }) => path)).to.have.members([
        'inspector.token',
        'inspector.port',
        'inspector.keep',
      ])
      expect((error as ConfigError).message).not.to.include('short')
    })

    it('a port that is taken, with the error of Node.js', async () => {
      const { port } = new URL(await start())
      const error = await startInspector(db, { port: Number(port), keep: 10 }).catch(
        (reason: unknown) => reason,
      )
      expect(error).to.have.property('code', 'EADDRINUSE')
    })
  })

  describe('with a token', () => {
    it('answers nobody who has not shown it', async () => {
      const url = await start({ token })
      for (const path of ['/', '/events', '/page.js', '/nothing', '/?token=wrong', '/?token='])
        expect((await get(url, path)).status, path).to.equal(401)
      for (const authorization of ['Bearer wrong', `Basic ${token}`, `Bearer ${token} `.repeat(2)])
        expect((await get(url, '/', { authorization })).status, authorization).to.equal(401)
      expect(url).not.to.include('token')
    })

    it('takes it once from a browser, and puts a cookie in its place', async () => {
      const url = await start({ token })
      const entered = await get(url, `/?token=${encodeURIComponent(token)}`)
      expect([entered.status, entered.headers.location]).to.deep.equal([303, './'])
      const [cookie = ''] = entered.headers['set-cookie'] ?? []
      expect(cookie)
        .to.match(/; HttpOnly(;|$)/)
        .and.to.match(/; SameSite=Strict(;|$)/)
      expect(cookie).not.to.include(token)
      const [pair = ''] = cookie.split(';')
      expect((await get(url, '/', { cookie: pair })).status).to.equal(200)
      expect((await get(url, '/', { cookie: `${pair}x` })).status).to.equal(401)
      // Another inspector's cookie is for that one only.
      expect((await get(await start({ token }), '/', { cookie: pair })).status).to.equal(401)
    })

    it('takes it from programs in a header', async () => {
      const url = await start({ token })
      expect((await get(url, '/', { authorization: `Bearer ${token}` })).status).to.equal(200)
    })

    it('may be reached from other machines, by their numbers and the names it was given', async () => {
      const url = await start({ token, host: '0.0.0.0', names: ['shop.internal'] })
      const { port } = new URL(url)
      const status = async (host: string): Promise<number> => {
        const headers = { host, authorization: `Bearer ${token}` }
        return (await get(`http://127.0.0.1:${port}`, '/', headers)).status
      }
      expect(await status('10.1.2.3:80')).to.equal(200)
      expect(await status('shop.internal')).to.equal(200)
      expect(await status('evil.example')).to.equal(403)
    })
  })

  describe('tells of routes', () => {
    it('only while a page is open', async () => {
      const listeners: string[] = []
      const watched = {
        octopus: Object.assign(Object.create(db.octopus) as typeof db.octopus, {
          topology: () => db.octopus.topology(),
          pools: () => db.octopus.pools(),
          onRoute: (...args: Parameters<typeof db.octopus.onRoute>) => {
            listeners.push('added')
            const stop = db.octopus.onRoute(...args)
            return () => {
              listeners.push('removed')
              stop()
            }
          },
        }),
      }
      const inspector = await startInspector(watched)
      started.push(inspector)
      await get(inspector.url)
      expect(listeners).to.deep.equal([])
      const [one, other] = [new Stream(inspector.url), new Stream(inspector.url)]
      await Promise.all([one.hears('event: hello'), other.hears('event: state')])
      expect(listeners).to.deep.equal(['added'])
      one.close()
      await read()
      await other.hears('event: routes')
      expect(listeners).to.deep.equal(['added'])
      other.close()
      await until(() => listeners.length === 2, { what: 'the listener to be removed' })
      expect(listeners).to.deep.equal(['added', 'removed'])
    })

    it('once to a page that was away for a moment', async () => {
      const url = await start({ keep: 10 })
      await read()
      const first = new Stream(url)
      await first.hears('event: routes')
      first.close()
      await read()
      const [, seen = ''] = /^id: (.*)$/m.exec(first.text) ?? []
      const again = new Stream(url, '/events', { 'last-event-id': seen })
      await again.hears('event: routes')
      expect(again.routes.map(({ number }) => number)).to.deep.equal([2])
      const elsewhere = new Stream(url, '/events', { 'last-event-id': 'another.7' })
      await elsewhere.hears('event: routes')
      expect(elsewhere.routes.map(({ number }) => number)).to.deep.equal([1, 2])
      again.close()
      elsewhere.close()
    })

    it('all that was kept to a page that is opened later, however much that is', async () => {
      const url = await start({ keep: 2500 })
      for (let sent = 0; sent < 2500; sent += 1) await db.query('SELECT 1')
      const stream = new Stream(url)
      await stream.hears('event: state')
      expect(stream.routes.map(({ number }) => number)).to.deep.equal(
        Array.from({ length: 2500 }, (_, index) => index + 1),
      )
      expect(stream.text).to.not.include('event: dropped')
      stream.close()
    })

    it('to a page that does not read, no more than it can hold, and says what it left out', async () => {
      const url = await start({ sql: true })
      const { port } = new URL(url)
      const socket = connect(Number(port), '127.0.0.1')
      socket.write('GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n')
      let text = ''
      await new Promise((resolve) => socket.once('readable', resolve))
      // Nothing is read from here on: buffers fill up, then routes are dropped.
      const long = `SELECT '${'x'.repeat(9000)}'`
      const turns = 6
      for (let turn = 0; turn < turns; turn += 1) {
        await Promise.all(Array.from({ length: 500 }, () => db.query(long)))
        await new Promise((resolve) => setTimeout(resolve, 120)) // for a flush
      }
      socket.setEncoding('utf8')
      socket.on('data', (chunk: string) => (text += chunk))
      const droppedIn = (): number =>
        [...text.matchAll(/^event: dropped\ndata: \{"count":(\d+)\}$/gm)].reduce(
          (sum, [, count]) => sum + Number(count),
          0,
        )
      const arrivedIn = (): number => text.split('"reason":').length - 1
      await until(() => droppedIn() + arrivedIn() >= turns * 500, {
        what: () => `all routes: ${arrivedIn()} arrived, ${droppedIn()} dropped`,
        timeoutMs: 15_000,
      })
      expect(droppedIn()).to.be.above(0)
      expect(droppedIn() + arrivedIn()).to.equal(turns * 500)
      socket.destroy()
    }).timeout(30_000)

    it('with parameters that have no JSON, and with what is long cut', async () => {
      const url = await start({ parameters: true, sql: true })
      const stream = new Stream(url)
      await stream.hears('event: hello')
      const round: { self?: unknown } = {}
      round.self = round
      await db.query('SELECT ?', [Buffer.from('bytes')])
      await db.query(`SELECT '${'y'.repeat(20_000)}'`)
      await db.query('SELECT 1', [12n, round]).catch(() => undefined)
      await db
        .query(
          'SELECT 2',
          Array.from({ length: 300 }, () => 1),
        )
        .catch(() => undefined)
      await until(() => stream.routes.length === 4, { what: 'four routes' })
      const [bytes, long, odd, many] = stream.routes
      expect(bytes?.parameters).to.deep.equal(['(5 bytes)'])
      expect(long?.sql)
        .to.have.length.below(11_000)
        .and.to.match(/ … \d+ more characters$/)
      expect(odd?.parameters).to.match(/^\(cannot be shown: Converting circular structure/)
      expect(many?.parameters).to.have.length(101)
      stream.close()
    })
  })

  describe('ends', () => {
    it('with every stream and timer, at once, and twice', async () => {
      const inspector = await startInspector(db, { keep: 100 })
      const stream = new Stream(inspector.url)
      await stream.hears('event: state')
      await inspector.close()
      await inspector.close()
      await until(() => !stream.isOpen, { what: 'the stream to end' })
      const error = await get(inspector.url).catch((reason: unknown) => reason)
      expect(error).to.have.property('code', 'ECONNREFUSED')
    })

    it('leaves the data source free to end, before and after it', async () => {
      const shards = await openShards()
      const inspector = await startInspector(shards)
      const stream = new Stream(inspector.url, '/events?health')
      await stream.hears('event: state')
      await shards.destroy()
      expect(stream.isOpen).to.equal(true)
      await inspector.close()
      await until(() => !stream.isOpen, { what: 'the stream to end' })
    })

    it('holds no process back, with a page open', async () => {
      const { runProgram, compiled } = await import('../examples/run-example.js')
      const { exitCode, lines, errors } = await runProgram(
        compiled('spec/inspector/unheld.child.js'),
      )
      expect(errors).to.equal('')
      expect(lines).to.deep.equal(['a page is open'])
      expect(exitCode).to.equal(0)
    }).timeout(15_000)
  })
})

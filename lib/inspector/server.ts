import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ConnectionProxy } from '../index.js'
import { type Asset, readAssets } from './assets.js'
import { Feed } from './feed.js'
import { Guard } from './guard.js'
import { Health } from './health.js'
import type { Inspector, InspectorOptions } from './options.js'
import { type InspectorSettings, settingsOf } from './settings.js'
import { currentState } from './state.js'
import { PageStream } from './stream.js'

/** How often the topology and the pools are looked at, while a page is open. */
const lookEveryMs = 1000

/** Nothing but the page's own files runs, and nothing is asked of anybody else. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const headers = {
  'cache-control': 'no-store',
  'content-security-policy': contentPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const

/**
 * Serves a page that shows the live topology and the stream of routes of a wrapped data source.
 *
 * It listens on loopback unless told otherwise, and keeps no process alive. While no page is open
 * nothing listens to routes, unless `keep` asks for it.
 *
 * @param db - the data source that `octopus()` returned
 * @returns once it listens
 * @throws ConfigError for settings that are wrong, such as a host that is not loopback without a token
 * @throws the error of `node:http` if it cannot listen, such as `EADDRINUSE`
 */
export const startInspector = async (
  db: Pick<ConnectionProxy, 'octopus'>,
  options: InspectorOptions = {},
): Promise<Inspector> => {
  const inspector = new InspectorServer(db, settingsOf(options), readAssets())
  await inspector.listen()
  return { url: inspector.url, close: () => inspector.close() }
}

class InspectorServer {
  readonly #db: Pick<ConnectionProxy, 'octopus'>
  readonly #settings: InspectorSettings
  readonly #assets: ReadonlyMap<string, Asset>
  readonly #guard: Guard
  readonly #feed: Feed
  readonly #health: Health
  readonly #server: Server
  #looking: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(
    db: Pick<ConnectionProxy, 'octopus'>,
    settings: InspectorSettings,
    assets: ReadonlyMap<string, Asset>,
  ) {
    const { sql, parameters, keep } = settings
    this.#db = db
    this.#settings = settings
    this.#assets = assets
    this.#guard = new Guard(settings)
    this.#feed = new Feed(
      (tell) => db.octopus.onRoute(tell, { sql, parameters, internal: true }),
      keep,
    )
    this.#health = new Health(() => db.octopus.checkNodes())
    this.#server = createServer((request, response) => this.#answer(request, response))
    // A tool for watching a process is no reason for the process to go on.
    this.#server.on('connection', (socket) => socket.unref())
  }

  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/`
  }

  listen(): Promise<void> {
    const { port, host } = this.#settings
    return new Promise((resolve, reject) => {
      const refused = (error: Error): void => {
        this.#feed.close()
        reject(error)
      }
      this.#server.once('error', refused)
      this.#server.listen(port, host, () => {
        this.#server.off('error', refused).on('error', warnOf)
        this.#guard.listensOn((this.#server.address() as AddressInfo).port)
        this.#server.unref()
        resolve()
      })
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#feed.close()
    this.#stopLooking()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
    await this.#health.ended()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    const [path = '/', search = ''] = (request.url ?? '/').split('?', 2)
    const query = new URLSearchParams(search)
    const verdict = this.#guard.judge(request, query)
    if (verdict.kind === 'refused') return refuse(response, verdict.status, verdict.text)
    if (verdict.kind === 'entered') {
      response.writeHead(303, { 'set-cookie': verdict.cookie, location: './' }).end()
      return
    }
    if (path === '/events') return this.#openStream(request, response, query)
    const asset = this.#assets.get(path)
    if (asset === undefined)
      return refuse(response, 404, 'There is nothing here. The page is at /.')
    response.writeHead(200, { 'content-type': asset.type }).end(asset.content)
  }

  #openStream(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    const { sql, parameters, keep } = this.#settings
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const page = new PageStream(response, this.#feed.session, query.has('health'))
    response.once('close', () => {
      this.#feed.leave(page)
      if (this.#feed.pages.size === 0) this.#stopLooking()
    })
    page.tell('hello', { session: this.#feed.session, pid: process.pid, sql, parameters, keep })
    this.#feed.open(page, request.headers['last-event-id']?.toString())
    this.#look()
    this.#looking ??= setInterval(() => this.#look(), lookEveryMs).unref()
  }

  #look(): void {
    this.#health.look([...this.#feed.pages].some(({ wantsHealth }) => wantsHealth))
    const state = JSON.stringify(currentState(this.#db.octopus, this.#health))
    for (const page of this.#feed.pages) {
      page.setState(state)
      page.flush()
    }
  }

  #stopLooking(): void {
    clearInterval(this.#looking)
    this.#looking = undefined
  }
}

/** A connection that could not be taken, such as for want of file descriptors, is no end of the process. */
const warnOf = ({ message }: Error): void =>
  process.emitWarning(`The inspector could not take a connection: ${message}`, {
    type: 'OctopusInspectorWarning',
  })

const refuse = (response: ServerResponse, status: number, text: string): void => {
  const more = status === 405 ? { allow: 'GET' } : {}
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...more })
  response.end(`${text}\n`)
}

import type { ServerResponse } from 'node:http'
import { Ring } from './ring.js'
import { type NumberedRoute, routeText } from './wire.js'

/** How many routes wait for a browser that reads slowly, or between two flushes. */
export const queueLength = 1000

/** How soon a browser that has lost its stream asks for it again. */
const retryMs = 1000

/** Without a word in this time, proxies take a connection for dead. */
const silenceMs = 15_000

/**
 * One page's stream of Server-Sent Events. What the browser does not take in time is not kept for it
 * without end: the oldest routes are dropped, and the page is told how many.
 */
export class PageStream {
  /** Whether this page wants the servers to be asked how they are. */
  readonly wantsHealth: boolean
  readonly #response: ServerResponse
  readonly #session: string
  readonly #waiting = new Ring<NumberedRoute>(queueLength)
  #isBlocked = false
  #state: string | undefined
  #sentState: string | undefined
  #wroteAt = 0

  constructor(response: ServerResponse, session: string, wantsHealth: boolean) {
    this.#response = response
    this.#session = session
    this.wantsHealth = wantsHealth
    this.#write(`retry: ${retryMs}\n\n`)
    response.on('drain', () => {
      this.#isBlocked = false
      this.flush()
    })
  }

  /** Tells the page something at once. */
  tell(event: string, data: unknown): void {
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  /** Sends what was kept before the page came, all of it: its reading begins now. */
  begin(kept: readonly NumberedRoute[]): void {
    for (let from = 0; from < kept.length; from += queueLength)
      this.#sendRoutes(kept.slice(from, from + queueLength))
  }

  /** Queues a route for the next flush. */
  add(route: NumberedRoute): void {
    this.#waiting.add(route)
  }

  /** The topology and the pools as they are now; only the latest is worth sending, if it is new. */
  setState(state: string): void {
    this.#state = state === this.#sentState ? undefined : state
  }

  /** Sends what is waiting, unless the browser has not yet taken what was sent before. */
  flush(): void {
    if (this.#isBlocked) return
    if (this.#state !== undefined) {
      this.#write(`event: state\ndata: ${this.#state}\n\n`)
      this.#sentState = this.#state
      this.#state = undefined
    }
    if (!this.#waiting.isEmpty) this.#sendWaiting()
    if (Date.now() - this.#wroteAt >= silenceMs) this.#write(': still here\n\n')
  }

  #sendWaiting(): void {
    const { entries, forgotten } = this.#waiting.empty()
    if (forgotten > 0) this.tell('dropped', { count: forgotten })
    this.#sendRoutes(entries)
  }

  #sendRoutes(routes: readonly NumberedRoute[]): void {
    const last = routes.at(-1)?.number ?? 0
    const data = `[${routes.map(routeText).join(',')}]`
    this.#write(`id: ${this.#session}.${last}\nevent: routes\ndata: ${data}\n\n`)
  }

  #write(text: string): void {
    this.#wroteAt = Date.now()
    if (!this.#response.write(text)) this.#isBlocked = true
  }

  end(): void {
    this.#response.end()
  }
}

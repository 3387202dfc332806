import { randomBytes } from 'node:crypto'
import type { RouteEvent } from '../index.js'
import { Ring } from './ring.js'
import type { PageStream } from './stream.js'
import type { NumberedRoute } from './wire.js'

/** So that a thousand routes a second are ten messages. */
const flushAfterMs = 100

/** Starts listening to routes; returns the function that ends it. */
export type Listen = (tell: (event: RouteEvent) => void) => () => void

/**
 * Hands routes on to the pages that are open. While there is none, nothing listens to the data source,
 * unless routes are to be kept for pages to come.
 */
export class Feed {
  /** Numbers of another inspector mean nothing here. */
  readonly session = randomBytes(6).toString('hex')
  readonly #listen: Listen
  readonly #keep: number
  readonly #kept: Ring<NumberedRoute>
  readonly #pages = new Set<PageStream>()
  #number = 0
  #stop: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(listen: Listen, keep: number) {
    this.#listen = listen
    this.#keep = keep
    this.#kept = new Ring(keep)
    if (keep > 0) this.#start()
  }

  get pages(): ReadonlySet<PageStream> {
    return this.#pages
  }

  /** @param seen - the `Last-Event-ID` of a page that comes back: what it has seen is not sent again */
  open(page: PageStream, seen: string | undefined): void {
    const [session, number] = seen?.split('.') ?? []
    const after = session === this.session ? Number(number) : 0
    page.begin(this.#kept.list().filter(({ number }) => number > after))
    this.#pages.add(page)
    this.#start()
  }

  leave(page: PageStream): void {
    this.#pages.delete(page)
    if (this.#pages.size === 0 && this.#keep === 0) this.#end()
  }

  close(): void {
    this.#end()
    for (const page of this.#pages) page.end()
    this.#pages.clear()
  }

  #start(): void {
    this.#stop ??= this.#listen((event) => this.#tell(event))
  }

  #end(): void {
    this.#stop?.()
    this.#stop = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  // Called by the statement that is told of: what costs time is done later.
  #tell(event: RouteEvent): void {
    const route = { number: (this.#number += 1), event }
    if (this.#keep > 0) this.#kept.add(route)
    if (this.#pages.size === 0) return
    for (const page of this.#pages) page.add(route)
    this.#timer ??= setTimeout(() => this.#flush(), flushAfterMs).unref()
  }

  #flush(): void {
    this.#timer = undefined
    for (const page of this.#pages) page.flush()
  }
}

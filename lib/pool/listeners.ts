import type { ConnectFailure } from '../errors.js'
import { deliver } from '../trace/deliver.js'
import type { Role } from '../trace/event.js'

/** Something that happened to a server's connections. More kinds may come: ignore those unknown. */
export type PoolHappening =
  /** The replica is given no work until it is back. `why` is the driver's text, without credentials. */
  | { readonly kind: 'out-of-service'; readonly why: string }
  | { readonly kind: 'in-service' }
  /** A connection was made; the first of a pool with what is asked of the server once. */
  | { readonly kind: 'connected'; readonly tookMs: number }
  | { readonly kind: 'connect-failed'; readonly failure: ConnectFailure }
  /** A connection was lent, after milliseconds of waiting for it. */
  | { readonly kind: 'lent'; readonly waitedMs: number }
  /** Somebody had no connection after `acquireTimeoutMs`. */
  | { readonly kind: 'timed-out' }

/** What a pool tells those who listen to it. */
export interface PoolEvent {
  /** When it happened, in milliseconds since the epoch. */
  readonly at: number
  readonly shard: string
  readonly role: Role
  readonly node: string
  readonly what: PoolHappening
}

/** A function that is told what happens to the pools. */
export type PoolListener = (event: PoolEvent) => void

/** Those who listen to the pools of one data source. */
export class PoolListeners {
  // One entry for each call of add(): the same function may listen twice.
  readonly #listeners = new Set<Readonly<{ listener: PoolListener }>>()

  /** Whether anybody listens: no event is made while this is false. */
  get isOn(): boolean {
    return this.#listeners.size > 0
  }

  /** Adds a listener and returns the function that removes it. */
  add(listener: PoolListener): () => void {
    const entry = { listener }
    this.#listeners.add(entry)
    return () => {
      this.#listeners.delete(entry)
    }
  }

  tell(event: PoolEvent): void {
    for (const { listener } of this.#listeners)
      deliver(() => listener(event), 'A pool listener threw; no connection is affected.')
  }
}

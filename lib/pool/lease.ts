import type { Endpoint } from '../topology/snapshot.js'
import type { SkippedNode } from '../trace/event.js'

/** A driver's connection with the way to give it back. */
export interface RawConnection {
  readonly connection: unknown
  /** @param error - why the connection must not be used again, if it must not */
  release(error?: unknown): void
}

/** How a pool reaches its server: the driver's own pool, through its public calls. */
export interface Connector {
  /** The most connections the driver's pool opens. */
  readonly max: number
  /** Opens the driver's pool; once, before the first `acquire`. */
  open(): Promise<void>
  /** Takes a connection from the driver's pool. */
  acquire(): Promise<RawConnection>
  /** Closes the driver's pool and all its connections. */
  close(): Promise<void>
}

/** What is known of a lease beside its connection. */
export interface LeaseFacts {
  readonly endpoint: Endpoint
  /** The servers the balancer chose from. */
  readonly candidates: readonly Endpoint[]
  readonly skipped: readonly SkippedNode[]
  /** Milliseconds spent waiting for a free connection. */
  readonly waitedMs: number
  readonly verified: boolean
}

/** Who uses a leased connection. */
export interface LeaseHolder {
  release(): unknown
}

/** The right to use one connection until it is released. */
export class Lease implements LeaseFacts {
  readonly endpoint: Endpoint
  readonly candidates: readonly Endpoint[]
  readonly skipped: readonly SkippedNode[] = []
  readonly waitedMs: number
  readonly verified = false
  readonly connection: unknown
  readonly #raw: RawConnection
  #giveBack: ((lease: Lease) => void) | undefined
  /** Who uses the connection, and lets go of it when the pool closes under the lease. Not a function:
   *  one made for each lease kept garbage alive. */
  holder: LeaseHolder | undefined = undefined

  constructor(
    endpoint: Endpoint,
    candidates: readonly Endpoint[],
    waitedMs: number,
    raw: RawConnection,
    giveBack: (lease: Lease) => void,
  ) {
    this.endpoint = endpoint
    this.candidates = candidates
    this.waitedMs = waitedMs
    this.connection = raw.connection
    this.#raw = raw
    this.#giveBack = giveBack
  }

  /** Gives the connection back; a second call does nothing. */
  release(error?: unknown): void {
    const giveBack = this.#giveBack
    if (giveBack === undefined) return
    this.#giveBack = undefined
    try {
      this.#raw.release(error)
    } finally {
      giveBack(this)
    }
  }
}

import type { Endpoint } from '../topology/snapshot.js'
import type { SkippedNode } from '../trace/event.js'
import type { FailureKind } from './failure.js'

/** What a verifier sees of a connection. */
export interface VerifiedConnection {
  readonly engine: 'mysql' | 'postgres'
  /** One round trip without effect. */
  ping(): Promise<unknown>
  /** Runs a statement of the verifier's own and yields its rows. */
  query(sql: string): Promise<readonly Record<string, unknown>[]>
}

/** One connection to a server, and what its pool notes about it. */
export interface PhysicalConnection extends VerifiedConnection {
  /** The driver's own. */
  readonly connection: unknown
  /** The server's number for it, if it is known. */
  readonly id: number | undefined
  /** Gives it back to the driver's pool. */
  giveBack(): void
  /**
   * Closes its socket now, whatever the server does. Harmless twice.
   *
   * @param interrupts - whether a statement is on its way, whose caller is to hear of it
   */
  close(interrupts?: boolean): void
  /** Settles when its socket is closed. */
  closed(): Promise<void>
  /** The pool's epoch in which it was last known to be good; undefined for a new one. */
  epoch: number | undefined
  /** When it was last given back, by the pool's clock. */
  usedAt: number
  /** From when on it is not lent again, by the pool's clock. */
  expiresAt: number
}

/** How a pool reaches its server: the driver's own pool, through its public calls. */
export interface Connector {
  /** The most connections the driver's pool opens. */
  readonly max: number
  /** The connections that the driver's pool has open. */
  readonly open: number
  /** All connections, also those that are being made or closed, and those beside the driver's pool. */
  readonly sockets: number
  /** Opens the driver's pool; once, before the first `acquire`. */
  start(): Promise<void>
  /** Takes a connection from the driver's pool. */
  acquire(): Promise<PhysicalConnection>
  /** Opens a connection outside the driver's pool. */
  connect(): Promise<PhysicalConnection>
  /** Closes the driver's pool and all its connections, as the protocol wants it. */
  stop(): Promise<void>
  /** Closes the sockets that are left, whatever the server does. */
  abort(): void
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

/** Who asks for a connection. */
export interface Asker {
  /** The request it belongs to: the same object for all work of one outermost scope. */
  readonly owner: object | undefined
  /** What owns the connections it gets, if not the pool. */
  readonly connectionScope: ConnectionOwner | undefined
  /** Whether its last connection was lost under it. */
  readonly isRetry: boolean
  /** Where it asked, as a stack, if that is remembered. */
  readonly callSite: string | undefined
}

/** Keeps the connections that were opened for one scope. */
export interface ConnectionOwner {
  /** Takes a connection that it keeps for the pool, or opens one. */
  acquire(pool: object, connector: Connector): Promise<PhysicalConnection>
  /** Whether it has a connection for the pool that is not lent. */
  keeps(pool: object): boolean
  /** Takes a connection back that is still good. */
  keep(pool: object, connection: PhysicalConnection): void
  /** Refuses where nothing may be lent under it any more. */
  admit(pool: { readonly endpoint: Endpoint }): void
  /** Notes a lease under it; throws where it has ended meanwhile. */
  lent(lease: Lease): void
  returned(lease: Lease): void
  /** Counts work on the way to a connection as the scope's: it is waited for at the end. */
  during<T>(work: Promise<T>): Promise<T>
}

/** Who uses a leased connection. */
export interface LeaseHolder {
  readonly isTransactionActive: boolean
  release(): unknown
}

/** What a lease tells its pool. */
export interface LeaseKeeper {
  leaseReturned(lease: Lease, error: unknown): void
  statementFailed(lease: Lease, kind: FailureKind): void
}

/** The right to use one connection until it is released. */
export class Lease implements LeaseFacts {
  readonly endpoint: Endpoint
  readonly candidates: readonly Endpoint[]
  skipped: readonly SkippedNode[] = none
  readonly waitedMs: number
  readonly verified: boolean
  readonly physical: PhysicalConnection
  /** Whether the primary serves in the place of a replica. */
  isFallback = false
  owner: object | undefined = undefined
  scope: ConnectionOwner | undefined = undefined
  /** When it was lent, by the pool's clock. */
  since = 0
  /** Where it was taken, as a stack, if that is remembered. */
  takenAt: string | undefined = undefined
  /** Who uses the connection, and lets go of it when the pool closes under the lease. Not a function:
   *  one made for each lease kept garbage alive. */
  holder: LeaseHolder | undefined = undefined
  /** Whether the connection must not be used again. */
  isSpoilt = false
  #running = 0
  #onRest: (() => void) | undefined
  #onReturn: (() => void) | undefined
  #keeper: LeaseKeeper | undefined

  constructor(
    endpoint: Endpoint,
    candidates: readonly Endpoint[],
    waitedMs: number,
    verified: boolean,
    physical: PhysicalConnection,
    keeper: LeaseKeeper,
  ) {
    this.endpoint = endpoint
    this.candidates = candidates
    this.waitedMs = waitedMs
    this.verified = verified
    this.physical = physical
    this.#keeper = keeper
  }

  get connection(): unknown {
    return this.physical.connection
  }

  get isReleased(): boolean {
    return this.#keeper === undefined
  }

  /** Whether a statement is on its way. */
  get isRunning(): boolean {
    return this.#running > 0
  }

  /** Notes that so many statements are sent. */
  began(statements = 1): void {
    this.#running += statements
  }

  /** Notes that a statement has been answered, and how it failed, if it did. */
  ended(failure?: FailureKind): void {
    this.#running -= 1
    if (failure !== undefined) this.#keeper?.statementFailed(this, failure)
    if (this.#running === 0) this.#rest()
  }

  /** Notes that the connection failed, whatever was on its way. */
  failed(kind: FailureKind): void {
    this.isSpoilt = true
    this.#keeper?.statementFailed(this, kind)
  }

  /** Settles when no statement is on its way, or the lease has been released. */
  async rested(): Promise<void> {
    if (this.#running === 0 || this.isReleased) return
    const others = this.#onRest
    await new Promise<void>((resolve) => {
      this.#onRest = () => {
        others?.()
        resolve()
      }
    })
  }

  /** Settles when it has been released. */
  async returned(): Promise<void> {
    if (this.isReleased) return
    const others = this.#onReturn
    await new Promise<void>((resolve) => {
      this.#onReturn = () => {
        others?.()
        resolve()
      }
    })
  }

  /** Closes the connection at once; the lease is still to be released. */
  abort(): void {
    this.isSpoilt = true
    this.physical.close(this.isRunning)
  }

  /**
   * Gives the connection back; a second call does nothing.
   *
   * @param error - why it must not be used again, if it must not
   */
  release(error?: unknown): void {
    const keeper = this.#keeper
    if (keeper === undefined) return
    this.#keeper = undefined
    keeper.leaseReturned(this, error)
    this.#rest()
    this.#onReturn?.()
  }

  #rest(): void {
    const onRest = this.#onRest
    this.#onRest = undefined
    onRest?.()
  }
}

const none: readonly SkippedNode[] = Object.freeze([])

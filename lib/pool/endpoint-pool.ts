import { AcquireTimeoutError, PoolClosedError, type PoolNumbers } from '../errors.js'
import type { Endpoint } from '../topology/snapshot.js'
import { Gate } from './gate.js'
import { type Connector, Lease } from './lease.js'

/** `idle`: nothing opened yet. */
export type PoolState = 'idle' | 'opening' | 'open' | 'closed'

/** Settings and surroundings of a pool. */
export interface PoolSettings {
  /** Milliseconds a checkout waits for a connection at most; 0 waits for ever. */
  readonly acquireTimeoutMs: number
  /** Monotonic clock, in milliseconds. */
  readonly now: () => number
}

/** One server's connections: opened at first use, lent one at a time, closed together. */
export class EndpointPool {
  readonly endpoint: Endpoint
  readonly #connector: Connector
  readonly #settings: PoolSettings
  readonly #gate: Gate
  readonly #leases = new Set<Lease>()
  #state: PoolState = 'idle'
  #opening: Promise<void> | undefined
  /** How often it was closed: a connection asked for before a close is not lent after it. */
  #closings = 0

  constructor(endpoint: Endpoint, connector: Connector, settings: PoolSettings) {
    this.endpoint = endpoint
    this.#connector = connector
    this.#settings = settings
    this.#gate = new Gate(connector.max, settings.now)
  }

  get state(): PoolState {
    return this.#state
  }

  get numbers(): PoolNumbers {
    return { max: this.#gate.max, active: this.#gate.inside, waiting: this.#gate.waiting }
  }

  /**
   * Opens the driver's pool if it is not; callers at the same time share one attempt, and a failed
   * attempt is tried again by the next caller. A closed pool opens anew.
   */
  open(): Promise<void> {
    if (this.#state === 'open') return Promise.resolve()
    this.#opening ??= this.#openOnce().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #openOnce(): Promise<void> {
    this.#state = 'opening'
    try {
      await this.#connector.open()
      this.#state = 'open'
    } catch (error) {
      this.#state = 'idle'
      throw error
    }
  }

  /** Takes over a driver's pool that somebody else has opened. */
  adopt(): void {
    this.#state = 'open'
  }

  /**
   * Lends a connection. With room in the pool this adds no promise to the driver's own.
   *
   * @param candidates - the servers among which this one was chosen, for the trace
   * @param use - is given the lease and makes the result; what it throws releases the lease
   * @throws AcquireTimeoutError if none becomes free in `acquireTimeoutMs`
   * @throws the driver's error if a connection cannot be made
   */
  checkout<T>(candidates: readonly Endpoint[], use: (lease: Lease) => T): Promise<T> {
    if (this.#state === 'open' && this.#gate.tryEnter()) return this.#take(candidates, 0, use)
    return this.#wait(candidates, use)
  }

  async #wait<T>(candidates: readonly Endpoint[], use: (lease: Lease) => T): Promise<T> {
    const closings = this.#closings
    if (this.#state !== 'open') await this.open()
    if (closings !== this.#closings) throw new PoolClosedError(this.endpoint.id)
    const { acquireTimeoutMs } = this.#settings
    const waitedMs = await this.#gate.enter(
      acquireTimeoutMs,
      (waited) => new AcquireTimeoutError(this.endpoint.id, waited, this.numbers),
    )
    if (closings !== this.#closings) {
      this.#gate.leave()
      throw new PoolClosedError(this.endpoint.id)
    }
    return this.#take(candidates, waitedMs, use)
  }

  #take<T>(
    candidates: readonly Endpoint[],
    waitedMs: number,
    use: (lease: Lease) => T,
  ): Promise<T> {
    const closings = this.#closings
    return this.#connector.acquire().then(
      (raw) => {
        if (closings !== this.#closings) {
          this.#gate.leave()
          raw.release()
          throw new PoolClosedError(this.endpoint.id)
        }
        const lease = new Lease(this.endpoint, candidates, waitedMs, raw, this.#returned)
        this.#leases.add(lease)
        try {
          return use(lease)
        } catch (error) {
          lease.release()
          throw error
        }
      },
      (error: unknown) => {
        this.#gate.leave()
        throw error
      },
    )
  }

  readonly #returned = (lease: Lease): void => {
    this.#leases.delete(lease)
    this.#gate.leave()
  }

  /** Refuses who waits, takes back what is lent and closes the driver's pool. Idempotent. */
  async close(): Promise<void> {
    this.#closings += 1
    if (this.#opening !== undefined) await this.#opening.catch(() => undefined)
    if (this.#state !== 'open') {
      this.#state = 'closed'
      return
    }
    this.#state = 'closed'
    this.#gate.refuseAll(new PoolClosedError(this.endpoint.id))
    for (const lease of this.#leases) {
      void lease.holder?.release()
      lease.release()
    }
    await this.#connector.close()
  }
}

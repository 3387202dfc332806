import { AcquireTimeoutError, ConnectError, PoolClosedError, type PoolNumbers } from '../errors.js'
import type { Endpoint } from '../topology/snapshot.js'
import { pause } from './backoff.js'
import type { Checkout, PoolSettings } from './checkout.js'
import { reasonOf } from './connect-failure.js'
import type { FailureKind } from './failure.js'
import { Gate } from './gate.js'
import { dropDoubted } from './idle-connections.js'
import type { PoolJournal } from './journal.js'
import { type Asker, Lease, type LeaseKeeper, type PhysicalConnection } from './lease.js'
import { holdersOf } from './leases.js'
import type { PoolState } from './opening.js'
import type { Recovery } from './recovery.js'
import type { Supply } from './supply.js'
import type { Trust } from './trust.js'

/** A pool, as far as lending its connections goes. */
export interface LendingPool {
  readonly endpoint: Endpoint
  readonly state: PoolState
  /** How often it was closed: what was asked for before a close is not lent after it. */
  readonly closings: number
  readonly numbers: PoolNumbers
  start(keepsFirst: boolean): Promise<void>
  probe(): Promise<void>
  /** The error for a caller who got no connection and had asked at that number of closings. */
  connectingFailed(error: unknown, closings: number): Error
}

/** What a pool's lending shares with it. */
export interface LendingParts {
  readonly supply: Supply
  readonly trust: Trust
  readonly recovery: Recovery
  readonly journal: PoolJournal
  /** The most connections that are lent at a time. */
  readonly max: number
}

/** Lends a pool's connections, one at a time to each, and takes them back. */
export class Lending implements LeaseKeeper {
  readonly #pool: LendingPool
  readonly #settings: PoolSettings
  readonly #supply: Supply
  readonly #trust: Trust
  readonly #recovery: Recovery
  readonly #journal: PoolJournal
  readonly #fallback: Gate
  /** Lets in as many as there may be connections. */
  readonly gate: Gate
  readonly leases: ReadonlySet<Lease>
  readonly #leases = new Set<Lease>()
  /** When a connection was last lent or given back. */
  lastUsedAt = 0

  constructor(pool: LendingPool, settings: PoolSettings, parts: LendingParts) {
    const { fallbackLimit, now } = settings
    this.#pool = pool
    this.#settings = settings
    this.#supply = parts.supply
    this.#trust = parts.trust
    this.#recovery = parts.recovery
    this.#journal = parts.journal
    this.leases = this.#leases
    this.gate = new Gate(parts.max, now)
    this.#fallback = new Gate(fallbackLimit ?? Math.ceil(parts.max / 2), now)
  }

  get waiting(): number {
    return this.gate.waiting + this.#fallback.waiting
  }

  /** As `EndpointPool.checkout`. */
  checkout<T>(request: Checkout<T>): Promise<T> {
    const isPlain = !this.#recovery.isDue && !request.isFallback
    return this.#pool.state === 'open' && isPlain && this.gate.tryEnter()
      ? this.#take(request, 0)
      : this.#wait(request)
  }

  async #wait<T>(request: Checkout<T>): Promise<T> {
    const { closings } = this.#pool
    const { now } = this.#settings
    const started = now()
    const isHeldBack = this.#holdsBack(request)
    let isInFallback = false
    try {
      if (this.#pool.state !== 'open')
        await this.#pool.start(request.asker.connectionScope === undefined)
      else if (this.#recovery.isDue) await this.#recovery.wait(() => this.#pool.probe())
      if (closings !== this.#pool.closings) throw new PoolClosedError(this.#pool.endpoint.id)
      if (request.isFallback) await this.#enter(this.#fallback, request.asker, started)
      isInFallback = request.isFallback
      await this.#enter(this.gate, request.asker, started)
    } catch (error) {
      if (isInFallback) this.#fallback.leave()
      if (isHeldBack) this.#journal.waited(now() - started)
      return this.#orElse(request, error)
    }
    const waitedMs = now() - started
    if (isHeldBack) this.#journal.waited(waitedMs)
    if (closings === this.#pool.closings) return this.#take(request, waitedMs)
    this.#leave(request.isFallback)
    return this.#orElse(request, new PoolClosedError(this.#pool.endpoint.id))
  }

  #holdsBack({ isFallback }: { readonly isFallback: boolean }): boolean {
    const isReady = this.#pool.state === 'open' && !this.#recovery.isDue
    return !isReady || this.gate.isFull || (isFallback && this.#fallback.isFull)
  }

  #enter(gate: Gate, { owner }: Asker, started: number): Promise<number> {
    const { acquireTimeoutMs, now } = this.#settings
    const left = acquireTimeoutMs === 0 ? 0 : Math.max(1, acquireTimeoutMs - (now() - started))
    return gate.enter(left, () => {
      const waitedMs = Math.round(now() - started)
      const holders = holdersOf(this.#leases, owner, now())
      this.#journal.timedOut()
      return new AcquireTimeoutError(this.#pool.endpoint.id, waitedMs, this.#pool.numbers, holders)
    })
  }

  #take<T>(request: Checkout<T>, waitedMs: number): Promise<T> {
    const { closings } = this.#pool
    return this.#supply.acquire(request.asker).then(
      (connection) => {
        if (closings !== this.#pool.closings) return this.#tooLate(request, connection) as T
        const check = this.#trust.check(connection, request.asker.isRetry)
        return check === 'none'
          ? this.#lend(request, connection, waitedMs, false)
          : (this.#lendVerified(request, connection, waitedMs) as T)
      },
      (error: unknown) => {
        this.#supply.notLent(request.asker)
        this.#leave(request.isFallback)
        return this.#orElse(request, this.#pool.connectingFailed(error, closings)) as T
      },
    )
  }

  #tooLate<T>(request: Checkout<T>, connection: PhysicalConnection): Promise<T> {
    this.#supply.notLent(request.asker)
    connection.close()
    this.#leave(request.isFallback)
    return this.#orElse(request, new PoolClosedError(this.#pool.endpoint.id))
  }

  #lend<T>(
    request: Checkout<T>,
    connection: PhysicalConnection,
    waitedMs: number,
    verified: boolean,
  ): T {
    this.#trust.accept(connection)
    const { candidates, asker, isFallback } = request
    this.#supply.lent(asker)
    this.#journal.lent(waitedMs)
    const lease = new Lease(this.#pool.endpoint, candidates, waitedMs, verified, connection, this)
    lease.since = this.lastUsedAt = this.#settings.now()
    lease.owner = asker.owner
    lease.isFallback = isFallback
    lease.takenAt = asker.callSite
    lease.scope = asker.connectionScope
    this.#leases.add(lease)
    try {
      lease.scope?.lent(lease)
      return request.use(lease)
    } catch (error) {
      lease.release()
      throw error
    }
  }

  /** Lends the first connection that is good: this one, another idle one, or a new one. */
  async #lendVerified<T>(
    request: Checkout<T>,
    first: PhysicalConnection,
    waitedMs: number,
  ): Promise<T> {
    const { acquireTimeoutMs, now, unreachable } = this.#settings
    const { closings } = this.#pool
    const deadline = acquireTimeoutMs === 0 ? Infinity : now() + acquireTimeoutMs - waitedMs
    let connection = first
    for (let tries = 0; ;) {
      const check = this.#trust.check(connection, request.asker.isRetry)
      const fault = await this.#trust.fault(connection, check)
      if (closings !== this.#pool.closings) return this.#tooLate(request, connection)
      if (fault === undefined) return this.#lend(request, connection, waitedMs, check !== 'none')
      this.#supply.notLent(request.asker)
      connection.close()
      const isReplica = this.#pool.endpoint.role === 'replica'
      // Connecting a silent server anew could take long, and a sibling need not be silent.
      const isLeft = isReplica && fault.isMute && request.candidates.length > 1
      if (isLeft) void dropDoubted(this.#supply, (other) => this.#trust.isDoubted(other))
      if (!fault.isOwn || isLeft) {
        const waitMs = this.#recovery.waitMs(tries)
        tries += 1
        if (isReplica || now() + waitMs > deadline) {
          this.#leave(request.isFallback)
          if (isReplica) unreachable(this.#pool.endpoint, reasonOf(fault.error))
          return this.#orElse(request, fault.error)
        }
        await pause(waitMs)
      }
      try {
        connection = await this.#supply.acquire(request.asker)
        // A silent one was waited for; a pool full of them must not be, one after the other.
        while (fault.isMute && this.#trust.isDoubted(connection)) {
          this.#supply.notLent(request.asker)
          connection.close()
          connection = await this.#supply.acquire(request.asker)
        }
      } catch (error) {
        this.#supply.notLent(request.asker)
        this.#leave(request.isFallback)
        return this.#orElse(request, this.#pool.connectingFailed(error, closings))
      }
    }
  }

  #orElse<T>(request: Checkout<T>, error: unknown): Promise<T> {
    const mayGoElsewhere = error instanceof ConnectError || error instanceof PoolClosedError
    return mayGoElsewhere ? request.otherwise(error) : Promise.reject(error as Error)
  }

  statementFailed(lease: Lease, kind: FailureKind): void {
    if (this.#trust.statementFailed(lease, kind))
      this.#settings.unreachable(this.#pool.endpoint, `a connection was ${kind}`)
  }

  leaseReturned(lease: Lease, error: unknown): void {
    const { physical, scope } = lease
    const now = this.#settings.now()
    physical.usedAt = this.lastUsedAt = now
    this.#leases.delete(lease)
    this.#supply.returned(this.#supply.isSingle({ connectionScope: scope }))
    const isOver = lease.isSpoilt || error !== undefined || this.#pool.state !== 'open'
    try {
      if (isOver || this.#trust.isExpired(physical, now)) physical.close()
      else if (scope === undefined) physical.giveBack()
      else if (this.gate.waiting > 0 || this.#settings.limit?.isAwaited === true) physical.close()
      else scope.keep(this.#pool, physical)
    } finally {
      scope?.returned(lease)
      this.#leave(lease.isFallback)
      this.#settings.limit?.notify()
    }
  }

  #leave(isFallback: boolean): void {
    this.gate.leave()
    if (isFallback) this.#fallback.leave()
  }

  /** Refuses everybody who waits. */
  refuseAll(error: Error): void {
    this.gate.refuseAll(error)
    this.#fallback.refuseAll(error)
  }
}

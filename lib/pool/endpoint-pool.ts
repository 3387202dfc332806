import { AcquireTimeoutError, ConnectError, PoolClosedError, type PoolNumbers } from '../errors.js'
import type { Endpoint } from '../topology/snapshot.js'
import { pause } from './backoff.js'
import type { Checkout, PoolSettings } from './checkout.js'
import { connectErrorOf, isUnreachable, reasonOf } from './connect-failure.js'
import type { FailureKind } from './failure.js'
import { Gate } from './gate.js'
import {
  type Asker,
  type Connector,
  Lease,
  type LeaseKeeper,
  type PhysicalConnection,
} from './lease.js'
import { PoolJournal } from './journal.js'
import { holdersOf, settlesIn, takeBack } from './leases.js'
import { dropDoubted, inspect, shed } from './idle-connections.js'
import { Opening, type PoolState } from './opening.js'
import { Recovery } from './recovery.js'
import { Supply } from './supply.js'
import { Trust } from './trust.js'

/** How long a server has to answer a goodbye, in milliseconds. */
const goodbyeMs = 1000

/** One server's connections: opened at first use, lent one at a time, closed together. */
export class EndpointPool implements LeaseKeeper {
  readonly endpoint: Endpoint
  readonly #connector: Connector
  readonly #settings: PoolSettings
  readonly #journal: PoolJournal
  readonly #trust: Trust
  readonly #recovery: Recovery
  readonly #gate: Gate
  readonly #fallback: Gate
  readonly #leases = new Set<Lease>()
  readonly #supply: Supply
  readonly #opening = new Opening({
    open: (keepsFirst) => this.#open(keepsFirst),
    stop: () => this.#stop(),
    failed: (error, closings) => this.#connectingFailed(error, closings),
  })
  /** While it waits for its last leases. */
  #retiring: Promise<void> | undefined
  /** When a connection was last lent or given back. */
  lastUsedAt = 0

  /** @param journal - takes down what it does; pools of one server after another have the same */
  constructor(
    endpoint: Endpoint,
    connector: Connector,
    settings: PoolSettings,
    journal = new PoolJournal(endpoint),
  ) {
    this.endpoint = endpoint
    this.#connector = connector
    this.#settings = settings
    this.#journal = journal
    this.#supply = new Supply(this, connector, settings, journal)
    this.#trust = new Trust(endpoint, settings, journal)
    this.#recovery = new Recovery(settings)
    this.#gate = new Gate(connector.max, settings.now)
    this.#fallback = new Gate(settings.fallbackLimit ?? Math.ceil(connector.max / 2), settings.now)
  }

  get state(): PoolState {
    return this.#opening.state
  }

  get numbers(): PoolNumbers {
    const waiting = this.#gate.waiting + this.#fallback.waiting
    return { max: this.#gate.max, active: this.#leases.size, idle: this.idle, waiting }
  }

  /** All connections, also those that are being made or closed. */
  get open(): number {
    return this.#connector.sockets
  }

  /** The connections that are open and not lent. */
  get idle(): number {
    return this.#supply.idle
  }

  /**
   * Opens the driver's pool if it is not; callers at the same time share one attempt, and those after a
   * failed attempt share the next, which is made after a while. A closed pool opens anew.
   *
   * @param keepsFirst - whether the connection that tried the server stays in the pool
   * @throws ConnectError if the server cannot be connected
   * @throws PoolClosedError if the pool was closed meanwhile
   */
  start(keepsFirst = true): Promise<void> {
    const isToWait = this.state === 'idle' && this.#recovery.isDue
    return isToWait ? this.#recovery.wait(() => this.probe(keepsFirst)) : this.#startNow(keepsFirst)
  }

  #startNow(keepsFirst: boolean): Promise<void> {
    return this.#opening.start(keepsFirst && !this.#settings.isThrowaway)
  }

  async #open(keepsFirst: boolean): Promise<void> {
    const { limit } = this.#settings
    const start = (): Promise<void> => this.#timed(() => this.#connector.start())
    await (limit === undefined ? start() : limit.claim(this, start))
    try {
      if (!keepsFirst) (await this.#connector.acquire()).close()
    } catch (error) {
      await this.#stop().catch(() => undefined) // the first error is the one to show
      throw error
    }
    this.#recovery.succeeded()
  }

  async #timed<T>(connect: () => Promise<T>): Promise<T> {
    const started = this.#settings.now()
    const connected = await connect()
    this.#journal.connected(this.#settings.now() - started)
    return connected
  }

  /** Takes over a driver's pool that somebody else has opened. */
  adopt(): void {
    this.#opening.adopt()
  }

  /**
   * Lends a connection. With a healthy one in the pool this adds no promise to the driver's own.
   *
   * @throws AcquireTimeoutError if none becomes free in `acquireTimeoutMs`
   * @throws ConnectError if a connection cannot be made, or reaches a server in the wrong role
   * @throws ScopeEndedError if the scope that would own it has ended
   */
  checkout<T>(request: Checkout<T>): Promise<T> {
    const isPlain = !this.#recovery.isDue && !request.isFallback
    return this.state === 'open' && isPlain && this.#gate.tryEnter()
      ? this.#take(request, 0)
      : this.#wait(request)
  }

  async #wait<T>(request: Checkout<T>): Promise<T> {
    const { closings } = this.#opening
    const { now } = this.#settings
    const started = now()
    const isHeldBack = this.#holdsBack(request)
    let isInFallback = false
    try {
      if (this.state !== 'open') await this.start(request.asker.connectionScope === undefined)
      else if (this.#recovery.isDue) await this.#recovery.wait(() => this.probe())
      if (closings !== this.#opening.closings) throw new PoolClosedError(this.endpoint.id)
      if (request.isFallback) await this.#enter(this.#fallback, request.asker, started)
      isInFallback = request.isFallback
      await this.#enter(this.#gate, request.asker, started)
    } catch (error) {
      if (isInFallback) this.#fallback.leave()
      if (isHeldBack) this.#journal.waited(now() - started)
      return this.#orElse(request, error)
    }
    const waitedMs = now() - started
    if (isHeldBack) this.#journal.waited(waitedMs)
    if (closings === this.#opening.closings) return this.#take(request, waitedMs)
    this.#leave(request.isFallback)
    return this.#orElse(request, new PoolClosedError(this.endpoint.id))
  }

  #holdsBack({ isFallback }: { readonly isFallback: boolean }): boolean {
    const isReady = this.state === 'open' && !this.#recovery.isDue
    return !isReady || this.#gate.isFull || (isFallback && this.#fallback.isFull)
  }

  #enter(gate: Gate, { owner }: Asker, started: number): Promise<number> {
    const { acquireTimeoutMs, now } = this.#settings
    const left = acquireTimeoutMs === 0 ? 0 : Math.max(1, acquireTimeoutMs - (now() - started))
    return gate.enter(left, () => {
      const waitedMs = Math.round(now() - started)
      const holders = holdersOf(this.#leases, owner, now())
      this.#journal.timedOut()
      return new AcquireTimeoutError(this.endpoint.id, waitedMs, this.numbers, holders)
    })
  }

  #take<T>(request: Checkout<T>, waitedMs: number): Promise<T> {
    const { closings } = this.#opening
    return this.#supply.acquire(request.asker).then(
      (connection) => {
        if (closings !== this.#opening.closings) return this.#tooLate(request, connection) as T
        const check = this.#trust.check(connection, request.asker.isRetry)
        return check === 'none'
          ? this.#lend(request, connection, waitedMs, false)
          : (this.#lendVerified(request, connection, waitedMs) as T)
      },
      (error: unknown) => {
        this.#supply.notLent(request.asker)
        this.#leave(request.isFallback)
        return this.#orElse(request, this.#connectingFailed(error, closings)) as T
      },
    )
  }

  #tooLate<T>(request: Checkout<T>, connection: PhysicalConnection): Promise<T> {
    this.#supply.notLent(request.asker)
    connection.close()
    this.#leave(request.isFallback)
    return this.#orElse(request, new PoolClosedError(this.endpoint.id))
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
    const lease = new Lease(this.endpoint, candidates, waitedMs, verified, connection, this)
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
    const { closings } = this.#opening
    const deadline = acquireTimeoutMs === 0 ? Infinity : now() + acquireTimeoutMs - waitedMs
    let connection = first
    for (let tries = 0; ;) {
      const check = this.#trust.check(connection, request.asker.isRetry)
      const fault = await this.#trust.fault(connection, check)
      if (closings !== this.#opening.closings) return this.#tooLate(request, connection)
      if (fault === undefined) return this.#lend(request, connection, waitedMs, check !== 'none')
      this.#supply.notLent(request.asker)
      connection.close()
      const isReplica = this.endpoint.role === 'replica'
      // Connecting a silent server anew could take long, and a sibling need not be silent.
      const isLeft = isReplica && fault.isMute && request.candidates.length > 1
      if (isLeft) void dropDoubted(this.#supply, (other) => this.#trust.isDoubted(other))
      if (!fault.isOwn || isLeft) {
        const waitMs = this.#recovery.waitMs(tries)
        tries += 1
        if (isReplica || now() + waitMs > deadline) {
          this.#leave(request.isFallback)
          if (isReplica) unreachable(this.endpoint, reasonOf(fault.error))
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
        return this.#orElse(request, this.#connectingFailed(error, closings))
      }
    }
  }

  /**
   * The error for a caller who got no connection; notes it where the server was not reached.
   *
   * @param closings - how often the pool had been closed when he asked
   */
  #connectingFailed(error: unknown, closings: number): Error {
    // What became of a server that is not used any more says nothing about the one in its place.
    if (closings !== this.#opening.closings) return new PoolClosedError(this.endpoint.id)
    if (error instanceof Error && (error as { stage?: unknown }).stage === 'acquire') {
      if (error instanceof AcquireTimeoutError) this.#journal.timedOut()
      return error
    }
    const failure = connectErrorOf(this.endpoint, error)
    this.#journal.connectFailed(failure.failure)
    if (isUnreachable(failure)) {
      this.#trust.doubt()
      this.#recovery.failed()
      this.#settings.unreachable(this.endpoint, reasonOf(failure))
    }
    return failure
  }

  #orElse<T>(request: Checkout<T>, error: unknown): Promise<T> {
    const mayGoElsewhere = error instanceof ConnectError || error instanceof PoolClosedError
    return mayGoElsewhere ? request.otherwise(error) : Promise.reject(error as Error)
  }

  /**
   * Tries at once whether the server can be used: by opening the pool, or by a connection outside it.
   *
   * @param keepsFirst - as for `start`
   * @throws ConnectError if it cannot
   * @throws PoolClosedError if the pool was closed
   */
  async probe(keepsFirst = true): Promise<void> {
    // Who waited for the try is sent to the pool in its place.
    if (this.state === 'closed') throw new PoolClosedError(this.endpoint.id)
    if (this.state !== 'open') return this.#startNow(keepsFirst)
    const { closings } = this.#opening
    let connection: PhysicalConnection | undefined
    try {
      connection = await this.#timed(() => this.#connector.connect())
      await this.#trust.probe(connection)
    } catch (error) {
      throw this.#connectingFailed(error, closings)
    } finally {
      connection?.close()
    }
    this.#recovery.succeeded()
  }

  statementFailed(lease: Lease, kind: FailureKind): void {
    if (this.#trust.statementFailed(lease, kind))
      this.#settings.unreachable(this.endpoint, `a connection was ${kind}`)
  }

  leaseReturned(lease: Lease, error: unknown): void {
    const { physical, scope } = lease
    const now = this.#settings.now()
    physical.usedAt = this.lastUsedAt = now
    this.#leases.delete(lease)
    this.#supply.returned(this.#supply.isSingle({ connectionScope: scope }))
    const isOver = lease.isSpoilt || error !== undefined || this.state !== 'open'
    try {
      if (isOver || this.#trust.isExpired(physical, now)) physical.close()
      else if (scope === undefined) physical.giveBack()
      else if (this.#gate.waiting > 0 || this.#settings.limit?.isAwaited === true) physical.close()
      else scope.keep(this, physical)
    } finally {
      scope?.returned(lease)
      this.#leave(lease.isFallback)
      this.#settings.limit?.notify()
    }
  }

  #leave(isFallback: boolean): void {
    this.#gate.leave()
    if (isFallback) this.#fallback.leave()
  }

  /**
   * Verifies the connections that are open and not lent, and closes the bad ones. Opens no pool and
   * waits for no connection.
   *
   * @returns how many were bad and are replaced when they are needed
   * @throws ConnectError if the server cannot be reached
   */
  async verifyIdle(): Promise<number> {
    if (this.state !== 'open') return 0
    const { closings } = this.#opening
    const { limit } = this.#settings
    let bad: number
    try {
      bad = await inspect(this.#supply, this.#gate, async (connection) => {
        const isGood = await this.#trust.isGood(connection)
        if (isGood) this.#trust.accept(connection)
        return isGood
      })
    } catch (error) {
      throw this.#connectingFailed(error, closings)
    } finally {
      limit?.notify()
    }
    if (bad > 0) await this.probe()
    return bad
  }

  /** Closes one connection that is not lent; says whether there was one. */
  async shed(): Promise<boolean> {
    return this.state === 'open' && shed(this.#supply)
  }

  /**
   * Refuses who waits, lets running statements end, takes back what is lent and closes the driver's
   * pool. Idempotent.
   *
   * @param drainMs - milliseconds that running statements have at most
   */
  async close(drainMs: number): Promise<void> {
    if (this.#opening.isUnderWay) {
      this.#opening.abandon(new PoolClosedError(this.endpoint.id))
      this.#connector.abort()
    }
    if (await this.#refuse()) {
      await takeBack(this.#leases, drainMs)
      await this.#stop()
    } else if (this.#retiring !== undefined) {
      await takeBack(this.#leases, drainMs)
      await this.#retiring
    }
  }

  /** Sends who waits elsewhere, lets whoever has a connection use it to the end, then closes. */
  retire(): Promise<void> {
    this.#retiring ??= this.#retire()
    return this.#retiring
  }

  async #retire(): Promise<void> {
    // A server that moves away may be silent: nobody waits for it.
    this.#opening.abandon(new PoolClosedError(this.endpoint.id))
    if (await this.#refuse()) {
      await Promise.all([...this.#leases].map((lease) => lease.returned()))
      await this.#stop()
    }
  }

  /** Lends nothing from now on; says whether there is anything to close. */
  async #refuse(): Promise<boolean> {
    const wasOpen = await this.#opening.close()
    const error = new PoolClosedError(this.endpoint.id)
    this.#gate.refuseAll(error)
    this.#fallback.refuseAll(error)
    this.#supply.abandon(error)
    // Who is given an idle connection hears of it in his next turn; a driver's pool that has ended
    // does not tell him any more.
    await new Promise((resolve) => setImmediate(resolve))
    return wasOpen
  }

  /** A server that does not answer the goodbye is left without one. */
  async #stop(): Promise<void> {
    const stopping = this.#connector.stop()
    if (await settlesIn(stopping, goodbyeMs)) return stopping
    stopping.catch(() => undefined)
    this.#connector.abort()
  }
}

import { AcquireTimeoutError, ConnectError, PoolClosedError, type PoolNumbers } from '../errors.js'
import type { Endpoint } from '../topology/snapshot.js'
import { pause } from './backoff.js'
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
import { holdersOf, settlesIn, takeBack } from './leases.js'
import type { ProcessLimit } from './process-limit.js'
import { Recovery } from './recovery.js'
import { Trust, type TrustSettings } from './trust.js'
import { verify } from './verify.js'

/** `idle`: nothing opened yet. */
export type PoolState = 'idle' | 'opening' | 'open' | 'closed'

/** Settings and surroundings of a pool. Times in milliseconds. */
export interface PoolSettings extends TrustSettings {
  /** How long a checkout waits for a connection at most; 0 waits for ever. */
  readonly acquireTimeoutMs: number
  /** How many connections reads may take in the place of replicas; undefined is half. */
  readonly fallbackLimit: number | undefined
  /** Whether connections are closed when they are given back. */
  readonly isThrowaway: boolean
  /** Keeps the connections of the process below a limit, where there is one. */
  readonly limit: ProcessLimit | undefined
  /** Is told when the server could not be reached, or was lost. */
  readonly unreachable: (endpoint: Endpoint, why: string) => void
}

/** One request for a connection. */
export interface Checkout<T> {
  /** The servers among which this one was chosen. */
  readonly candidates: readonly Endpoint[]
  readonly asker: Asker
  /** Whether a primary serves in the place of replicas. */
  readonly isFallback: boolean
  /** Is given the lease and makes the result; what it throws releases the lease. */
  use(lease: Lease): T
  /** What is done where the server cannot be reached, or was replaced. */
  otherwise(error: Error): Promise<T>
}

/** How long a server has to answer a goodbye, in milliseconds. */
const goodbyeMs = 1000

/** One server's connections: opened at first use, lent one at a time, closed together. */
export class EndpointPool implements LeaseKeeper {
  readonly endpoint: Endpoint
  readonly #connector: Connector
  readonly #settings: PoolSettings
  readonly #trust: Trust
  readonly #recovery: Recovery
  readonly #gate: Gate
  readonly #fallback: Gate
  readonly #leases = new Set<Lease>()
  /** Frees those for whom a connection is being made. */
  readonly #connecting = new Set<(error: Error) => void>()
  #state: PoolState = 'idle'
  #opening: Promise<void> | undefined
  /** Lets those who wait for the opening go, which goes on by itself. */
  #abandonOpening: ((error: Error) => void) | undefined
  /** While it waits for its last leases. */
  #retiring: Promise<void> | undefined
  /** How often it was closed: a connection asked for before a close is not lent after it. */
  #closings = 0
  /** Leases of connections that are not the driver's pool's: those of scopes, and throw-away ones. */
  #single = 0
  /** Connections of the driver's pool that are asked for or verified, and not lent yet. */
  #onTheWay = 0
  /** When a connection was last lent or given back. */
  lastUsedAt = 0

  constructor(endpoint: Endpoint, connector: Connector, settings: PoolSettings) {
    this.endpoint = endpoint
    this.#connector = connector
    this.#settings = settings
    this.#trust = new Trust(endpoint, settings)
    this.#recovery = new Recovery(settings)
    this.#gate = new Gate(connector.max, settings.now)
    this.#fallback = new Gate(settings.fallbackLimit ?? Math.ceil(connector.max / 2), settings.now)
  }

  get state(): PoolState {
    return this.#state
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
    const lent = this.#leases.size - this.#single
    return Math.max(0, this.#connector.open - lent - this.#onTheWay)
  }

  /**
   * Opens the driver's pool if it is not; callers at the same time share one attempt, and a failed
   * attempt is tried again by the next caller. A closed pool opens anew.
   *
   * @param keepsFirst - whether the connection that tried the server stays in the pool
   * @throws ConnectError if the server cannot be connected
   */
  start(keepsFirst = true): Promise<void> {
    if (this.#state === 'open') return Promise.resolve()
    this.#opening ??= new Promise<void>((resolve, reject) => {
      this.#abandonOpening = reject
      this.#openOnce(keepsFirst && !this.#settings.isThrowaway).then(resolve, reject)
    }).finally(() => {
      this.#opening = undefined
      this.#abandonOpening = undefined
    })
    return this.#opening
  }

  async #openOnce(keepsFirst: boolean): Promise<void> {
    const closings = this.#closings
    this.#state = 'opening'
    let isStarted = false
    try {
      const { limit } = this.#settings
      const start = (): Promise<void> => this.#connector.start()
      await (limit === undefined ? start() : limit.claim(this, start))
      isStarted = true
      if (!keepsFirst) (await this.#connector.acquire()).close()
    } catch (error) {
      if (closings === this.#closings) this.#state = 'idle'
      if (isStarted) await this.#stop().catch(() => undefined)
      throw this.#connectingFailed(error, closings)
    }
    if (closings !== this.#closings) {
      await this.#stop()
      throw new PoolClosedError(this.endpoint.id)
    }
    this.#state = 'open'
    this.#recovery.succeeded()
  }

  /** Takes over a driver's pool that somebody else has opened. */
  adopt(): void {
    this.#state = 'open'
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
    return this.#state === 'open' && isPlain && this.#gate.tryEnter()
      ? this.#take(request, 0)
      : this.#wait(request)
  }

  async #wait<T>(request: Checkout<T>): Promise<T> {
    const closings = this.#closings
    const { now } = this.#settings
    const started = now()
    let isInFallback = false
    try {
      if (this.#state !== 'open') await this.start(request.asker.connectionScope === undefined)
      else if (this.#recovery.isDue) await this.#recovery.wait(() => this.probe())
      if (closings !== this.#closings) throw new PoolClosedError(this.endpoint.id)
      if (request.isFallback) await this.#enter(this.#fallback, request.asker, started)
      isInFallback = request.isFallback
      await this.#enter(this.#gate, request.asker, started)
    } catch (error) {
      if (isInFallback) this.#fallback.leave()
      return this.#orElse(request, error)
    }
    if (closings === this.#closings) return this.#take(request, now() - started)
    this.#leave(request.isFallback)
    return this.#orElse(request, new PoolClosedError(this.endpoint.id))
  }

  #enter(gate: Gate, { owner }: Asker, started: number): Promise<number> {
    const { acquireTimeoutMs, now } = this.#settings
    const left = acquireTimeoutMs === 0 ? 0 : Math.max(1, acquireTimeoutMs - (now() - started))
    return gate.enter(left, () => {
      const waitedMs = Math.round(now() - started)
      const holders = holdersOf(this.#leases, owner, now())
      return new AcquireTimeoutError(this.endpoint.id, waitedMs, this.numbers, holders)
    })
  }

  #take<T>(request: Checkout<T>, waitedMs: number): Promise<T> {
    const closings = this.#closings
    return this.#acquire(request.asker).then(
      (connection) => {
        if (closings !== this.#closings) return this.#tooLate(request, connection) as T
        const check = this.#trust.check(connection, request.asker.isRetry)
        return check === 'none'
          ? this.#lend(request, connection, waitedMs, false)
          : (this.#lendVerified(request, connection, waitedMs) as T)
      },
      (error: unknown) => {
        this.#arrived(request.asker)
        this.#leave(request.isFallback)
        return this.#orElse(request, this.#connectingFailed(error, closings)) as T
      },
    )
  }

  #tooLate<T>(request: Checkout<T>, connection: PhysicalConnection): Promise<T> {
    this.#arrived(request.asker)
    connection.close()
    this.#leave(request.isFallback)
    return this.#orElse(request, new PoolClosedError(this.endpoint.id))
  }

  #acquire(asker: Asker): Promise<PhysicalConnection> {
    const { limit } = this.#settings
    if (limit === undefined || this.#hasOpen(asker)) return this.#acquireNow(asker)
    let isAsked = false
    const claimed = limit.claim(this, () => {
      isAsked = true
      return this.#acquireNow(asker)
    })
    return claimed.catch((error: unknown) => {
      // Who gets none notes that it arrived, as after `#acquireNow`.
      if (!isAsked && !this.#isSingle(asker)) this.#onTheWay += 1
      throw error
    })
  }

  #hasOpen({ connectionScope }: Asker): boolean {
    if (connectionScope !== undefined) return connectionScope.keeps(this)
    return !this.#settings.isThrowaway && this.idle > 0
  }

  #isSingle({ connectionScope }: Asker): boolean {
    return connectionScope !== undefined || this.#settings.isThrowaway
  }

  /** Notes that what `#acquire` was asked for is lent, closed, or does not come. */
  #arrived(asker: Asker): void {
    if (!this.#isSingle(asker)) this.#onTheWay -= 1
  }

  #acquireNow({ connectionScope }: Asker): Promise<PhysicalConnection> {
    if (connectionScope !== undefined)
      return this.#untilClosed(connectionScope.acquire(this, this.#connector))
    if (this.#settings.isThrowaway) return this.#untilClosed(this.#connector.connect())
    const isAtHand = this.idle > 0
    this.#onTheWay += 1
    const acquiring = this.#connector.acquire()
    return isAtHand ? acquiring : this.#untilClosed(acquiring)
  }

  /** Frees who waits for a connection that is being made when the pool is closed. */
  #untilClosed(connecting: Promise<PhysicalConnection>): Promise<PhysicalConnection> {
    return new Promise((resolve, reject) => {
      this.#connecting.add(reject)
      connecting.then(
        (connection) => {
          if (this.#connecting.delete(reject)) resolve(connection)
          else connection.close()
        },
        (error: Error) => {
          this.#connecting.delete(reject)
          reject(error)
        },
      )
    })
  }

  #lend<T>(
    request: Checkout<T>,
    connection: PhysicalConnection,
    waitedMs: number,
    verified: boolean,
  ): T {
    this.#trust.accept(connection)
    const { candidates, asker, isFallback } = request
    this.#arrived(asker)
    const lease = new Lease(this.endpoint, candidates, waitedMs, verified, connection, this)
    lease.since = this.lastUsedAt = this.#settings.now()
    lease.owner = asker.owner
    lease.isFallback = isFallback
    lease.takenAt = asker.callSite
    lease.scope = asker.connectionScope
    this.#leases.add(lease)
    if (this.#isSingle(asker)) this.#single += 1
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
    const closings = this.#closings
    const deadline = acquireTimeoutMs === 0 ? Infinity : now() + acquireTimeoutMs - waitedMs
    let connection = first
    for (let tries = 0; ;) {
      const check = this.#trust.check(connection, request.asker.isRetry)
      const fault = await this.#trust.fault(connection, check)
      if (closings !== this.#closings) return this.#tooLate(request, connection)
      if (fault === undefined) return this.#lend(request, connection, waitedMs, check !== 'none')
      this.#arrived(request.asker)
      connection.close()
      const isReplica = this.endpoint.role === 'replica'
      // Connecting a silent server anew could take long, and a sibling need not be silent.
      const isLeft = isReplica && fault.isMute && request.candidates.length > 1
      if (isLeft) void this.#dropDoubted()
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
        connection = await this.#acquire(request.asker)
        // A silent one was waited for; a pool full of them must not be, one after the other.
        while (fault.isMute && this.#trust.isDoubted(connection)) {
          this.#arrived(request.asker)
          connection.close()
          connection = await this.#acquire(request.asker)
        }
      } catch (error) {
        this.#arrived(request.asker)
        this.#leave(request.isFallback)
        return this.#orElse(request, this.#connectingFailed(error, closings))
      }
    }
  }

  /** Closes the idle connections that are as old as one that was silent, unheard. */
  async #dropDoubted(): Promise<void> {
    while (this.idle > 0 && this.#state === 'open') {
      this.#onTheWay += 1
      try {
        const connection = await this.#connector.acquire()
        if (!this.#trust.isDoubted(connection)) return connection.giveBack()
        connection.close()
      } catch {
        return // the server says nothing new
      } finally {
        this.#onTheWay -= 1
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
    if (closings !== this.#closings) return new PoolClosedError(this.endpoint.id)
    if (error instanceof Error && (error as { stage?: unknown }).stage === 'acquire') return error
    const failure = connectErrorOf(this.endpoint, error)
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
   * Tries whether the server can be used, by a connection outside the pool.
   *
   * @throws ConnectError if it cannot
   * @throws PoolClosedError if the pool was closed
   */
  async probe(): Promise<void> {
    // Who waited for the try is sent to the pool in its place.
    if (this.#state === 'closed') throw new PoolClosedError(this.endpoint.id)
    if (this.#state !== 'open') return this.start()
    const closings = this.#closings
    let connection: PhysicalConnection | undefined
    try {
      connection = await this.#connector.connect()
      const verdict = await verify(connection, this.endpoint, 'full', this.#settings.verify)
      if (verdict.is === 'silent') throw verdict.error
      // A primary in the wrong role is for its callers to wait for; they verify.
      if (verdict.is === 'wrong' && this.endpoint.role === 'replica')
        throw new ConnectError(
          this.endpoint.id,
          'wrong-role',
          `verifier ${verdict.verifier} refused the server.`,
        )
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
    if (scope !== undefined || this.#settings.isThrowaway) this.#single -= 1
    const isOver = lease.isSpoilt || error !== undefined || this.#state !== 'open'
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
    if (this.#state !== 'open') return 0
    const closings = this.#closings
    const taken: PhysicalConnection[] = []
    let bad = 0
    try {
      for (let left = this.idle; left > 0 && this.#gate.tryEnter(); left -= 1) {
        this.#onTheWay += 1
        const acquired = this.#connector.acquire()
        taken.push(
          await acquired.catch((error: unknown) => {
            this.#onTheWay -= 1
            this.#gate.leave()
            throw this.#connectingFailed(error, closings)
          }),
        )
      }
      await Promise.all(
        taken.map(async (connection) => {
          const verdict = await verify(connection, this.endpoint, 'full', this.#settings.verify)
          if (verdict.is === 'good') return this.#trust.accept(connection)
          bad += 1
          connection.close()
        }),
      )
    } finally {
      for (const connection of taken) {
        connection.giveBack()
        this.#onTheWay -= 1
        this.#gate.leave()
      }
      this.#settings.limit?.notify()
    }
    if (bad > 0) await this.probe()
    return bad
  }

  /** Closes one connection that is not lent; says whether there was one. */
  async shed(): Promise<boolean> {
    if (this.#state !== 'open' || this.idle === 0) return false
    this.#onTheWay += 1
    try {
      const connection = await this.#connector.acquire()
      connection.close()
      await connection.closed()
      return true
    } catch {
      return false
    } finally {
      this.#onTheWay -= 1
    }
  }

  /**
   * Refuses who waits, lets running statements end, takes back what is lent and closes the driver's
   * pool. Idempotent.
   *
   * @param drainMs - milliseconds that running statements have at most
   */
  async close(drainMs: number): Promise<void> {
    const isOpening = this.#opening !== undefined
    this.#abandonOpening?.(new PoolClosedError(this.endpoint.id))
    if (isOpening) this.#connector.abort()
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
    this.#abandonOpening?.(new PoolClosedError(this.endpoint.id))
    if (await this.#refuse()) {
      await Promise.all([...this.#leases].map((lease) => lease.returned()))
      await this.#stop()
    }
  }

  /** Lends nothing from now on; says whether there is anything to close. */
  async #refuse(): Promise<boolean> {
    this.#closings += 1
    if (this.#opening !== undefined) await this.#opening.catch(() => undefined)
    const wasOpen = this.#state === 'open'
    this.#state = 'closed'
    const error = new PoolClosedError(this.endpoint.id)
    this.#gate.refuseAll(error)
    this.#fallback.refuseAll(error)
    for (const abandon of this.#connecting) abandon(error)
    this.#connecting.clear()
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

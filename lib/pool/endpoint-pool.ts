import { AcquireTimeoutError, PoolClosedError, type PoolNumbers } from '../errors.js'
import type { Endpoint } from '../topology/snapshot.js'
import type { Checkout, PoolSettings } from './checkout.js'
import { connectErrorOf, isUnreachable, reasonOf } from './connect-failure.js'
import { inspect, shed } from './idle-connections.js'
import { PoolJournal } from './journal.js'
import type { Connector, PhysicalConnection } from './lease.js'
import { settlesIn, takeBack } from './leases.js'
import { Lending, type LendingPool } from './lending.js'
import { Opening, type PoolState } from './opening.js'
import { Recovery } from './recovery.js'
import { Supply } from './supply.js'
import { Trust } from './trust.js'

/** How long a server has to answer a goodbye, in milliseconds. */
const goodbyeMs = 1000

/** One server's connections: opened at first use, lent one at a time, closed together. */
export class EndpointPool implements LendingPool {
  readonly endpoint: Endpoint
  readonly #connector: Connector
  readonly #settings: PoolSettings
  readonly #journal: PoolJournal
  readonly #trust: Trust
  readonly #recovery: Recovery
  readonly #supply: Supply
  readonly #lending: Lending
  readonly #opening = new Opening({
    open: (keepsFirst) => this.#open(keepsFirst),
    stop: () => this.#stop(),
    failed: (error, closings) => this.connectingFailed(error, closings),
  })
  /** While it waits for its last leases. */
  #retiring: Promise<void> | undefined

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
    this.#lending = new Lending(this, settings, {
      supply: this.#supply,
      trust: this.#trust,
      recovery: this.#recovery,
      journal,
      max: connector.max,
    })
  }

  get state(): PoolState {
    return this.#opening.state
  }

  get closings(): number {
    return this.#opening.closings
  }

  /** When a connection was last lent or given back. */
  get lastUsedAt(): number {
    return this.#lending.lastUsedAt
  }

  get numbers(): PoolNumbers {
    const { leases, waiting } = this.#lending
    return { max: this.#connector.max, active: leases.size, idle: this.idle, waiting }
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
    return this.#lending.checkout(request)
  }

  /**
   * The error for a caller who got no connection; notes it where the server was not reached.
   *
   * @param closings - how often the pool had been closed when he asked
   */
  connectingFailed(error: unknown, closings: number): Error {
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
      throw this.connectingFailed(error, closings)
    } finally {
      connection?.close()
    }
    this.#recovery.succeeded()
  }

  /**
   * Opens a connection that is no part of the pool, and does not take a place in it. Whoever asks
   * closes it.
   *
   * @throws ConnectError if the server cannot be connected
   * @throws PoolClosedError if the pool was closed
   */
  async connectBeside(): Promise<PhysicalConnection> {
    if (this.state !== 'open') await this.start()
    const { closings } = this.#opening
    const { limit } = this.#settings
    const connect = (): Promise<PhysicalConnection> => this.#timed(() => this.#connector.connect())
    try {
      if (limit === undefined) return await connect()
      const connection = await limit.claim(this, connect)
      void connection.closed().then(() => limit.notify())
      return connection
    } catch (error) {
      throw this.connectingFailed(error, closings)
    }
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
      bad = await inspect(this.#supply, this.#lending.gate, async (connection) => {
        const isGood = await this.#trust.isGood(connection)
        if (isGood) this.#trust.accept(connection)
        return isGood
      })
    } catch (error) {
      throw this.connectingFailed(error, closings)
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
      await takeBack(this.#lending.leases, drainMs)
      await this.#stop()
    } else if (this.#retiring !== undefined) {
      await takeBack(this.#lending.leases, drainMs)
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
      await Promise.all([...this.#lending.leases].map((lease) => lease.returned()))
      await this.#stop()
    }
  }

  /** Lends nothing from now on; says whether there is anything to close. */
  async #refuse(): Promise<boolean> {
    const wasOpen = await this.#opening.close()
    const error = new PoolClosedError(this.endpoint.id)
    this.#lending.refuseAll(error)
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

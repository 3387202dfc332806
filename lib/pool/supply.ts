import type { PoolJournal } from './journal.js'
import type { Asker, Connector, PhysicalConnection } from './lease.js'
import type { LimitedPool, ProcessLimit } from './process-limit.js'

/** Where a pool's connections come from. */
export interface SupplySettings {
  /** Whether connections are closed when they are given back. */
  readonly isThrowaway: boolean
  /** Keeps the connections of the process below a limit, where there is one. */
  readonly limit: ProcessLimit | undefined
  /** Monotonic clock, in milliseconds. */
  readonly now: () => number
}

/**
 * Gets the connections that a pool lends, from the driver's pool, from the scope that owns them or one
 * by one, and counts those that are not idle.
 */
export class Supply {
  readonly #pool: LimitedPool
  readonly #connector: Connector
  readonly #settings: SupplySettings
  readonly #journal: PoolJournal
  /** Frees those for whom a connection is being made. */
  readonly #connecting = new Set<(error: Error) => void>()
  /** Connections of the driver's pool that are lent. */
  #lent = 0
  /** Connections of the driver's pool that are asked for or verified, and not lent yet. */
  #onTheWay = 0

  /** @param pool - for which it gets them */
  constructor(
    pool: LimitedPool,
    connector: Connector,
    settings: SupplySettings,
    journal: PoolJournal,
  ) {
    this.#pool = pool
    this.#connector = connector
    this.#settings = settings
    this.#journal = journal
  }

  /** The connections of the driver's pool that are open and not used. */
  get idle(): number {
    return Math.max(0, this.#connector.open - this.#lent - this.#onTheWay)
  }

  /** Gets one for who asks. He says then that it is lent, or that it is not. */
  acquire(asker: Asker): Promise<PhysicalConnection> {
    const { limit } = this.#settings
    if (limit === undefined || this.#hasOpen(asker)) return this.#acquireNow(asker)
    let isAsked = false
    const claimed = limit.claim(this.#pool, () => {
      isAsked = true
      return this.#acquireNow(asker)
    })
    return claimed.catch((error: unknown) => {
      // Who gets none says that it is not lent, as after `#acquireNow`.
      if (!isAsked && !this.isSingle(asker)) this.#onTheWay += 1
      throw error
    })
  }

  #hasOpen({ connectionScope }: Asker): boolean {
    if (connectionScope !== undefined) return connectionScope.keeps(this.#pool)
    return !this.#settings.isThrowaway && this.idle > 0
  }

  /** Whether his connections are not the driver's pool's. */
  isSingle({ connectionScope }: Pick<Asker, 'connectionScope'>): boolean {
    return connectionScope !== undefined || this.#settings.isThrowaway
  }

  #acquireNow({ connectionScope }: Asker): Promise<PhysicalConnection> {
    if (connectionScope !== undefined)
      return this.#untilAbandoned(connectionScope.acquire(this.#pool, this.#connector))
    if (this.#settings.isThrowaway) return this.#untilAbandoned(this.#connector.connect())
    const isAtHand = this.idle > 0
    this.#onTheWay += 1
    const acquiring = this.#connector.acquire()
    return isAtHand ? acquiring : this.#untilAbandoned(acquiring)
  }

  #untilAbandoned(connecting: Promise<PhysicalConnection>): Promise<PhysicalConnection> {
    const { now } = this.#settings
    const started = now()
    return new Promise((resolve, reject) => {
      this.#connecting.add(reject)
      connecting.then(
        (connection) => {
          if (connection.epoch === undefined) this.#journal.connected(now() - started)
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

  /** Frees who waits for a connection that is being made; it is closed when it is there. */
  abandon(error: Error): void {
    for (const free of this.#connecting) free(error)
    this.#connecting.clear()
  }

  /** Notes that what was asked for is lent. */
  lent(asker: Asker): void {
    if (this.isSingle(asker)) return
    this.#onTheWay -= 1
    this.#lent += 1
  }

  /** Notes that what was asked for is closed, or does not come. */
  notLent(asker: Asker): void {
    if (!this.isSingle(asker)) this.#onTheWay -= 1
  }

  /** Notes that what was lent is back. */
  returned(isSingle: boolean): void {
    if (!isSingle) this.#lent -= 1
  }

  /**
   * Does something with an idle connection of the driver's pool, for the pool's own sake.
   *
   * @param use - gives it back, or closes it
   */
  async borrow<T>(use: (connection: PhysicalConnection) => T | Promise<T>): Promise<T> {
    this.#onTheWay += 1
    try {
      return await use(await this.#connector.acquire())
    } finally {
      this.#onTheWay -= 1
    }
  }
}

import { ScopeEndedError } from '../errors.js'
import type { Endpoint } from '../topology/snapshot.js'
import type { ConnectionOwner, Connector, Lease, PhysicalConnection } from './lease.js'
import { settlesIn } from './leases.js'

/** What becomes of work that asks for a connection after its scope has ended: it is refused, or has one
 *  for a statement or a transaction. */
export type LateWork = 'refuse' | 'connect'

/** How a throw-away scope ends. */
export interface ConnectionScopeOptions {
  readonly late: LateWork
  /** Milliseconds that running statements have at most. */
  readonly drainMs: number
  readonly warn: (message: string) => void
  /** Is told the scope's end. */
  readonly ended: (scope: ConnectionScope) => void
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Owns the connections that are opened for one scope: by its work, by what that runs in parallel, and
 * by what it does not wait for. Closes just those at its end.
 */
export class ConnectionScope implements ConnectionOwner {
  readonly #options: ConnectionScopeOptions
  readonly #kept = new Map<object, PhysicalConnection[]>()
  readonly #leases = new Set<Lease>()
  readonly #pending = new Set<Promise<unknown>>()
  #hasEnded = false

  constructor(options: ConnectionScopeOptions) {
    this.#options = options
  }

  get #refuses(): boolean {
    return this.#hasEnded && this.#options.late === 'refuse'
  }

  admit({ endpoint }: { readonly endpoint: Endpoint }): void {
    if (this.#refuses) throw new ScopeEndedError(endpoint.id)
  }

  async acquire(
    pool: { readonly endpoint: Endpoint },
    connector: Connector,
  ): Promise<PhysicalConnection> {
    this.admit(pool)
    const kept = this.#kept.get(pool)?.pop()
    if (kept !== undefined) return kept
    const connection = await connector.connect()
    if (!this.#refuses) return connection
    connection.close()
    throw new ScopeEndedError(pool.endpoint.id)
  }

  during<T>(work: Promise<T>): Promise<T> {
    const settled = work
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => this.#pending.delete(settled))
    this.#pending.add(settled)
    return work
  }

  keeps(pool: object): boolean {
    return (this.#kept.get(pool)?.length ?? 0) > 0
  }

  keep(pool: object, connection: PhysicalConnection): void {
    if (this.#hasEnded) return connection.close()
    const kept = this.#kept.get(pool)
    if (kept === undefined) this.#kept.set(pool, [connection])
    else kept.push(connection)
  }

  lent(lease: Lease): void {
    // It can have ended while the connection was verified.
    this.admit(lease)
    this.#leases.add(lease)
  }

  returned(lease: Lease): void {
    this.#leases.delete(lease)
  }

  /** Lets what still runs come to its end, rolls back what is open, and closes every connection. */
  async end(): Promise<void> {
    await settlesIn(this.#quiet(), this.#options.drainMs)
    this.#hasEnded = true
    // Together: a server that does not answer has its time, and the others do not wait for it.
    await Promise.all([...this.#leases].map((lease) => this.#cut(lease)))
    for (const connections of this.#kept.values())
      for (const connection of connections) connection.close()
    this.#kept.clear()
    this.#options.ended(this)
  }

  /** Closes one connection that it keeps; says whether there was one. */
  async shed(): Promise<boolean> {
    for (const connections of this.#kept.values()) {
      const connection = connections.pop()
      if (connection === undefined) continue
      connection.close()
      await connection.closed()
      return true
    }
    return false
  }

  /** Settles once nothing is on its way: un-awaited work has its turns to ask for connections. */
  async #quiet(): Promise<void> {
    for (let calm = 0; calm < 2 && !this.#hasEnded; calm += 1) {
      const running = [...this.#leases].filter(({ isRunning }) => isRunning)
      if (running.length + this.#pending.size > 0) calm = 0
      await Promise.all([...this.#pending, ...running.map((lease) => lease.rested())])
      await turn()
    }
  }

  async #cut(lease: Lease): Promise<void> {
    const { holder, endpoint } = lease
    if (holder?.isTransactionActive === true) {
      this.#options.warn(
        `${endpoint.id}: a transaction was open when its throw-away scope ended; it is rolled back.`,
      )
      if (!lease.isRunning) await settlesIn(lease.physical.query('ROLLBACK'), this.#options.drainMs)
    }
    lease.abort()
    void holder?.release()
    lease.release(new ScopeEndedError(endpoint.id))
  }
}

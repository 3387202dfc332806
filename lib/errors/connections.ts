import { OctopusError } from './base.js'

/** The numbers of a pool at one moment. */
export interface PoolNumbers {
  /** The most connections it may have. */
  readonly max: number
  /** Connections in use now. */
  readonly active: number
  /** Connections that are open and not in use. */
  readonly idle: number
  /** Callers waiting for one. */
  readonly waiting: number
}

/** Who holds the connections that a caller waited for in vain. */
export interface PoolHolders {
  /** For how many milliseconds the connection that was lent first has been in use. */
  readonly oldestLeaseMs: number | undefined
  /** How many of the connections the caller's own scope holds. */
  readonly heldByScope: number
  /** Where the connection that was lent first was taken: a stack, with `checkoutCallSites`. */
  readonly takenAt: string | undefined
}

const holdersText = ({ oldestLeaseMs, heldByScope, takenAt }: PoolHolders): string =>
  [
    oldestLeaseMs === undefined ? '' : ` The oldest has been in use for ${oldestLeaseMs} ms`,
    oldestLeaseMs === undefined ? '' : takenAt === undefined ? '.' : `, taken at:\n${takenAt}\n`,
    heldByScope > 0
      ? ` The scope that waits holds ${heldByScope} itself: a transaction whose callback queries beside its own manager needs two connections at a time.`
      : '',
  ].join('')

/** No connection became free in time. */
export class AcquireTimeoutError extends OctopusError {
  readonly endpoint: string
  readonly pool: PoolNumbers
  readonly holders: PoolHolders

  constructor(endpoint: string, waitedMs: number, pool: PoolNumbers, holders: PoolHolders) {
    super(
      'acquire-timeout',
      'acquire',
      `${endpoint}: no connection after ${waitedMs} ms (max ${pool.max}, active ${pool.active}, idle ${pool.idle}, waiting ${pool.waiting}).${holdersText(holders)} Raise poolSize, or look for query runners and transactions that are held across slow work.`,
    )
    this.endpoint = endpoint
    this.pool = pool
    this.holders = holders
  }
}

/** A connection was asked of a data source before `initialize()` or after `destroy()`. */
export class PoolClosedError extends OctopusError {
  readonly endpoint: string

  constructor(endpoint: string) {
    super(
      'pool-closed',
      'acquire',
      `${endpoint}: the data source is not initialized, or was destroyed; call initialize() before using it.`,
    )
    this.endpoint = endpoint
  }
}

/** Work asked for a connection after the throw-away scope that it was started in had ended. */
export class ScopeEndedError extends OctopusError {
  readonly endpoint: string

  constructor(endpoint: string) {
    super(
      'scope-ended',
      'acquire',
      `${endpoint}: the scope that owns the connections of this work has ended. Await the work inside scope(work, { connections: 'throwaway' }), or start it outside.`,
    )
    this.endpoint = endpoint
  }
}

/** Why a server cannot be used. */
export const connectFailures = [
  'unknown-database',
  'access-denied',
  'host-unreachable',
  'dns',
  'too-many-connections',
  'tls',
  'wrong-role',
  'version-mismatch',
  'other',
] as const
export type ConnectFailure = (typeof connectFailures)[number]

/** What drivers put on their errors, and callers look for. */
const driverFields = [
  'code',
  'errno',
  'sqlState',
  'sqlMessage',
  'fatal',
  'syscall',
  'address',
  'port',
]

/**
 * A server could not be connected, or cannot be used. `cause` is the driver's error, if there is one;
 * its `code`, `errno` and further fields stand here too, as TypeORM does it, so `code` is then the
 * driver's, such as `ECONNREFUSED`.
 */
export class ConnectError extends OctopusError {
  readonly endpoint: string
  readonly failure: ConnectFailure

  constructor(endpoint: string, failure: ConnectFailure, message: string, options?: ErrorOptions) {
    super('connect', 'connect', `${endpoint}: ${message}`, options)
    this.endpoint = endpoint
    this.failure = failure
    const { cause } = options ?? {}
    if (typeof cause !== 'object' || cause === null) return
    for (const field of driverFields)
      if (Reflect.get(cause, field) !== undefined)
        Object.assign(this, { [field]: Reflect.get(cause, field) as unknown })
  }
}

/** A statement took longer than `queryTimeoutMs`. Its connection was closed; whether the server has
 *  carried it out is not known. */
export class QueryTimeoutError extends OctopusError {
  readonly endpoint: string

  constructor(endpoint: string, timeoutMs: number) {
    super(
      'query-timeout',
      'query',
      `${endpoint}: no answer after ${timeoutMs} ms (queryTimeoutMs); the connection was closed.`,
    )
    this.endpoint = endpoint
  }
}

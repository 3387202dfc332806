/** Where in a statement's life an error arose: before, at or after connecting. */
export type ErrorStage = 'configure' | 'route' | 'acquire' | 'connect' | 'query'

/** Every stable error code of the library; `docs/errors.md` has an entry for each. */
export const errorCodes = [
  'invalid-config',
  'unknown-shard',
  'unknown-group',
  'unknown-replica-group',
  'unknown-node',
  'invalid-scope',
  'writes-token',
  'no-data-source',
  'already-wrapped',
  'carrier-conflict',
  'invalid-decorator',
  'no-replica',
  'read-only-scope',
  'cross-shard',
  'engine-mismatch',
  'destructive-schema',
  'fan-out',
  'acquire-timeout',
  'pool-closed',
  'scope-ended',
  'connect',
  'query-timeout',
] as const

export type ErrorCode = (typeof errorCodes)[number]

const brand = Symbol.for('typeorm-octopus.error')

/**
 * Base of every error the library makes itself. A database's own error is never wrapped: it passes
 * through as TypeORM or the driver threw it.
 *
 * `instanceof` compares by name through a registered symbol, so it holds across two copies of the
 * package in one process.
 */
export class OctopusError extends Error {
  /** One of `errorCodes`; that of the driver on a `ConnectError` that has one. */
  readonly code: string
  readonly stage: ErrorStage

  constructor(code: ErrorCode, stage: ErrorStage, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.stage = stage
    this.name = new.target.name
  }

  /** The names of the error's classes, from its own to the base. */
  get [brand](): string[] {
    const names: string[] = []
    for (
      let proto: object = Object.getPrototypeOf(this);
      proto !== Error.prototype;
      proto = Object.getPrototypeOf(proto)
    )
      names.push(proto.constructor.name)
    return names
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null || !(brand in value)) return false
    const names = value[brand]
    return Array.isArray(names) && names.includes(this.name)
  }
}

/** Formats a list of names for a message: `brazil, canada`, or `none`. */
const listed = (names: readonly string[]): string => (names.length > 0 ? names.join(', ') : 'none')

/** One thing that is wrong in a configuration. */
export interface ConfigProblem {
  /** Where it stands, such as `shards.brazil.replicas[0].host`. */
  readonly path: string
  /** What is wrong, and what to do about it. */
  readonly message: string
}

/** The configuration is wrong. Carries every problem found, not only the first. */
export class ConfigError extends OctopusError {
  readonly problems: readonly ConfigProblem[]
  /** The file that was read, if the configuration came from one. */
  readonly file: string | undefined

  constructor(problems: readonly ConfigProblem[], options: ErrorOptions & { file?: string } = {}) {
    const where = options.file === undefined ? 'octopus options' : options.file
    const lines = problems.map(({ path, message }) =>
      path === '' ? `  - ${message}` : `  - ${path}: ${message}`,
    )
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    super('invalid-config', 'configure', [`${where}: ${count}`, ...lines].join('\n'), options)
    this.problems = problems
    this.file = options.file
  }
}

/** A shard was named that the topology does not have. */
export class UnknownShardError extends OctopusError {
  readonly shard: string
  readonly known: readonly string[]

  constructor(shard: string, known: readonly string[], hint = '') {
    super(
      'unknown-shard',
      'route',
      `Unknown shard "${shard}"; configured shards: ${listed(known)}.${hint}`,
    )
    this.shard = shard
    this.known = known
  }
}

/** A shard group was named that the topology does not have. */
export class UnknownGroupError extends OctopusError {
  readonly group: string
  readonly known: readonly string[]

  constructor(group: string, known: readonly string[]) {
    super(
      'unknown-group',
      'route',
      `Unknown shard group "${group}"; configured groups: ${listed(known)}.`,
    )
    this.group = group
    this.known = known
  }
}

/** A replica group was asked for on a shard that does not have it. */
export class UnknownReplicaGroupError extends OctopusError {
  readonly shard: string
  readonly replicaGroup: string
  readonly known: readonly string[]

  constructor(shard: string, replicaGroup: string, known: readonly string[]) {
    super(
      'unknown-replica-group',
      'route',
      `Shard "${shard}" has no replica group "${replicaGroup}"; its replica groups: ${listed(known)}.`,
    )
    this.shard = shard
    this.replicaGroup = replicaGroup
    this.known = known
  }
}

/** A server was named that a shard does not have. */
export class UnknownNodeError extends OctopusError {
  readonly shard: string
  readonly node: string
  readonly known: readonly string[]

  /** @param kind - what was looked for: a server of the shard, or one of its replicas */
  constructor(shard: string, node: string, kind: 'node' | 'replica', known: readonly string[]) {
    super(
      'unknown-node',
      'configure',
      `Shard "${shard}" has no ${kind} "${node}"; its ${kind}s: ${listed(known)}.`,
    )
    this.shard = shard
    this.node = node
    this.known = known
  }
}

/** A scope was opened with arguments that cannot mean anything. */
export class InvalidScopeError extends OctopusError {
  constructor(message: string) {
    super('invalid-scope', 'route', message)
  }
}

const tokenRefusals = {
  expired: 'it has expired: what it tells of was written longer ago than readYourWrites.windowMs',
  forged:
    'it was not signed with a secret of readYourWrites.secret, or was changed or cut off since',
  foreign:
    'it was signed for another data source: by another readYourWrites.issuer, with shards that are not configured here, or by another version',
} as const

/** Why a token of `exportWrites()` was refused. */
export type WritesTokenFailure = keyof typeof tokenRefusals

/** A scope was given writes that it cannot trust. The work did not run. */
export class WritesTokenError extends OctopusError {
  readonly failure: WritesTokenFailure

  constructor(failure: WritesTokenFailure) {
    super(
      'writes-token',
      'route',
      `The writes token was refused, since ${tokenRefusals[failure]}. Open the scope without it, and its reads may be too old.`,
    )
    this.failure = failure
  }
}

/** A module-level function was called while there is not exactly one wrapped data source. */
export class NoDataSourceError extends OctopusError {
  readonly count: number

  constructor(call: string, count: number) {
    super(
      'no-data-source',
      'route',
      count === 0
        ? `${call} found no wrapped data source; call octopus(dataSource, …) first, or use the method of the data source that octopus() returned.`
        : `${call} found ${count} wrapped data sources and cannot choose; call the method of the one you mean: db.${call}.`,
    )
    this.count = count
  }
}

/** A data source was wrapped that is a wrapped one already. */
export class AlreadyWrappedError extends OctopusError {
  constructor(what: string) {
    super(
      'already-wrapped',
      'configure',
      `${what} is already wrapped by octopus(); use the ConnectionProxy that the first call returned.`,
    )
  }
}

/** A second, different carrier of the context was asked for in one process. */
export class CarrierConflictError extends OctopusError {
  constructor(active: string, wanted: string) {
    super(
      'carrier-conflict',
      'configure',
      `The routing context is already carried by ${active}; a process has one carrier, so ${wanted} cannot be used. Pass the same carrier to every octopus() call, before the first scope.`,
    )
  }
}

/** A decorator was put where it cannot work, or yielded something that is not a shard's name. */
export class InvalidDecoratorError extends OctopusError {
  constructor(message: string) {
    super('invalid-decorator', 'route', message)
  }
}

/** A replica was demanded and the shard has none to give. */
export class NoReplicaError extends OctopusError {
  readonly shard: string
  readonly replicaGroup: string | undefined

  constructor(shard: string, replicaGroup: string | undefined, options?: ErrorOptions) {
    const which = replicaGroup === undefined ? 'replica' : `replica in group "${replicaGroup}"`
    super(
      'no-replica',
      'route',
      `Shard "${shard}" has no available ${which} and onNoReplica is "error"; add a replica, or set onNoReplica: "primary".`,
      options,
    )
    this.shard = shard
    this.replicaGroup = replicaGroup
  }
}

/** A write, a lock or schema work was asked for inside `usingReplica`. Nothing was sent. */
export class ReadOnlyScopeError extends OctopusError {
  readonly shard: string
  readonly operation: string

  constructor(shard: string, operation: string) {
    super(
      'read-only-scope',
      'route',
      `${operation} inside usingReplica on shard "${shard}": a replica scope is read-only. Move it out of the scope, or wrap it in usingPrimary.`,
    )
    this.shard = shard
    this.operation = operation
  }
}

/** One operation touches two shards. Nothing was sent. */
export class CrossShardError extends OctopusError {
  readonly shards: readonly string[]

  constructor(what: string, shards: readonly string[], remedy: string) {
    const names = shards.map((shard) => `"${shard}"`).join(' and ')
    const noun = shards.length === 1 ? 'shard' : 'shards'
    super('cross-shard', 'route', `${what} (${noun} ${names}). ${remedy}`)
    this.shards = shards
  }
}

/** A query was built for one engine and run on a shard of another. */
export class EngineMismatchError extends OctopusError {
  constructor(builtFor: string, runOn: string) {
    super(
      'engine-mismatch',
      'route',
      `The query was built for ${builtFor} and cannot run on ${runOn}: their SQL and metadata differ. Build it inside the scope of the shard it is for, or on db.shard(name).`,
    )
  }
}

/** A schema was about to be dropped without saying of which shard. */
export class DestructiveSchemaError extends OctopusError {
  readonly operation: string
  readonly known: readonly string[]

  constructor(operation: string, known: readonly string[]) {
    super(
      'destructive-schema',
      'route',
      `${operation} drops data, and the data source has several shards: ${listed(known)}. Say which: using(shard, …), usingAll(…) or db.shard(shard).`,
    )
    this.operation = operation
    this.known = known
  }
}

/** Work over several shards failed on some of them. Thrown after all have settled. */
export class FanOutError extends OctopusError {
  /** What failed, by shard, in declaration order. */
  readonly failures: readonly { readonly shard: string; readonly error: unknown }[]
  /** The shards on which the work succeeded. */
  readonly succeeded: readonly string[]

  constructor(
    failures: readonly { readonly shard: string; readonly error: unknown }[],
    succeeded: readonly string[],
  ) {
    const lines = failures.map(
      ({ shard, error }) =>
        `  - ${shard}: ${error instanceof Error ? error.message : String(error)}`,
    )
    super(
      'fan-out',
      'query',
      [
        `Failed on ${failures.length} of ${failures.length + succeeded.length} shards (succeeded: ${listed(succeeded)})`,
        ...lines,
      ].join('\n'),
      { cause: failures[0]?.error },
    )
    this.failures = failures
    this.succeeded = succeeded
  }
}

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

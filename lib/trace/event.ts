/** What a statement needs of a shard: its writable server, or one of its read copies. */
export const roles = ['primary', 'replica'] as const
export type Role = (typeof roles)[number]

/**
 * The rules that decide a statement's role, in the order in which they are asked. The first that
 * applies is the `reason` of the route; those before it were passed over.
 */
export const roleRules = [
  'disabled',
  'write',
  'lock',
  'transaction',
  'persisting',
  'pinned to primary',
  'pinned to replica',
  'raw query',
  'query runner',
  'read your writes',
  'entity not replicated',
  'reads: primary',
  'no replicas',
  'no replica available',
  'read outside a transaction',
] as const
export type RouteReason = (typeof roleRules)[number]

/** The rules that decide a statement's shard, in the order in which they are asked. */
export const shardRules = [
  'runner',
  'unsharded',
  'handle',
  'home',
  'untracked',
  'scope',
  'environment',
  'default',
] as const
export type ShardReason = (typeof shardRules)[number]

/**
 * `statement`: routed by the library. `bypass`: sent through a query runner that the user, the
 * schema builder or a migration made, or through the raw driver. `internal`: the library's own
 * set-up; not delivered unless asked for.
 */
export type RouteEventKind = 'statement' | 'bypass' | 'internal'

/** A server that could have answered and did not, with the reason. */
export interface SkippedNode {
  readonly node: string
  readonly why: string
}

/** How a statement failed, without any text that could hold a value. */
export interface RouteEventError {
  readonly stage: 'acquire' | 'connect' | 'query'
  readonly name: string
  readonly code: string | undefined
  /** The error's number, where the driver gives one: MySQL's own from 1, Node's below 0. */
  readonly errno?: number
}

/** The record of one routed statement. Stable: fields are added, never changed in meaning. */
export interface RouteEvent {
  /** Version of this type's shape. */
  readonly version: 1
  /** Identifies the decision: the statements that one query runner sends share it. */
  readonly routeId: string
  /**
   * Identifies the outermost scope around the statement, so that all statements of one request can be told
   * together; undefined outside every scope.
   */
  readonly scopeId: string | undefined
  readonly kind: RouteEventKind
  /** When the statement was sent, in milliseconds since the epoch. */
  readonly at: number
  readonly shard: string
  /** The role of the server that answered, or would have. */
  readonly role: Role
  /** The server that answered; undefined when the result cache did, or when none was reached. */
  readonly node: string | undefined
  /** The replica group that was asked for, on a shard that has it. */
  readonly replicaGroup: string | undefined
  /** The rule that decided the role. */
  readonly reason: RouteReason
  /** The rule that decided the shard. */
  readonly shardReason: ShardReason
  /** The role rules asked before `reason`, which did not apply; empty where no rule was asked. */
  readonly passedOver: readonly RouteReason[]
  /** The scopes around the statement, outermost first, such as `using brazil`. */
  readonly scopes: readonly string[]
  /**
   * Where each of `scopes` was opened, `file:line:column`; undefined for one whose place is not known.
   * Empty unless the configuration's `trace.callSites` is on.
   */
  readonly callSites: readonly (string | undefined)[]
  /** Name of the entity the statement is about, where TypeORM knows it. */
  readonly entity: string | undefined
  /** What was asked of TypeORM: `select`, `save`, `query`, `transaction` … */
  readonly operation: string
  /** First keyword of the SQL, in capitals: `SELECT`, `INSERT`, `COMMIT` … */
  readonly statement: string
  /** The SQL with its placeholders; present only for listeners that asked for it. */
  readonly sql?: string
  /** The parameters; present only for listeners that asked for them. */
  readonly parameters?: unknown
  readonly inTransaction: boolean
  /**
   * The servers among which the balancer chose `node`, in the order of their declaration; the others had
   * not their turn. Empty where no server was chosen.
   */
  readonly candidates: readonly string[]
  /** The shard's replicas that were no candidates, where a replica was wanted. */
  readonly skipped: readonly SkippedNode[]
  /**
   * Milliseconds that this statement waited for a connection: for its pool to open, for a free one, for
   * the end of a pause after a failure. 0 where the query runner had its connection already.
   */
  readonly waitedMs: number
  /** Whether the connection was verified for this statement before it was used. */
  readonly verified: boolean
  /** Whether this statement is the second try of a lost read. */
  readonly retried: boolean
  /** Whether the result cache answered instead of a server. */
  readonly cached: boolean
  /**
   * Milliseconds from asking for the statement to its result, the wait for a connection included; of a
   * stream to its end.
   */
  readonly durationMs: number
  readonly error: RouteEventError | undefined
}

/** The first keyword of a statement, in capitals; comments before it are skipped. */
export const statementKeyword = (sql: string): string =>
  (
    /^(?:\s|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/|\()*([a-z]+)/i.exec(sql)?.[1] ?? 'UNKNOWN'
  ).toUpperCase()

import type { ConnectionOptions, ReplicaOptions } from './connection-options.js'
import type { PoolOptions } from './pool-options.js'
import type {
  ConnectWord,
  FallbackWord,
  MigrationFailureWord,
  MigrationTransactionWord,
  RoleWord,
  SqlCommentWord,
} from './words.js'

export type { ConnectionOptions, ReplicaOptions } from './connection-options.js'
export type { PoolOptions } from './pool-options.js'

/** What a shard may decide for itself; what it leaves out is as at the top level. */
export interface ShardSettings extends PoolOptions {
  /** Where plain reads go when the shard has replicas. Default: as at the top level. */
  readonly reads?: RoleWord
  /** What a read does when no replica is available. Default: as at the top level. */
  readonly onNoReplica?: FallbackWord
  /** Connects at first use, or in `initialize()`. Default: as at the top level. */
  readonly connect?: ConnectWord
}

/** One more shard: its primary's connection, its replicas, and its own settings. */
export interface ShardOptions extends ConnectionOptions, ShardSettings {
  /** The read copies of this shard. Default: none. */
  readonly replicas?: readonly ReplicaOptions[]
  /** Alias of `replicas`. */
  readonly slaves?: readonly ReplicaOptions[]
}

/** An entity that lives on one shard, whatever the scope or handle. */
export interface UnshardedOptions {
  /** Its target, or its name. */
  readonly entity: string | Function | object
  /** The shard it lives on. Default: the default shard. */
  readonly shard?: string
  /** Further shards that have it; a scope or handle that names one of them is followed. */
  readonly allowShard?: readonly string[]
  /** Whether a scope or handle that names any other shard throws. Default: as at the top level. */
  readonly strict?: boolean
}

/** Where and how migrations run. */
export interface MigrationOptions {
  /**
   * Where migrations run that do not say it themselves: a shard, a group, `default` for the default
   * shard, `all` for every shard, or a list of those. Default: none, which is an error where there are
   * several shards.
   */
  readonly default?: string | readonly string[]
  /** How many shards are migrated at a time. Default: as `fanOutConcurrency`. */
  readonly concurrency?: number
  /** Whether a failure on one shard keeps the others from beginning another migration. Default: `stop`. */
  readonly onError?: MigrationFailureWord
  /** How long a run waits for the lock of a shard, in milliseconds; 0 does not wait. Default: 60000. */
  readonly lockTimeoutMs?: number
  /** Which migrations of a shard share a transaction. Default: the DataSource's
   *  `migrationsTransactionMode`, or `all`. */
  readonly transaction?: MigrationTransactionWord
}

/** What `octopus()` takes, and what a configuration file holds. */
export interface OctopusOptions extends PoolOptions {
  /** The name of the wrapped DataSource's shard. Default: `master`. */
  readonly defaultShard?: string
  /** The read copies of the default shard. Default: none. */
  readonly replicas?: readonly ReplicaOptions[]
  /** Alias of `replicas`. */
  readonly slaves?: readonly ReplicaOptions[]
  /** The other shards, by name. The default shard is not among them. Default: none. */
  readonly shards?: Readonly<Record<string, ShardOptions>>
  /** Shard groups: the names of their shards, by the group's name. Default: none. */
  readonly groups?: Readonly<Record<string, readonly string[]>>
  /** Where plain reads go on shards that have replicas. Default: `replica`. */
  readonly reads?: RoleWord
  /** What a read does when no replica is available. Default: `primary`. */
  readonly onNoReplica?: FallbackWord
  /** Sends reads of a shard to its primary for a while after a write in the same scope. */
  readonly readYourWrites?: {
    /** For how many milliseconds; 0 switches it off. Default: 5000. */
    readonly windowMs?: number
    /**
     * Signs what `exportWrites()` gives to other processes: at least 32 characters that nobody can
     * guess, the same in each process. Of a list the first signs, and all are accepted. Default: none.
     */
    readonly secret?: string | readonly string[]
    /**
     * Whose writes these are: what another issuer signed is refused. Default: the default shard's
     * database, or its name.
     */
    readonly issuer?: string
  }
  /**
   * Whether every entity is on the replicas. `false`: only those marked `@Replicated` or listed
   * under `replicated` are read from them. Default: `true`.
   */
  readonly fullyReplicated?: boolean
  /** Entities that are on the replicas: targets, or names. Only with `fullyReplicated: false`. */
  readonly replicated?: readonly (string | Function | object)[]
  /** Entities outside sharding, beside those marked `@Unsharded`: targets, names, or with settings. */
  readonly unsharded?: readonly (string | Function | object | UnshardedOptions)[]
  /**
   * Whether a scope or handle that names a shard which an entity outside sharding is not on throws,
   * for entities that do not say it themselves. Default: `false`, the entity's own shard is used.
   */
  readonly strict?: boolean
  /** Connects a shard at its first use, or in `initialize()`. Default: `lazy`. */
  readonly connect?: ConnectWord
  /** The most connections of a process, over all servers. Default: no limit. */
  readonly maxConnections?: number
  /** Whether it is remembered where each connection was taken, for error messages. Costs a stack for
   *  each checkout. Default: where `NODE_ENV` is `development`. */
  readonly checkoutCallSites?: boolean
  /** What the trace takes note of. */
  readonly trace?: {
    /** Where each scope was opened, `file:line:column`. Costs a stack for each scope. Default: where
     *  `NODE_ENV` is `development`. */
    readonly callSites?: boolean
  }
  /**
   * Ends each statement with a comment that says how it was routed, for the server's logs and statistics,
   * in sqlcommenter's format. `true` is shard, role and reason; or a list of what it tells. `routeId`
   * makes each text different from all others. Default: `false`.
   */
  readonly sqlComments?: boolean | readonly SqlCommentWord[]
  /** How many shards `usingGroup` and `usingAll` visit at a time. Default: 8. */
  readonly fanOutConcurrency?: number
  /** Where and how migrations run. */
  readonly migrations?: MigrationOptions
  /** `false` passes everything to the wrapped DataSource, with a warning. Default: `true`. */
  readonly enabled?: boolean
  /** Lets each shard's primary serve its replicas' reads too, for tests. Default: `false`. */
  readonly collapseReplicas?: boolean
  /** Allows two endpoints on the same server and database. Default: `false`. */
  readonly allowSharedServer?: boolean
  /** What carries the routing context, instead of AsyncLocalStorage. In code only. */
  readonly carrier?: object
}

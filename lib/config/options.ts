import type {
  ConnectWord,
  ConnectionsWord,
  DeclaredVerifier,
  Engine,
  FallbackWord,
  RoleWord,
  VerifyWord,
} from './words.js'

/**
 * TypeORM's options of one server or file. What is left out is inherited: a shard inherits from the
 * wrapped DataSource, a replica from its shard. Never inherited are the keys that name a server or
 * a file, and `synchronize`, `migrationsRun` and `dropSchema`.
 *
 * Which keys are allowed depends on the engine, and is checked when the options are resolved.
 */
export interface ConnectionOptions {
  /** The engine. Default: that of the wrapped DataSource, or of the shard for its replicas. */
  readonly type?: Engine

  /** The server's name or address; PostgreSQL also takes a socket's directory. Not inherited. */
  readonly host?: string
  /** The server's port. Default: the engine's (3306, 5432). Not inherited. */
  readonly port?: number
  /** The server as one URL, instead of `host` and `port`. Its credentials inherit. Not inherited. */
  readonly url?: string
  /** MySQL: the server's Unix socket, instead of `host` and `port`. Not inherited. */
  readonly socketPath?: string
  readonly username?: string
  /** The password; PostgreSQL also takes a function that yields one. */
  readonly password?: string | (() => string) | (() => Promise<string>)
  /**
   * The database on the server. better-sqlite3: the file, or `:memory:`. sql.js: the initial
   * content. Inherited by servers only.
   */
  readonly database?: string | Uint8Array
  /** PostgreSQL: the schema. Default: `public`. */
  readonly schema?: string
  /** sql.js: the file that it loads and saves; without one it lives in memory. Not inherited. */
  readonly location?: string
  /** TLS: `true`, the driver's options, or (MySQL) the name of a profile. */
  readonly ssl?: boolean | string | object
  /** The most connections to one server. Default: the driver's 10. Not for SQLite. */
  readonly poolSize?: number
  /** Settings passed to the driver as they are; they replace inherited ones as a whole. */
  readonly extra?: object

  /** Creates or alters this shard's tables when it connects. Default: `false`. Not inherited. */
  readonly synchronize?: boolean
  /** Runs this shard's pending migrations when it connects. Default: `false`. Not inherited. */
  readonly migrationsRun?: boolean
  /** Drops this shard's schema when it connects. Default: `false`. Not inherited. */
  readonly dropSchema?: boolean

  /** The isolation level of transactions that name none. */
  readonly isolationLevel?:
    'READ UNCOMMITTED' | 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE' | 'SNAPSHOT'
  /** The table that records which migrations ran. Default: `migrations`. */
  readonly migrationsTableName?: string
  /** Whether migrations run in one transaction, one each, or none. Default: `all`. */
  readonly migrationsTransactionMode?: 'all' | 'none' | 'each'
  /** The table for TypeORM's own metadata. Default: `typeorm_metadata`. */
  readonly metadataTableName?: string
  /** How tables and columns are named. In code only. */
  readonly namingStrategy?: object
  /** What TypeORM logs: everything, nothing or some kinds. Default: `false`. */
  readonly logging?:
    boolean | 'all' | ('query' | 'schema' | 'error' | 'warn' | 'info' | 'log' | 'migration')[]
  /** TypeORM's logger: one of its own by name, or (in code only) an object. */
  readonly logger?:
    'advanced-console' | 'simple-console' | 'formatted-console' | 'file' | 'debug' | object
  /** Milliseconds after which a query is logged as slow. Default: never. */
  readonly maxQueryExecutionTime?: number
  /** A prefix of all tables' names. */
  readonly entityPrefix?: string
  /** Makes entities without calling their constructors. Default: `false`. */
  readonly entitySkipConstructor?: boolean
  /** Loads relations by joins or by queries of their own. Default: `join`. */
  readonly relationLoadStrategy?: 'join' | 'query'
  /** A property of each loaded entity that holds its entity's name. */
  readonly typename?: string
  /** The result cache: on, off, or TypeORM's settings for it. Default: `false`. */
  readonly cache?: boolean | object
  /** Wraps each where clause in brackets. Default: `false`. */
  readonly isolateWhereStatements?: boolean
  /** What `null` and `undefined` mean in a where. Default: an error. */
  readonly invalidWhereValuesBehavior?: {
    readonly null?: 'ignore' | 'sql-null' | 'throw'
    readonly undefined?: 'ignore' | 'throw'
  }

  /** The driver's module, such as mysql2, pg or sql.js. In code only. */
  readonly driver?: object

  /** MySQL: the connection's charset or collation. */
  readonly charset?: string
  /** MySQL: the time zone of the server's dates: `local`, `Z` or `+HH:MM`. Default: `local`. */
  readonly timezone?: string
  /** MySQL: milliseconds to wait for a connection to open. Default: 10000. */
  readonly connectTimeout?: number
  /** MySQL: milliseconds; mysql2 ignores it. See `acquireTimeoutMs`. */
  readonly acquireTimeout?: number
  /** MySQL: allows the old authentication method. Default: `false`. */
  readonly insecureAuth?: boolean
  /** MySQL: reads BIGINT and DECIMAL without loss. Default: `true`. */
  readonly supportBigNumbers?: boolean
  /** MySQL: always reads BIGINT and DECIMAL as strings. Default: `true`. */
  readonly bigNumberStrings?: boolean
  /** MySQL: reads dates as strings: all, or the types named. Default: `false`. */
  readonly dateStrings?: boolean | string[]
  /** MySQL: prints the protocol, or the packets named. Default: `false`. */
  readonly debug?: boolean | string[]
  /** MySQL: puts the caller into the driver's stack traces. Default: `true`. */
  readonly trace?: boolean
  /** MySQL: allows several statements in one query. Default: `false`. */
  readonly multipleStatements?: boolean
  /** MySQL: uses the spatial functions that MySQL 8 removed. Default: `false`. */
  readonly legacySpatialSupport?: boolean
  /** MySQL: connection flags to add or (with `-`) to remove. */
  readonly flags?: string[]
  /** MySQL: uses `maxQueryExecutionTime` as a timeout too. Default: `false`. */
  readonly enableQueryTimeout?: boolean

  /** PostgreSQL: the name that administrators see. */
  readonly applicationName?: string
  /** PostgreSQL: pg-native. In code only. */
  readonly nativeDriver?: object
  /** PostgreSQL: passes times in UTC. Default: `false`. */
  readonly useUTC?: boolean
  /** PostgreSQL: milliseconds to wait for a connection to open. Default: 0, no limit. */
  readonly connectTimeoutMS?: number
  /** PostgreSQL: the extension that makes UUIDs. Default: `uuid-ossp`. */
  readonly uuidExtension?: 'pgcrypto' | 'uuid-ossp'
  /** PostgreSQL: called with errors of idle connections. In code only. */
  readonly poolErrorHandler?: Function
  /** PostgreSQL: logs the server's notices. Default: `false`. */
  readonly logNotifications?: boolean
  /** PostgreSQL: installs the extensions that entities need. Default: `true`. */
  readonly installExtensions?: boolean
  /** PostgreSQL: reads int8 as numbers. Default: `false`. */
  readonly parseInt8?: boolean
  /** PostgreSQL: more extensions to install. */
  readonly extensions?: string[]

  /** sql.js: settings of `initSqlJs`. */
  readonly sqlJsConfig?: object
  /** sql.js: saves after each change. Inherited only by a shard with a `location`. */
  readonly autoSave?: boolean
  /** sql.js: called with the content instead of saving it. In code only. Not inherited. */
  readonly autoSaveCallback?: Function
  /** sql.js in a browser: keeps `location` in IndexedDB. Default: `false`. */
  readonly useLocalForage?: boolean

  /** better-sqlite3: SQLCipher's key. */
  readonly key?: string
  /** better-sqlite3: how many prepared statements to keep. Default: 100. */
  readonly statementCacheSize?: number
  /** better-sqlite3: called with the database before its first use. In code only. */
  readonly prepareDatabase?: Function
  /** better-sqlite3: opens the file for reading only. Default: `false`. */
  readonly readonly?: boolean
  /** better-sqlite3: fails if the file does not exist. Default: `false`. */
  readonly fileMustExist?: boolean
  /** better-sqlite3: milliseconds to wait for a locked file. Default: 5000. */
  readonly timeout?: number
  /** better-sqlite3: called with each statement. In code only. */
  readonly verbose?: Function
  /** better-sqlite3: the path of the native addon. */
  readonly nativeBinding?: string
  /** better-sqlite3: write-ahead logging. Default: `false`. */
  readonly enableWAL?: boolean
}

/** A read copy of a shard's primary. Inherits from the primary what does not name its server. */
export interface ReplicaOptions extends Omit<
  ConnectionOptions,
  'synchronize' | 'migrationsRun' | 'dropSchema'
> {
  /** Its name in traces and errors, unique in the shard. Default: its host or file. */
  readonly name?: string
  /** The replica group it belongs to; `usingReplica({ group }, …)` reads from that group only. */
  readonly group?: string
  /** Alias of `group`. */
  readonly slaveGroup?: string
  /** Its share of the reads, relative to its siblings: a whole number, 1 to 1000. Default: 1. */
  readonly weight?: number
}

/** How connections are kept. On a shard, what is left out is as at the top level. */
export interface PoolOptions {
  /** Milliseconds to wait for a free connection; 0 waits for ever. Default: 10000. */
  readonly acquireTimeoutMs?: number
  /**
   * When a connection is verified before it is lent: after it has rested, after an error that casts
   * doubt on its server, at each checkout, or never. Default: `['idle', 'after-error']`.
   */
  readonly verify?: VerifyWord | readonly VerifyWord[]
  /** From how many milliseconds of rest on `idle` verifies. Default: 30000. */
  readonly verifyIdleMs?: number
  /** Milliseconds one verification may take. Default: 2000. */
  readonly verifyTimeoutMs?: number
  /**
   * What is verified beside a ping, by word (`mysql-writer`, `aurora-writer`, `pg-writer`, `ping`), as
   * `{ replicaLagMs }`, or in code a `Verifier`. Default: on primaries, that they take writes.
   */
  readonly verifiers?: readonly DeclaredVerifier[]
  /** Milliseconds after which a connection that rests is closed. Default: the driver's own. */
  readonly idleTimeoutMs?: number
  /** Milliseconds after which a connection is replaced; 0 is never. Default: 0. */
  readonly maxLifetimeMs?: number
  /** Milliseconds a statement may take before its connection is closed; 0 is no limit. Default: 0. */
  readonly queryTimeoutMs?: number
  /** Keeps connections for the next use, or closes each after its own. Default: `pooled`. */
  readonly connections?: ConnectionsWord
  /** Milliseconds that running statements have when connections are closed. Default: 5000. */
  readonly drainMs?: number
  /** The most connections of a primary that reads take while no replica is available. Default: half
   *  of its pool. */
  readonly fallbackLimit?: number
}

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
  /** How many shards `usingGroup` and `usingAll` visit at a time. Default: 8. */
  readonly fanOutConcurrency?: number
  /** `false` passes everything to the wrapped DataSource, with a warning. Default: `true`. */
  readonly enabled?: boolean
  /** Lets each shard's primary serve its replicas' reads too, for tests. Default: `false`. */
  readonly collapseReplicas?: boolean
  /** Allows two endpoints on the same server and database. Default: `false`. */
  readonly allowSharedServer?: boolean
  /** What carries the routing context, instead of AsyncLocalStorage. In code only. */
  readonly carrier?: object
}

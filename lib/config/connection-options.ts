import type { Engine } from './words.js'

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

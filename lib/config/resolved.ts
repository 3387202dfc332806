import type { KeyObject } from 'node:crypto'
import type {
  ConnectionsWord,
  DeclaredVerifier,
  MigrationFailureWord,
  MigrationTransactionWord,
  SqlCommentWord,
  VerifyWord,
} from './words.js'

/** One server as configured, with everything needed to connect to it. */
export interface ResolvedEndpoint {
  /** The node's name, unique within its shard: given by `name`, or taken from its host or file. */
  readonly name: string
  readonly role: 'primary' | 'replica'
  /** The replica group it belongs to, if any. */
  readonly group: string | undefined
  /** Its share of the reads, relative to the other replicas' weights. */
  readonly weight: number
  /**
   * Complete TypeORM options for this server, `type` included, without entities, subscribers and
   * migrations. Those of the default shard's primary are the wrapped DataSource's own, as they are.
   */
  readonly connection: Readonly<Record<string, unknown>>
}

/** How the connections of a shard's servers are kept; times in milliseconds. */
export interface ResolvedPool {
  /** How long a checkout waits for a connection; 0 is for ever. */
  readonly acquireTimeoutMs: number
  /** When a connection is verified before it is lent. */
  readonly verify: readonly VerifyWord[]
  /** From how long a rest on `idle` verifies. */
  readonly verifyIdleMs: number
  /** How long one verification may take. */
  readonly verifyTimeoutMs: number
  /** What is verified beside a ping; undefined for the engine's own choice. */
  readonly verifiers: readonly DeclaredVerifier[] | undefined
  /** From how long a rest on a connection is closed; undefined for the driver's own choice. */
  readonly idleTimeoutMs: number | undefined
  /** How old a connection may become; 0 is without limit. */
  readonly maxLifetimeMs: number
  /** How long a statement may take; 0 is without limit. */
  readonly queryTimeoutMs: number
  readonly connections: ConnectionsWord
  /** How long running statements are waited for when connections are closed. */
  readonly drainMs: number
  /** The most connections of a primary that reads take in the place of replicas; undefined is half. */
  readonly fallbackLimit: number | undefined
}

/** A shard with its endpoints and its settings, defaults filled in. */
export interface ResolvedShard {
  readonly name: string
  /** TypeORM's `type`, such as `mysql`. */
  readonly engine: string
  readonly primary: ResolvedEndpoint
  readonly replicas: readonly ResolvedEndpoint[]
  readonly reads: 'primary' | 'replica'
  readonly onNoReplica: 'primary' | 'error'
  readonly connect: 'lazy' | 'eager'
  readonly pool: ResolvedPool
}

/** An entity outside sharding, as listed. */
export interface ResolvedUnsharded {
  readonly entity: string | Function | object
  readonly shard: string | undefined
  readonly allowShard: readonly string[]
  readonly strict: boolean | undefined
}

/** Where and how migrations run. */
export interface ResolvedMigrations {
  /** Shards, groups and words, as written; undefined if nothing is said. */
  readonly default: readonly string[] | undefined
  readonly concurrency: number
  readonly onError: MigrationFailureWord
  readonly lockTimeoutMs: number
  /** undefined is as the DataSource says. */
  readonly transaction: MigrationTransactionWord | undefined
}

/** What signs and checks the writes that one process tells another. */
export interface WritesSeal {
  /** The first signs; all of them verify, so that a secret can be replaced by and by. */
  readonly keys: readonly [KeyObject, ...KeyObject[]]
  /** Whose writes they are. */
  readonly issuer: string
}

/** A checked configuration: aliases translated, defaults filled in, options inherited, frozen. */
export interface ResolvedConfig {
  readonly defaultShard: string
  /** The default shard first, then the others in the order of their declaration. */
  readonly shards: readonly [ResolvedShard, ...ResolvedShard[]]
  /** Shard groups, by name, with the names of their shards. */
  readonly groups: ReadonlyMap<string, readonly [string, ...string[]]>
  /** How long reads follow a write to the primary; 0 is off. */
  readonly readYourWritesMs: number
  /** Only where there is a secret. */
  readonly writesSeal: WritesSeal | undefined
  readonly fullyReplicated: boolean
  readonly replicated: readonly (string | Function | object)[]
  readonly unsharded: readonly ResolvedUnsharded[]
  /** Whether unsharded entities that do not say it themselves are strict. */
  readonly strict: boolean
  readonly fanOutConcurrency: number
  readonly migrations: ResolvedMigrations
  readonly enabled: boolean
  readonly collapseReplicas: boolean
  readonly carrier: object | undefined
  /** The most connections of this process, over all servers; undefined is without limit. */
  readonly maxConnections: number | undefined
  /** Whether it is remembered where each connection was taken. */
  readonly checkoutCallSites: boolean
  /** Whether it is remembered where each scope was opened. */
  readonly traceCallSites: boolean
  /** What a comment in each statement tells; empty for no comment. */
  readonly sqlComments: readonly SqlCommentWord[]
}

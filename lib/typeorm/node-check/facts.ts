import type { ServerAddress } from '../../config/server.js'
import type { ConnectFailure } from '../../errors.js'
import type { Role } from '../../trace/event.js'

/** How a server gets its copies, as it tells itself. */
export interface ReplicationFacts {
  /** Whether it receives changes and applies them; undefined if it does not tell. */
  readonly isRunning: boolean | undefined
  /** How many milliseconds it is behind, as it knows itself; undefined if that is not known. */
  readonly lagMs: number | undefined
  /** Why it does not run, or why something of it is not known. */
  readonly why: string | undefined
  /** Where it copies from, `host:port`, if it tells. */
  readonly source: string | undefined
  /** The identity of the server it copies from, if it tells. */
  readonly sourceIdentity: string | undefined
}

/** What a server tells of itself. */
export interface ServerFacts {
  readonly version: string
  /** What it really is: one that copies from another, or that takes no writes, is a replica. */
  readonly actualRole: Role
  readonly takesWrites: boolean
  /** What tells it from other servers: MySQL's `server_uuid`, MariaDB's `server_id`, PostgreSQL's system identifier. */
  readonly identity: string | undefined
  /** Undefined on a server that copies from none, and where something else keeps the copies. */
  readonly replication: ReplicationFacts | undefined
  /** What keeps the copies in the place of replication, such as `Galera`. */
  readonly clusteredBy: string | undefined
  /** How far a PostgreSQL server has written, or received: bytes of its log, too many for a number. */
  readonly position: string | undefined
  /** How many milliseconds its clock is ahead of this process; negative if it is behind. */
  readonly clockOffsetMs: number
  /** By how much `clockOffsetMs` may be wrong: half of the time that the answer took. */
  readonly clockErrorMs: number
  readonly timeZone: string | undefined
  readonly characterSet: string | undefined
  readonly collation: string | undefined
  /** The isolation level of transactions that ask for none. */
  readonly isolation: string | undefined
}

/** Why a server could not be asked. */
export interface NodeFailure {
  readonly failure: ConnectFailure
  readonly message: string
}

/** One server: where it is, and what it tells. */
export interface NodeFacts extends ServerAddress {
  readonly shard: string
  readonly node: string
  /** As it is configured. */
  readonly role: Role
  /** Whether it was reached, and let this user in. */
  readonly isReachable: boolean
  /** Why not; undefined if it was. */
  readonly error: NodeFailure | undefined
  /** How long connecting took, in milliseconds. */
  readonly connectMs: number | undefined
  /** Undefined if it was not reached, or is a file. */
  readonly server: ServerFacts | undefined
}

import type { ConnectionsWord, DeclaredVerifier, VerifyWord } from './words.js'

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

import { OctopusError } from './base.js'

/** One thing that keeps migrations from being run. */
export interface MigrationProblem {
  /** The migration's name. */
  readonly migration: string
  /** The shard that it is about, if it is about one. */
  readonly shard: string | undefined
  /** What is wrong, and what to do about it. */
  readonly message: string
}

/** Migrations cannot be run as they are. Carries every problem found; nothing was sent. */
export class MigrationPlanError extends OctopusError {
  readonly problems: readonly MigrationProblem[]

  constructor(problems: readonly MigrationProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    const lines = problems.map(({ migration, shard, message }) =>
      shard === undefined
        ? `  - ${migration}: ${message}`
        : `  - ${migration} on ${shard}: ${message}`,
    )
    super('migration-plan', 'configure', [`Migrations: ${count}`, ...lines].join('\n'))
    this.problems = problems
  }
}

/** Why a shard's migration lock is not held. */
export type MigrationLockFailure = 'timeout' | 'lost'

/**
 * Which of a shard's two locks: `run` is that of another run; `work` is held by the connection that
 * migrates, also after its runner was killed, until the server has ended the statement.
 */
export type MigrationLockKind = 'run' | 'work'

/** What is known of a lock that is not held. */
interface LockFacts {
  readonly lock: MigrationLockKind
  readonly waitedMs?: number
  /** Who holds it. */
  readonly holder?: string | undefined
  readonly cause?: unknown
}

const heldBy = ({ lock, waitedMs = 0, holder }: LockFacts): string => {
  const who = holder === undefined ? '' : `: ${holder}`
  return lock === 'run'
    ? `another runner holds the migration lock after ${waitedMs} ms${who}. Wait for it, raise migrations.lockTimeoutMs, or end it if it is left over.`
    : `the server is still at work for another runner, which may be gone, after ${waitedMs} ms${who}. Wait until its statement ends, or end its connection on the server.`
}

const wasLost =
  'the migration lock was lost with its connection, so another runner may have begun. Look at the plan, and run again.'

/** Another runner holds a shard's migration lock, or it was lost. No migration was begun after that. */
export class MigrationLockError extends OctopusError {
  readonly shard: string
  readonly failure: MigrationLockFailure
  readonly lock: MigrationLockKind
  /** Who holds it, as the server tells; undefined if it does not. */
  readonly holder: string | undefined

  constructor(shard: string, failure: MigrationLockFailure, facts: LockFacts) {
    const what = failure === 'timeout' ? heldBy(facts) : wasLost
    const { cause } = facts
    const options = cause === undefined ? {} : { cause }
    super('migration-lock', 'acquire', `Shard "${shard}": ${what}`, options)
    this.shard = shard
    this.failure = failure
    this.lock = facts.lock
    this.holder = facts.holder
  }
}

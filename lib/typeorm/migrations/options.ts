import type { MigrationFailureWord, MigrationTransactionWord } from '../../config/words.js'
import type { ShardSelection } from '../../migrations/assignment.js'
import type { MigrationEvent } from '../../migrations/events.js'
import type { ShardReport } from '../../migrations/report.js'

/** Which shards are planned, and how many at a time. */
export interface MigrationPlanOptions extends ShardSelection {
  /** How many shards are asked at a time. Default: `migrations.concurrency`. */
  readonly concurrency?: number | undefined
}

/** How a migration is reverted. */
export interface MigrationRevertOptions extends MigrationRunOptions {
  /** The one to revert, where it was done last. Default: the latest of those that were done last. */
  readonly migration?: string | undefined
}

/** How migrations are run, reverted or marked as done. */
export interface MigrationRunOptions extends MigrationPlanOptions {
  /** Whether nothing is to be done: the report tells in `left` what would be. */
  readonly dryRun?: boolean | undefined
  /** Which migrations of a shard share a transaction. Default: `migrations.transaction`. */
  readonly transaction?: MigrationTransactionWord | undefined
  /** What a failure on one shard means for the others. Default: `migrations.onError`. */
  readonly onError?: MigrationFailureWord | undefined
  /** The shard that is done before all others, which follow only if it succeeds. */
  readonly first?: string | undefined
  /** Is asked after the first shard whether to go on. Default: yes. What it throws is thrown, and no other
   *  shard is begun. */
  readonly confirm?: ((first: ShardReport) => Promise<boolean> | boolean) | undefined
  /** How long a shard's lock is waited for, in milliseconds. Default: `migrations.lockTimeoutMs`. */
  readonly lockTimeoutMs?: number | undefined
  /** Ends the run: migrations under way are finished, no other is begun. */
  readonly signal?: AbortSignal | undefined
  /** Is told what happens. What it throws becomes a process warning. */
  readonly onEvent?: ((event: MigrationEvent) => void) | undefined
}

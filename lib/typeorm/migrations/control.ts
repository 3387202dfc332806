import { type ShardChoice, type ShardSelection, choiceOf } from '../../migrations/assignment.js'
import type { MigrationPlan } from '../../migrations/plan.js'
import {
  type MigrationDirection,
  type MigrationReport,
  MigrationRunError,
} from '../../migrations/report.js'
import { type MigrationStatus, statusOf } from '../../migrations/status.js'
import type { Runtime } from '../runtime.js'
import type {
  MigrationPlanOptions,
  MigrationRevertOptions,
  MigrationRunOptions,
} from './options.js'
import { planMigrations, runMigrations } from './runs.js'

/** Migrations across the shards: `db.octopus.migrations`. */
export class MigrationControl {
  readonly #runtime: Runtime

  /** @internal */
  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /**
   * What is done, pending or drifted on each shard, by its own version table. Changes no server: a
   * shard without the table has done nothing. A shard that cannot be read is told as such.
   *
   * In a scope it is about the shard of the scope, unless the options name others.
   *
   * @throws MigrationPlanError if migrations name what does not exist, or say nowhere where they run
   * @throws UnknownShardError, UnknownGroupError for names in the options
   */
  async plan(options: MigrationPlanOptions = {}): Promise<MigrationPlan> {
    return planMigrations(this.#runtime, this.#choice(options), options)
  }

  /** What is to be known of each shard in a line: how much is done and pending, and what drifted. */
  async status(options: MigrationPlanOptions = {}): Promise<MigrationStatus> {
    return statusOf(await this.plan(options))
  }

  /**
   * Runs what is pending, on each shard in order, on several shards at a time. A run after one that
   * failed or was ended goes on from there.
   *
   * @returns what is where, also of a run that `confirm` ended
   * @throws MigrationPlanError before anything is sent, as `plan` does
   * @throws MigrationRunError with the report, if a shard failed or the signal ended the run
   */
  run(options: MigrationRunOptions = {}): Promise<MigrationReport> {
    return this.#done('up', options)
  }

  /**
   * Reverts the migration that was done last, on every shard where it was. Of shards at different
   * migrations those at the latest are reverted, so that a second call finds them equal.
   *
   * What a dry run told is named by `migration`, so that nothing else is reverted if somebody did it
   * meanwhile.
   *
   * @throws MigrationPlanError if what was done last on a shard, or is named, is not in the code
   * @throws MigrationRunError as `run` does
   */
  revert(options: MigrationRevertOptions = {}): Promise<MigrationReport> {
    return this.#done('down', options)
  }

  /**
   * Marks what is pending as done, without running it: for shards that have its schema already.
   *
   * @throws MigrationPlanError and MigrationRunError as `run` does
   */
  baseline(options: MigrationRunOptions = {}): Promise<MigrationReport> {
    return this.#done('baseline', options)
  }

  async #done(
    direction: MigrationDirection,
    options: MigrationRevertOptions,
  ): Promise<MigrationReport> {
    const choice = this.#choice(options)
    const report = await runMigrations(this.#runtime, direction, choice, options)
    if (report.outcome === 'failed' || report.outcome === 'interrupted')
      throw new MigrationRunError(report)
    return report
  }

  #choice(options: ShardSelection): ShardChoice {
    const { store, policy, scopes } = this.#runtime
    const chosen = choiceOf(options, store.current)
    if (chosen !== undefined) return chosen
    const shard = scopes.current()?.shard ?? policy.ambientShard
    return shard === undefined ? { kind: 'all' } : { kind: 'named', shard }
  }
}

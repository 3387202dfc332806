import { InvalidScopeError, MigrationPlanError, ReadOnlyScopeError } from '../../errors.js'
import { type Assignment, type ShardChoice, assignShards } from '../../migrations/assignment.js'
import { type MigrationEvent, type MigrationEventBody, asError } from '../../migrations/events.js'
import {
  type MigrationPlan,
  type ShardPlan,
  pendingOn,
  planOf,
  planShard,
} from '../../migrations/plan.js'
import {
  type MigrationDirection,
  type MigrationReport,
  isReverting,
  plannedReport,
} from '../../migrations/report.js'
import { lastDone, revertedOn } from '../../migrations/reverting.js'
import { runOverShards } from '../../migrations/run.js'
import { checkConcurrency, valuesOrThrow, visitShards } from '../../scopes/fan-out.js'
import { deliver } from '../../trace/deliver.js'
import type { Runtime } from '../runtime.js'
import { type CodeMigration, migrationsOf } from './code.js'
import { readDone } from './history.js'
import type {
  MigrationPlanOptions,
  MigrationRevertOptions,
  MigrationRunOptions,
} from './options.js'
import { ShardRun, type ShardRunOptions } from './shard-run.js'

/** Says where each migration of the code runs. */
const assign = (
  { store, config, front, defaultShard }: Runtime,
  choice: ShardChoice,
): Assignment<CodeMigration> => {
  const { current } = store
  if (defaultShard.family === 'other')
    throw new InvalidScopeError(
      `Migrations of ${defaultShard.engine} are TypeORM's own; call runMigrations() of the data source.`,
    )
  const migrations = migrationsOf(front)
  if (config.enabled) return assignShards(migrations, choice, current, config.migrations.default)
  // Everything is the default shard's, whatever its name.
  const shards = [current.defaultShard]
  return {
    migrations: migrations.map((migration) => ({ migration, shards: new Set(shards) })),
    shards,
  }
}

const readPlan = async (
  runtime: Runtime,
  assignment: Assignment<CodeMigration>,
  concurrency: number,
): Promise<MigrationPlan> => {
  const read = async (shard: string): Promise<ShardPlan> => {
    try {
      return planShard(shard, assignment, await readDone(runtime.shard(shard)))
    } catch (reason) {
      return { shard, kind: 'unreadable', error: asError(reason) }
    }
  }
  const outcomes = await visitShards(assignment.shards, concurrency, read)
  return planOf(
    assignment,
    valuesOrThrow(outcomes).map(({ value }) => value),
  )
}

/** Reads where each shard is. */
export const planMigrations = async (
  runtime: Runtime,
  choice: ShardChoice,
  { concurrency = runtime.config.migrations.concurrency }: MigrationPlanOptions,
): Promise<MigrationPlan> => readPlan(runtime, assign(runtime, choice), concurrency)

const aboutListeners = 'A listener of migration events threw; the run is not affected.'

/** Tells a listener what happens, and when. */
const telling =
  (onEvent: MigrationRunOptions['onEvent']) =>
  (body: MigrationEventBody): void => {
    if (onEvent === undefined) return
    const event: MigrationEvent = { ...body, at: Date.now() }
    deliver(() => onEvent(event), aboutListeners)
  }

/** Options with what the configuration says where they say nothing. */
const complete = ({ config }: Runtime, options: MigrationRunOptions) => ({
  concurrency: options.concurrency ?? config.migrations.concurrency,
  onError: options.onError ?? config.migrations.onError,
  lockTimeoutMs: options.lockTimeoutMs ?? config.migrations.lockTimeoutMs,
  transaction: options.transaction ?? config.migrations.transaction,
  first: options.first,
  confirm: options.confirm,
  signal: options.signal,
})

/** What a run is about: its shards, and the migration that is reverted. */
interface Aim {
  readonly shards: readonly string[]
  readonly reverted: string | undefined
}

/** @throws MigrationPlanError if the code has no such migration */
const knownIn = ({ migrations }: MigrationPlan, name: string): string => {
  if (migrations.some(({ migration }) => migration === name)) return name
  const message = 'is to be reverted, and was not found in the source code'
  throw new MigrationPlanError([{ migration: name, shard: undefined, message }])
}

const aimOf = (
  direction: MigrationDirection,
  assignment: Assignment<CodeMigration>,
  plan: MigrationPlan | undefined,
  named: string | undefined,
): Aim => {
  if (!isReverting(direction) || plan === undefined)
    return { shards: assignment.shards, reverted: undefined }
  const last = lastDone(plan)
  const reverted = named === undefined ? last : knownIn(plan, named)
  return { shards: reverted === undefined ? [] : revertedOn(plan, reverted), reverted }
}

/**
 * Runs, reverts or marks migrations. A failure is in the report.
 *
 * @throws MigrationPlanError before anything is sent
 * @throws ReadOnlyScopeError inside `usingReplica`
 * @throws InvalidScopeError if `concurrency` is no whole number from 1
 */
export const runMigrations = async (
  runtime: Runtime,
  direction: MigrationDirection,
  choice: ShardChoice,
  options: MigrationRevertOptions,
): Promise<MigrationReport> => {
  const { scopes, policy, now } = runtime
  if (scopes.current()?.role === 'replica' && policy.isEnabled)
    throw new ReadOnlyScopeError(scopes.currentShard(), 'migrations')
  const assignment = assign(runtime, choice)
  const settings = complete(runtime, options)
  checkConcurrency(settings.concurrency)
  const isDry = options.dryRun === true
  const plan =
    isDry || isReverting(direction)
      ? await readPlan(runtime, assignment, settings.concurrency)
      : undefined
  const { shards, reverted } = aimOf(direction, assignment, plan, options.migration)
  if (isDry && plan !== undefined)
    return plannedReport(
      direction,
      plan.shards.map((each) => [
        each.shard,
        !isReverting(direction)
          ? pendingOn(each)
          : reverted !== undefined && shards.includes(each.shard)
            ? [reverted]
            : [],
      ]),
    )
  const tell = telling(options.onEvent)
  const task: ShardRunOptions = { ...settings, direction, reverted, tell }
  return runOverShards(
    direction,
    shards,
    async (shard, gate) => new ShardRun(runtime.shard(shard), assignment, task).run(gate),
    settings,
    tell,
    now,
  )
}

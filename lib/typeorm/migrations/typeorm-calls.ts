import { CannotExecuteNotConnectedError, type DataSource, Migration } from 'typeorm'
import type { MigrationTransactionWord } from '../../config/words.js'
import type { ShardChoice } from '../../migrations/assignment.js'
import {
  type MigrationDirection,
  type MigrationReport,
  MigrationRunError,
} from '../../migrations/report.js'
import { type Target, boundTo } from '../binding.js'
import { migrationsOf } from './code.js'
import { planMigrations, runMigrations } from './runs.js'

/** What TypeORM's calls take. */
interface CallOptions {
  readonly transaction?: MigrationTransactionWord | undefined
  readonly fake?: boolean | undefined
}

/** A migration that `runMigrations()` has run, with the shard on which it did. */
export class ShardMigration extends Migration {
  readonly shard: string

  constructor({ id, timestamp, name, instance, transaction }: Migration, shard: string) {
    super(id, timestamp, name, instance, transaction)
    this.shard = shard
  }
}

/** The shard that a handle, a scope or the environment names, or all that migrations are for. What the
 *  data source itself does at the start is asked for in its options, whatever the scope. */
export const choiceOfCall = (source: DataSource, { runtime, shard, by }: Target): ShardChoice => {
  const isUnspecific = boundTo(source).isFloating && (runtime.isStarting || by === 'default')
  return isUnspecific ? { kind: 'all' } : { kind: 'named', shard: shard.name }
}

/** TypeORM throws what a migration threw; with several shards it is told where. */
const throwIfFailed = (report: MigrationReport): MigrationReport => {
  if (report.outcome !== 'failed') return report
  const [only, ...others] = report.shards
  if (others.length === 0 && only?.failure !== undefined) throw only.failure.error
  throw new MigrationRunError(report)
}

const done = async (
  direction: MigrationDirection,
  source: DataSource,
  target: Target,
  { transaction }: CallOptions,
): Promise<MigrationReport> =>
  throwIfFailed(
    await runMigrations(target.runtime, direction, choiceOfCall(source, target), { transaction }),
  )

const run = async (
  source: DataSource,
  target: Target,
  options: CallOptions,
): Promise<ShardMigration[]> => {
  const { shards } = await done(options.fake === true ? 'baseline' : 'up', source, target, options)
  const known = new Map(migrationsOf(source).map(({ name, source: own }) => [name, own]))
  if (shards.every(({ finished }) => finished.length === 0))
    target.shard.view.logger.logSchemaBuild('No migrations are pending')
  return shards.flatMap(({ shard, finished }) =>
    finished.flatMap(({ migration }) => {
      const found = known.get(migration)
      return found === undefined ? [] : [new ShardMigration(found, shard)]
    }),
  )
}

const undo = async (source: DataSource, target: Target, options: CallOptions): Promise<void> => {
  const { shards } = await done(options.fake === true ? 'forget' : 'down', source, target, options)
  if (shards.every(({ finished }) => finished.length === 0))
    target.shard.view.logger.logSchemaBuild(
      'No migrations were found in the database. Nothing to revert!',
    )
}

/** Logs, as TypeORM does, what is done on each shard; yields whether something is pending. */
const show = async (source: DataSource, target: Target): Promise<boolean> => {
  const { runtime } = target
  const plan = await planMigrations(runtime, choiceOfCall(source, target), {})
  for (const each of plan.shards) {
    if (each.kind === 'unreadable') throw each.error
    const { logger } = runtime.shard(each.shard).view
    for (const { migration, state } of each.migrations)
      if (state !== 'not targeted')
        logger.logSchemaBuild(`${state === 'done' ? '[X]' : '[ ]'} ${migration}`)
  }
  return !plan.isUpToDate
}

/** TypeORM's calls about migrations, over the shards that they are about. */
export const migrationCalls = {
  runMigrations: run,
  undoLastMigration: undo,
  showMigrations: show,
} as const

/** Whether a call is one of those. */
export const isMigrationCall = (call: string): call is keyof typeof migrationCalls =>
  call in migrationCalls

/** @throws CannotExecuteNotConnectedError as TypeORM does before `initialize()` */
export const checkInitialized = ({ isInitialized }: DataSource): void => {
  if (!isInitialized) throw new CannotExecuteNotConnectedError()
}

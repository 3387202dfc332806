import { InstanceChecker, type Migration, MigrationExecutor, type QueryRunner } from 'typeorm'
import { routed } from '../binding.js'
import type { Shard } from '../shard.js'

/** A shard's version table, through one query runner of its primary. */
export class MigrationHistory extends MigrationExecutor {
  /** The migrations of the code, in the order in which they run. */
  known(): Migration[] {
    return this.getMigrations()
  }

  /** What was done, in the order in which it was. Changes nothing: without the table it is nothing. */
  async done(): Promise<Migration[]> {
    return (await this.getExecutedMigrations()).toReversed()
  }

  /** Makes what TypeORM keeps its versions in, where it is missing, and yields what was done. */
  async prepared(): Promise<Migration[]> {
    const runner = this.queryRunner
    if (runner === undefined) throw new TypeError('A history has a query runner')
    await this.createMigrationsTableIfNotExist(runner)
    const builder = this.dataSource.driver.createSchemaBuilder()
    if (InstanceChecker.isRdbmsSchemaBuilder(builder))
      await builder.createMetadataTableIfNecessary(runner)
    return (await this.loadExecutedMigrations(runner)).toReversed()
  }
}

/** A query runner of a shard's primary, whatever the scope. */
const openRunner = (shard: Shard): QueryRunner =>
  shard.runtime.openRunner(shard, 'handle', undefined, 'primary runner', 'migrations', undefined)

/** Does `work` with the version table of a shard, once its server's version is known. */
export const withHistory = async <T>(
  shard: Shard,
  work: (history: MigrationHistory, runner: QueryRunner) => Promise<T>,
): Promise<T> => {
  await shard.ready()
  const runner = openRunner(shard)
  try {
    return await work(new MigrationHistory(shard.view, runner), runner)
  } finally {
    await runner.release()
  }
}

/** The names of what was done on a shard, in the order in which it was. Changes nothing. */
export const readDone = (shard: Shard): Promise<readonly string[]> =>
  withHistory(shard, async (history) => (await history.done()).map(({ name }) => name))

/**
 * Has a runner's connection closed with the runner, on servers: migrations leave settings, locks and
 * transactions of their own on it, which are not to become the next caller's.
 */
export const closeWith = (runner: QueryRunner): void => {
  const { lease } = routed(runner)
  if (lease !== undefined) lease.isSpoilt = true
}

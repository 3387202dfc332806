import { MigrationExecutor } from 'typeorm'
import type { Shard } from '../shard.js'

/** Runs on a shard the migrations that are pending there, and tells their names. */
export const runMigrationsOn = async ({ view }: Shard): Promise<readonly string[]> =>
  (await view.runMigrations()).map(({ name }) => name)

/** The names of the migrations that are pending on a shard. Changes nothing there. */
export const pendingMigrationsOn = async (shard: Shard): Promise<readonly string[]> => {
  if (shard.view.migrations.length === 0) return []
  await shard.ready()
  const executor = new MigrationExecutor(shard.view)
  return (await executor.getPendingMigrations()).map(({ name }) => name)
}

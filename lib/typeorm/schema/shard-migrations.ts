import { pendingOn } from '../../migrations/plan.js'
import { MigrationControl } from '../migrations/control.js'
import type { Runtime } from '../runtime.js'
import type { Shard } from '../shard.js'

/** Runs on a shard the migrations that are for it and pending there, and tells their names. */
export const runMigrationsOn = async ({ runtime, name }: Shard): Promise<readonly string[]> => {
  const { shards } = await new MigrationControl(runtime).run({ shards: [name] })
  return shards.flatMap(({ finished }) => finished.map(({ migration }) => migration))
}

/** The migrations that are for a shard and pending there. */
export interface PendingMigrations {
  readonly shard: string
  readonly migrations: readonly string[]
}

/** The shards among these that lack migrations, with the names of those. Changes nothing. */
export const pendingMigrations = async (
  runtime: Runtime,
  names: readonly string[],
): Promise<readonly PendingMigrations[]> => {
  const { shards } = await new MigrationControl(runtime).plan({ shards: names })
  return shards.flatMap((plan) => {
    if (plan.kind === 'unreadable') throw plan.error
    const migrations = pendingOn(plan)
    return migrations.length > 0 ? [{ shard: plan.shard, migrations }] : []
  })
}

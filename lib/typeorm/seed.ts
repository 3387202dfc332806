import type { EntityManager } from 'typeorm'
import { InvalidScopeError, PendingMigrationsError } from '../errors.js'
import { type ShardValue, valuesOrThrow, visitShards } from '../scopes/fan-out.js'
import type { ShardTargets } from '../scopes/targets.js'
import type { Runtime } from './runtime.js'
import { refuseInReplicaScope } from './schema/primaries.js'
import { pendingMigrations } from './schema/shard-migrations.js'
import { meantShards } from './shard-targets.js'

/**
 * Fills one shard with rows.
 *
 * @param manager - works in the transaction; what does not go through it is not rolled back
 */
export type Seed = (manager: EntityManager, shard: string) => unknown

/** Where seeds are run, and how. */
export interface SeedOptions extends ShardTargets {
  /** Whether they are run on all shards. */
  readonly all?: boolean
  /** Whether they are run although migrations are pending on a shard. Default: false. */
  readonly allowPending?: boolean
  /** How many shards are seeded at a time; the configuration's `fanOutConcurrency` by default. */
  readonly concurrency?: number
}

const seededShards = (runtime: Runtime, { all = false, ...named }: SeedOptions) => {
  const topology = runtime.store.current
  const isNamed = named.shards !== undefined || named.groups !== undefined
  if (all && isNamed)
    throw new InvalidScopeError('seed() takes either all: true, or shards and groups.')
  if (!all && !isNamed && topology.shardNames.length > 1)
    throw new InvalidScopeError(
      `seed() is not told on which shards: name shards (${topology.shardNames.join(', ')}) or groups (${[...topology.groups.keys()].join(', ') || 'none'}), or say all: true.`,
    )
  return meantShards(runtime, named)
}

/**
 * Runs seeds on shards, one after the other on each in one transaction on its primary.
 *
 * @returns how many seeds each shard had
 * @throws PendingMigrationsError before anything is run
 * @throws FanOutError after all shards have settled; what failed is rolled back
 */
export const seedShards = async (
  runtime: Runtime,
  seeds: readonly Seed[],
  options: SeedOptions,
): Promise<ShardValue<number>[]> => {
  const { concurrency = runtime.config.fanOutConcurrency, allowPending = false } = options
  refuseInReplicaScope(runtime, 'seed()')
  const shards = seededShards(runtime, options)
  const pending = allowPending ? [] : await pendingMigrations(runtime, shards)
  if (pending.length > 0) throw new PendingMigrationsError(pending)
  const outcomes = await visitShards(shards, concurrency, (name) =>
    runtime.scopes.using(name, () =>
      runtime.shard(name).view.transaction(async (manager) => {
        for (const seed of seeds) await seed(manager, name)
        return seeds.length
      }),
    ),
  )
  return valuesOrThrow(outcomes)
}

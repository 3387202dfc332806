import type { Assignment, KnownMigration } from './assignment.js'
import type { MigrationDirection } from './report.js'

/** What a migration is on one shard. */
export type MigrationState = 'done' | 'pending' | 'not targeted'

/**
 * How a migration on a shard differs from what the code says. `out of order`: it is pending, and a
 * later one is done. `misplaced`: it is done, and the shard is none of its targets.
 */
export type MigrationDrift = 'out of order' | 'misplaced'

/** One migration on one shard. */
export interface PlannedMigration {
  readonly migration: string
  readonly state: MigrationState
  readonly drift: MigrationDrift | undefined
}

/** All migrations on one shard. */
export type ShardPlan =
  | {
      readonly shard: string
      readonly kind: 'read'
      /** Every migration of the code, in the order in which they run. */
      readonly migrations: readonly PlannedMigration[]
      /** Done on the shard, and not in the code, in the order in which they were done. */
      readonly unknown: readonly string[]
      /** What was done last there, known or not; undefined if nothing was. */
      readonly last: string | undefined
    }
  | {
      readonly shard: string
      /** Its version table could not be read. */
      readonly kind: 'unreadable'
      readonly error: Error
    }

/** Migrations × shards. */
export interface MigrationPlan {
  /** Every migration of the code, in the order in which they run, with the shards on which they do. */
  readonly migrations: readonly {
    readonly migration: string
    readonly timestamp: number
    readonly shards: readonly string[]
  }[]
  readonly shards: readonly ShardPlan[]
  /** How many migrations are to run, summed over the shards. */
  readonly pending: number
  /** Whether nothing is pending and every shard could be read. */
  readonly isUpToDate: boolean
}

/** The migrations that are to run on a shard, in their order; none where it could not be read. */
export const pendingOn = (plan: ShardPlan): readonly string[] =>
  plan.kind === 'unreadable'
    ? []
    : plan.migrations.filter(({ state }) => state === 'pending').map(({ migration }) => migration)

/** The migrations of a shard whose `drift` is the given one. */
export const driftedOn = (plan: ShardPlan, drift: MigrationDrift): readonly string[] =>
  plan.kind === 'unreadable'
    ? []
    : plan.migrations.filter((each) => each.drift === drift).map(({ migration }) => migration)

/** What is to be known of a shard's drift before a run. */
export const driftWarnings = (
  plan: Extract<ShardPlan, { kind: 'read' }>,
  direction: MigrationDirection,
): readonly string[] => {
  const about = (names: readonly string[], what: string): readonly string[] =>
    names.length === 0 ? [] : [`${names.join(', ')}: ${what}`]
  const late = direction === 'up' ? driftedOn(plan, 'out of order') : []
  return [
    ...about(plan.unknown, 'done on the shard, and not in the code'),
    ...about(driftedOn(plan, 'misplaced'), 'done on the shard, which is none of its targets'),
    ...about(late, 'older than what is done on the shard; run all the same'),
  ]
}

/**
 * The plan of one shard.
 *
 * @param done - what its version table lists, in the order in which it was done
 */
export const planShard = <M extends KnownMigration>(
  shard: string,
  { migrations }: Assignment<M>,
  done: readonly string[],
): Extract<ShardPlan, { kind: 'read' }> => {
  const isDone = new Set(done)
  const known = new Set(migrations.map(({ migration }) => migration.name))
  const newest = Math.max(
    ...migrations.flatMap(({ migration: { name, timestamp } }) =>
      isDone.has(name) ? [timestamp] : [],
    ),
  )
  return {
    shard,
    kind: 'read',
    migrations: migrations.map(({ migration: { name, timestamp }, shards }) => {
      const isTarget = shards.has(shard)
      if (isDone.has(name))
        return { migration: name, state: 'done', drift: isTarget ? undefined : 'misplaced' }
      if (!isTarget) return { migration: name, state: 'not targeted', drift: undefined }
      const drift = timestamp < newest ? 'out of order' : undefined
      return { migration: name, state: 'pending', drift }
    }),
    unknown: done.filter((name) => !known.has(name)),
    last: done.at(-1),
  }
}

/** The plan of all shards. */
export const planOf = <M extends KnownMigration>(
  { migrations }: Assignment<M>,
  shards: readonly ShardPlan[],
): MigrationPlan => {
  const pending = shards.reduce((sum, plan) => sum + pendingOn(plan).length, 0)
  return {
    migrations: migrations.map(({ migration: { name, timestamp }, shards: targets }) => ({
      migration: name,
      timestamp,
      shards: [...targets],
    })),
    shards,
    pending,
    isUpToDate: pending === 0 && shards.every(({ kind }) => kind === 'read'),
  }
}

import { type MigrationPlan, type ShardPlan, driftedOn, pendingOn } from './plan.js'

/** Whether a shard is where it should be. */
export type ShardState = 'up to date' | 'pending' | 'drifted' | 'unreadable'

/** One shard's migrations in a line. */
export interface ShardStatus {
  readonly shard: string
  /** `drifted`: nothing is pending, and something is done that the code does not know or want there. */
  readonly state: ShardState
  readonly done: number
  readonly pending: readonly string[]
  /** What was done last. */
  readonly last: string | undefined
  /** Done there, and not in the code. */
  readonly unknown: readonly string[]
  /** Done there, and the shard is none of its targets. */
  readonly misplaced: readonly string[]
  /** Pending there, and older than what is done. */
  readonly outOfOrder: readonly string[]
  /** Why it could not be read; undefined if it could. */
  readonly error: Error | undefined
}

/** The shards' migrations, a line for each shard. */
export interface MigrationStatus {
  readonly shards: readonly ShardStatus[]
  readonly isUpToDate: boolean
}

const stateOf = (plan: ShardPlan): ShardState => {
  if (plan.kind === 'unreadable') return 'unreadable'
  if (pendingOn(plan).length > 0) return 'pending'
  const isDrifted = plan.unknown.length > 0 || driftedOn(plan, 'misplaced').length > 0
  return isDrifted ? 'drifted' : 'up to date'
}

const shardStatus = (plan: ShardPlan): ShardStatus => {
  const isRead = plan.kind === 'read'
  const done = isRead ? plan.migrations.filter(({ state }) => state === 'done').length : 0
  return {
    shard: plan.shard,
    state: stateOf(plan),
    done,
    pending: pendingOn(plan),
    last: isRead ? plan.last : undefined,
    unknown: isRead ? plan.unknown : [],
    misplaced: driftedOn(plan, 'misplaced'),
    outOfOrder: driftedOn(plan, 'out of order'),
    error: isRead ? undefined : plan.error,
  }
}

/** What a plan says in a line for each shard. */
export const statusOf = ({ shards, isUpToDate }: MigrationPlan): MigrationStatus => ({
  shards: shards.map(shardStatus),
  isUpToDate,
})

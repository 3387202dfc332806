import type { MigrationPlan, MigrationReport, MigrationStatus } from '../../index.js'
import { errorFacts } from '../exit.js'

/** A report as plain data. */
export const reportData = ({ shards, ...report }: MigrationReport): object => ({
  ...report,
  shards: shards.map(({ failure, ...shard }) => ({
    ...shard,
    failure: failure && { ...failure, error: errorFacts(failure.error) },
  })),
})

/** A plan as plain data. */
export const planData = ({ shards, ...plan }: MigrationPlan): object => ({
  ...plan,
  shards: shards.map((each) =>
    each.kind === 'unreadable' ? { ...each, error: errorFacts(each.error) } : each,
  ),
})

/** A status as plain data. */
export const statusData = ({ shards, ...status }: MigrationStatus): object => ({
  ...status,
  shards: shards.map(({ error, ...shard }) => ({ ...shard, error: error && errorFacts(error) })),
})

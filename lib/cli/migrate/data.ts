import type {
  MigrationEvent,
  MigrationPlan,
  MigrationReport,
  MigrationStatus,
} from '../../index.js'
import { errorFacts, withoutPasswords } from '../exit.js'

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

/** An event as plain data: without the passwords that an error's message may have in it. */
export const eventData = (event: MigrationEvent): MigrationEvent => {
  if (event.type !== 'migration-failed' && event.type !== 'shard-finished') return event
  const { error } = event
  if (error === undefined) return event
  return { ...event, error: { ...error, message: withoutPasswords(error.message) } }
}

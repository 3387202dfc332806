import { MigrationPlanError } from '../errors.js'
import type { MigrationPlan } from './plan.js'

/**
 * The migration that a revert is about: of those that were done last on their shards the latest. It is
 * reverted on each shard where nothing was done after it.
 *
 * @returns undefined if nothing is done anywhere
 * @throws MigrationPlanError if what was done last on a shard is not in the code, or does not run there
 */
export const lastDone = ({ migrations, shards }: MigrationPlan): string | undefined => {
  const order = new Map(migrations.map(({ migration }, index) => [migration, index]))
  const problems = shards.flatMap((plan) => {
    if (plan.kind === 'unreadable' || plan.last === undefined) return []
    const { shard, last: migration } = plan
    const planned = plan.migrations.find((each) => each.migration === migration)
    if (planned === undefined) return [{ shard, migration, message: notInCode }]
    return planned.drift === 'misplaced' ? [{ shard, migration, message: notThere }] : []
  })
  if (problems.length > 0) throw new MigrationPlanError(problems)
  const candidates = shards.flatMap((plan) =>
    plan.kind === 'unreadable' || plan.last === undefined ? [] : [plan.last],
  )
  return candidates.reduce<string | undefined>(
    (latest, name) =>
      latest === undefined || (order.get(name) ?? -1) > (order.get(latest) ?? -1) ? name : latest,
    undefined,
  )
}

const notInCode =
  'was done last there, and was not found in the source code. Bring it back, or leave the shard out'
const notThere =
  'was done last there, and does not run on that shard. Correct its targets, or leave the shard out'

/** The shards on which a migration is what was done last, and those of which that is not known. */
export const revertedOn = ({ shards }: MigrationPlan, migration: string): readonly string[] =>
  shards
    .filter((plan) => plan.kind === 'unreadable' || plan.last === migration)
    .map(({ shard }) => shard)

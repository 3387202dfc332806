import { type Frame, userScopes } from '../context/frame.js'
import { type ShardReason, shardRules } from '../trace/event.js'
import type { ExplainedRule } from './explain-role.js'

/** What the choice of a shard was made from. */
export interface ShardChoice {
  readonly shard: string
  readonly by: ShardReason
  readonly entity: string | undefined
  readonly frame: Frame | undefined
}

/** The scope that names the shard. */
const naming = (frame: Frame | undefined): string => {
  const scope = userScopes(frame).findLast(({ namesShard }) => namesShard)
  if (scope === undefined) return 'a scope'
  return scope.callSite === undefined ? scope.label : `${scope.label} (${scope.callSite})`
}

const because: Readonly<Record<ShardReason, (choice: ShardChoice) => string>> = {
  runner: ({ shard }) => `the query runner that was given works on ${shard}`,
  unsharded: ({ entity, shard }) =>
    `${entity ?? 'the entity'} is outside sharding and lives on ${shard}`,
  handle: ({ shard }) => `it was asked of a handle of ${shard}`,
  home: ({ shard }) => `the entity is at home on ${shard}`,
  untracked: ({ shard }) => `the entity has no home, and work here is on ${shard}`,
  scope: ({ frame }) => `${naming(frame)} is the nearest scope that names a shard`,
  environment: ({ shard }) => `OCTOPUS_SHARD is ${shard}`,
  default: ({ shard }) => `nothing names a shard, and ${shard} is the default one`,
}

const whyNot: Readonly<Record<ShardReason, (choice: ShardChoice) => string>> = {
  runner: () => 'no query runner was given',
  unsharded: ({ entity }) =>
    entity === undefined ? 'it is about no entity that is known' : `${entity} is sharded`,
  handle: () => 'it was not asked of a handle, such as db.shard(name)',
  home: () => 'it is not about one entity that was loaded or saved',
  untracked: () => 'no entity without a home is saved',
  scope: () => 'no scope around it names a shard',
  environment: () => 'OCTOPUS_SHARD is not set',
  default: () => 'something names a shard',
}

/** The shard rules as they were asked, up to the one that decided. */
export const explainShard = (choice: ShardChoice): readonly ExplainedRule<ShardReason>[] => [
  ...shardRules.slice(0, shardRules.indexOf(choice.by)).map((rule) => ({
    rule,
    applied: false,
    why: whyNot[rule](choice),
  })),
  { rule: choice.by, applied: true, why: because[choice.by](choice) },
]

import {
  InstanceChecker,
  type EntityTarget,
  type ObjectLiteral,
  type SelectQueryBuilder,
} from 'typeorm'
import { decide } from '../router/decide.js'
import type { Intent } from '../router/request.js'
import type { Role, RouteReason, ShardReason } from '../trace/event.js'
import { entityName, targetOf } from './binding.js'
import { readIntent } from './select-builder.js'
import type { Runtime } from './runtime.js'

const intents = {
  find: 'read',
  count: 'read',
  lock: 'lock',
  save: 'persist',
  remove: 'persist',
  insert: 'write',
  update: 'write',
  delete: 'write',
  query: 'raw',
  transaction: 'transaction',
} as const satisfies Record<string, Intent>

/** An operation whose route can be explained. */
export type ExplainOperation = keyof typeof intents

/** Where an operation would go, and why. */
export interface Explanation {
  readonly shard: string
  readonly shardReason: ShardReason
  readonly role: Role
  readonly replicaGroup: string | undefined
  readonly reason: RouteReason
  /** The rules asked before `reason`, which did not apply. */
  readonly passedOver: readonly RouteReason[]
  /** The servers that the balancer would choose from. */
  readonly candidates: readonly string[]
  /** The decision in words. */
  readonly text: string
}

const isBuilder = (target: unknown): target is SelectQueryBuilder<ObjectLiteral> =>
  InstanceChecker.isSelectQueryBuilder(target)

/** The decision that `decide` makes for a target, here and now. */
export const explain = (
  runtime: Runtime,
  target: EntityTarget<ObjectLiteral> | SelectQueryBuilder<ObjectLiteral>,
  operation: ExplainOperation,
): Explanation => {
  const dataSource = isBuilder(target) ? target.connection : runtime.front
  const metadata = isBuilder(target)
    ? target.expressionMap.mainAlias?.metadata
    : runtime.metadataOf(targetOf(dataSource).shard, target)
  const place = targetOf(dataSource, metadata)
  const intent = isBuilder(target) ? readIntent(target) : intents[operation]
  const request = {
    intent,
    operation,
    shard: { name: place.shard.name, by: place.by },
    isReplicated: intent !== 'read' || runtime.isReplicated(metadata),
  }
  const { current } = runtime.store
  const route = decide(request, place.frame, current, runtime.now(), runtime.policy)
  const { shard, role, replicaGroup, reason, shardReason, passedOver } = route
  const candidates = runtime.pools.candidatesOf(route, place.shard.topology).map(({ node }) => node)
  const what = isBuilder(target) ? (metadata?.name ?? 'the query') : entityName(target)
  const text = `${operation} ${what} → ${shard}/${role} (${candidates.join(', ')}): ${reason}; shard by ${shardReason}.`
  return { shard, shardReason, role, replicaGroup, reason, passedOver, candidates, text }
}

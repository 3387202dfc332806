import type { DataSource, EntityMetadata, ObjectLiteral, QueryBuilder, QueryRunner } from 'typeorm'
import type { Intent } from '../router/request.js'
import { livesOn, refusedElsewhere } from '../router/unsharded.js'
import { boundTo, checkSameEngine, stateOf, targetOf } from './binding.js'
import { assign } from './internals.js'
import { refuseOnReplica } from './read-only-guard.js'
import type { Shard } from './shard.js'

/** What the builders need of each other, beside TypeORM's own declarations. */
export type AnyBuilder = Omit<QueryBuilder<ObjectLiteral>, 'dataSource'> & {
  readonly dataSource: DataSource
  // Protected in TypeORM's declarations.
  readonly queryRunner?: QueryRunner | undefined
  readonly parentQueryBuilder?: QueryBuilder<any> | undefined
}

/** A builder with the fields that TypeORM protects. */
export const builder = (own: QueryBuilder<any>): AnyBuilder => own as unknown as AnyBuilder

/** The metadata of the entity that a builder is about. */
export const mainMetadata = ({
  expressionMap: { mainAlias },
}: Pick<AnyBuilder, 'expressionMap'>): EntityMetadata | undefined =>
  mainAlias?.hasMetadata ? mainAlias.metadata : undefined

/** What a builder does, for messages. */
export const operationOf = ({ expressionMap: { queryType } }: AnyBuilder): string =>
  queryType === 'soft-delete' ? 'softDelete' : queryType

/**
 * Takes a builder to the home of the entities that it names. One that is bound to a shard by a handle
 * or a query runner stays there.
 *
 * @throws CrossShardError if they are of different shards, or of another than the builder is bound to
 * @throws EngineMismatchError if the builder was made for another engine
 */
export const goHome = (own: AnyBuilder, named: readonly object[]): void => {
  if (named.length === 0) return
  const binding = boundTo(own.dataSource)
  const { homes, pins } = binding.runtime
  if (pins.of(mainMetadata(own)) !== undefined) return
  // Of an entity outside sharding only the id counts.
  const sharded = pins.isEmpty ? named : named.filter(({ constructor }) => !pins.has(constructor))
  const operation = operationOf(own)
  const home = homes.common(sharded, operation)
  if (home === undefined) return
  const handle = binding.by === 'handle' ? binding.shard : undefined
  const bound = stateOf(own.queryRunner)?.shard ?? handle
  if (bound !== undefined) return homes.checkNotForeign(sharded, bound, operation)
  const { because } = binding
  if (because !== undefined && because.shard !== home.shard)
    throw homes.mixed(because, home, operation)
  checkSameEngine(binding.shard, home.shard)
  assign(own, { dataSource: binding.runtime.homeSource(home, binding.frame) })
}

/**
 * Takes a builder whose entity is outside sharding to the entity's shard before its metadata is looked
 * up: the shard may be of another engine.
 *
 * @throws CrossShardError if the entity is strict and on another shard than was named, or is asked for
 *   in a subquery of an entity that lives elsewhere
 */
export const followPin = (own: AnyBuilder, target: unknown): void => {
  const binding = boundTo(own.dataSource)
  const { runtime } = binding
  if (runtime.pins.isEmpty || own.queryRunner !== undefined) return
  const metadata = runtime.metadataOf(binding.shard, target)
  const around = own.parentQueryBuilder && mainMetadata(own.parentQueryBuilder)
  if (metadata === undefined) return
  if (around !== undefined && runtime.pins.areApart(around, metadata))
    throw runtime.pins.together(around, metadata)
  if (runtime.pins.of(metadata) === undefined) return
  const { shard, by } = runtime.target(binding, metadata)
  if (shard === binding.shard) return
  const dataSource = binding.isFloating ? shard.floating : shard.boundIn(binding.frame, by)
  assign(own, { dataSource })
  Object.assign(own.expressionMap, { dataSource })
}

/**
 * Settles where a builder runs now: on its runner's shard, on the shard it is bound to, or, made
 * outside every scope, on the shard of the scope around this call. Its SQL is built for that shard.
 *
 * @throws EngineMismatchError if it was built for another engine
 * @throws CrossShardError if it names an entity of another shard than its runner's, or if its entity
 *   is outside sharding, strict and not on the shard that was named
 */
export const settle = (own: AnyBuilder): Shard => {
  const runnerState = stateOf(own.queryRunner)
  if (runnerState !== undefined) return settleOnRunner(own, runnerState.shard)
  const binding = boundTo(own.dataSource)
  if (!binding.isFloating && binding.runtime.pins.isEmpty) return binding.shard
  const { shard, by } = binding.runtime.target(binding, mainMetadata(own))
  if (shard === binding.shard) return shard
  checkSameEngine(binding.shard, shard)
  const dataSource = binding.isFloating ? shard.floating : shard.boundIn(binding.frame, by)
  assign(own, { dataSource })
  return shard
}

const settleOnRunner = (own: AnyBuilder, shard: Shard): Shard => {
  const { shard: bound, because, isFloating, runtime } = boundTo(own.dataSource)
  const pin = runtime.pins.of(mainMetadata(own))
  if (pin?.isStrict && !livesOn(pin, shard.name)) throw refusedElsewhere(pin, shard.name)
  if (shard === bound && !isFloating) return shard
  if (because !== undefined)
    runtime.homes.checkNotForeign([because.entity], shard, operationOf(own))
  checkSameEngine(bound, shard)
  assign(own, { dataSource: shard.view })
  return shard
}

/** A runner for one execution of the builder. */
export const openRunner = (own: AnyBuilder, intent: Intent, operation: string): QueryRunner => {
  settle(own)
  if (own.queryRunner !== undefined) {
    if (intent === 'write') refuseOnReplica(own.queryRunner, operation)
    return own.queryRunner
  }
  const metadata = mainMetadata(own)
  const { runtime, shard, by, frame } = targetOf(own.dataSource, metadata)
  return runtime.openRunner(shard, by, frame, intent, operation, metadata)
}

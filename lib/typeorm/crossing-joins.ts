import type { EntityMetadata } from 'typeorm'
import { type Pin, livesOn } from '../router/unsharded.js'
import { boundTo } from './binding.js'
import { type AnyBuilder, mainMetadata } from './settle.js'
import type { Shard } from './shard.js'

/** Tables of a relation belong to the entity that owns it. */
const isEntity = ({ tableType }: EntityMetadata): boolean =>
  tableType !== 'junction' && tableType !== 'closure-junction'

/** Whether two entities may be in one query on a shard. */
const areTogether = (one: Pin | undefined, other: Pin | undefined, { name }: Shard): boolean => {
  if (one !== undefined && other !== undefined)
    return one.shard === other.shard || (livesOn(one, name) && livesOn(other, name))
  return (one ?? other)?.allowShard.includes(name) ?? true
}

/**
 * Refuses a query that joins an entity outside sharding with one that is sharded, or that lives on
 * another shard: on every shard, so that none works by luck. Where the query's shard is one of the
 * entity's `allowShard` it counts as sharded.
 *
 * @throws CrossShardError naming both
 */
export const refuseCrossingJoins = (
  own: Pick<AnyBuilder, 'expressionMap' | 'dataSource'>,
  shard: Shard,
): void => {
  const { pins } = boundTo(own.dataSource).runtime
  const main = mainMetadata(own)
  if (pins.isEmpty || main === undefined) return
  const check = (other: EntityMetadata): void => {
    if (isEntity(other) && !areTogether(pins.of(main), pins.of(other), shard))
      throw pins.together(main, other)
  }
  const { aliases, relationIdAttributes } = own.expressionMap
  for (const alias of aliases) if (alias.hasMetadata) check(alias.metadata)
  for (const { relation } of relationIdAttributes)
    if (!relation.isWithJoinColumn) check(relation.inverseEntityMetadata)
}

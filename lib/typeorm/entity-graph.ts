import type { EntityMetadata } from 'typeorm'
import { isLazySettling } from './internals.js'
import type { Pins } from './unsharded.js'

const cascades = ['isCascadeInsert', 'isCascadeUpdate', 'isCascadeRemove'] as const

/** Entities with what they are, in the order in which they are reached. */
export type EntityGraph = ReadonlyMap<object, EntityMetadata | undefined>
type Found = Map<object, EntityMetadata | undefined>

type MetadataFor = (entity: object) => EntityMetadata | undefined

/** Adds what a save of `entity` looks at: its related entities, and theirs where it cascades. Lazy
 *  relations that are not loaded are not. */
const reach = (entity: object, metadata: EntityMetadata, found: Found, pins: Pins): void => {
  if (found.has(entity)) return
  found.set(entity, metadata)
  if (metadata.relations.length === 0) return
  const own = metadata.findInheritanceMetadata(entity)
  for (const [relation, value, inverse] of own.extractRelationValuesFromEntity(
    entity,
    own.relations,
  )) {
    // A relation can also hold the bare id of what it refers to.
    if (typeof value !== 'object' || value === null) continue
    const doesCascade = cascades.some((kind) => relation[kind])
    // What is written of an entity that lives elsewhere is its id.
    if (pins.areApart(own, inverse)) pins.checkOnlyIds(relation, doesCascade)
    else if (doesCascade) reach(value as object, inverse, found, pins)
    else if (!found.has(value as object)) found.set(value as object, inverse)
  }
}

/** Whether a lazy relation of one of them was just set: its value is known a moment later. */
export const isSettling = (graph: EntityGraph): boolean => {
  for (const [entity, metadata] of graph)
    if (metadata?.lazyRelations.some((relation) => isLazySettling(entity, relation)) === true)
      return true
  return false
}

/**
 * The entities that saving or removing `entities` touches, those given first.
 *
 * @param metadataFor - the metadata of one of the given entities; undefined for what is no entity
 * @throws CrossShardError if sharded entities and ones outside sharding would be written together
 */
export const entityGraph = (
  entities: unknown,
  metadataFor: MetadataFor,
  pins: Pins,
): EntityGraph => {
  const found: Found = new Map()
  let first: EntityMetadata | undefined
  for (const entity of Array.isArray(entities) ? (entities as unknown[]) : [entities]) {
    // TypeORM says itself what is wrong with anything else.
    if (typeof entity !== 'object' || entity === null) continue
    const metadata = metadataFor(entity)
    if (metadata === undefined) {
      found.set(entity, undefined)
      continue
    }
    first ??= metadata
    if (pins.areApart(first, metadata)) throw pins.together(first, metadata)
    reach(entity, metadata, found, pins)
  }
  return found
}

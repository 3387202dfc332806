import type { EntityMetadata } from 'typeorm'

const cascades = ['isCascadeInsert', 'isCascadeUpdate', 'isCascadeRemove'] as const

/** Adds what a save of `entity` looks at: its related entities, and theirs where it cascades. Lazy
 *  relations that are not loaded are not. */
const reach = (entity: object, metadata: EntityMetadata, found: Set<object>): void => {
  if (found.has(entity)) return
  found.add(entity)
  if (metadata.relations.length === 0) return
  const own = metadata.findInheritanceMetadata(entity)
  for (const [relation, value, inverse] of own.extractRelationValuesFromEntity(
    entity,
    own.relations,
  )) {
    // A relation can also hold the bare id of what it refers to.
    if (typeof value !== 'object' || value === null) continue
    if (cascades.some((kind) => relation[kind])) reach(value as object, inverse, found)
    else found.add(value as object)
  }
}

/**
 * The entities that saving or removing `entities` touches, those given first.
 *
 * @param metadataFor - the metadata of one of the given entities; undefined for what is no entity
 */
export const entityGraph = (
  entities: unknown,
  metadataFor: (entity: object) => EntityMetadata | undefined,
): readonly object[] => {
  const found = new Set<object>()
  for (const entity of Array.isArray(entities) ? (entities as unknown[]) : [entities]) {
    // TypeORM says itself what is wrong with anything else.
    if (typeof entity !== 'object' || entity === null) continue
    const metadata = metadataFor(entity)
    if (metadata === undefined) found.add(entity)
    else reach(entity, metadata, found)
  }
  return [...found]
}

import type { EntityManager, EntityMetadata } from 'typeorm'
import { boundTo } from './binding.js'
import type { Homes } from './homes.js'
import type { Runtime } from './runtime.js'

/**
 * Makes an entity from values, as `create` and `merge` do: on a handle or in a transaction it is at home
 * there, with what is made for its relations; elsewhere in a scope that names a shard, on that shard.
 *
 * @param values - what it is made from
 */
export const makeEntity = <E>(
  manager: EntityManager,
  operation: 'create' | 'merge',
  target: unknown,
  values: readonly unknown[],
  make: () => E,
): E => {
  const { isFloating, runtime, shard } = boundTo(manager.dataSource)
  const made = (): E => {
    const entity = make()
    if (typeof entity === 'object' && entity !== null && !Array.isArray(entity)) {
      const metadata = runtime.metadataOf(shard, target)
      // TypeORM merges what a server generated into the rows of an insert: literals stay values.
      if (!isLiteralOf(entity, metadata)) recordMade(runtime, entity, metadata)
      if (metadata !== undefined)
        for (const given of values)
          // What `merge` is given in a lazy relation's own property is nothing to TypeORM.
          copyHomes(given, entity, metadata, runtime.homes, operation === 'create')
    }
    return entity
  }
  if (isFloating && manager.queryRunner === undefined) return made()
  const change = { label: operation, origin: 'library', shard: shard.name } as const
  return runtime.scopes.enter(change, made)
}

const isLiteralOf = (entity: object, metadata: EntityMetadata | undefined): boolean =>
  typeof metadata?.target === 'function' && !(entity instanceof metadata.target)

const recordMade = (
  runtime: Runtime,
  entity: object,
  metadata: EntityMetadata | undefined,
): void => {
  const scope = runtime.scopes.current()?.shard
  if (scope !== undefined && runtime.homes.get(entity) === undefined)
    runtime.homes.set(entity, runtime.shard(scope).homeOf(metadata))
}

/** TypeORM copies the entities that relations name: each copy stands for the row that it was made from,
 *  and has its home. */
const copyHomes = (
  given: unknown,
  made: object,
  { relations }: EntityMetadata,
  homes: Homes,
  withLazy: boolean,
): void => {
  if (typeof given !== 'object' || given === null) return
  for (const relation of relations) {
    const originals = listOf(relation.getEntityValue(given, withLazy))
    if (originals.length === 0) continue
    const { inverseEntityMetadata: metadata } = relation
    const copies = listOf(relation.getEntityValue(made))
    const isList = relation.isOneToMany || relation.isManyToMany
    for (const original of originals) {
      const copy = isList
        ? copies.find((each) => metadata.compareEntities(original, each))
        : copies[0]
      if (copy === undefined || copy === original) continue
      const home = homes.of(original)
      if (home !== undefined) homes.set(copy, home)
      copyHomes(original, copy, metadata, homes, withLazy)
    }
  }
}

const listOf = (value: unknown): object[] =>
  (Array.isArray(value) ? value : [value]).filter(
    (each): each is object => typeof each === 'object' && each !== null,
  )

import { CrossShardError } from '../errors.js'
import { entityName } from './binding.js'
import { createMarks } from './marks.js'
import type { Shard } from './shard.js'

/** Which shard each entity came from. Entities remember a shard, never a server. */
export class Homes {
  readonly #homes = createMarks<Shard>()

  /** The home of an entity, if it has one. */
  get(entity: unknown): Shard | undefined {
    return typeof entity === 'object' && entity !== null ? this.#homes.get(entity) : undefined
  }

  /** Records the home of an entity, or of each in a list. */
  set(entity: unknown, shard: Shard): void {
    if (Array.isArray(entity)) for (const each of entity) this.set(each, shard)
    else if (typeof entity === 'object' && entity !== null) this.#homes.set(entity, shard)
  }

  /**
   * The one home of what is worked on together; those without a home go along.
   *
   * @param operation - what is done to them, for the message
   * @throws CrossShardError if they come from different shards
   */
  common(entities: unknown, operation: string): Shard | undefined {
    if (!Array.isArray(entities)) return this.get(entities)
    let found: { readonly shard: Shard; readonly entity: unknown } | undefined
    for (const entity of entities) {
      const shard = this.get(entity)
      if (shard === undefined || shard === found?.shard) continue
      if (found !== undefined)
        throw new CrossShardError(
          `${operation} got or reached entities of different shards: ${nameOf(found.entity)} and ${nameOf(entity)}`,
          [found.shard.name, shard.name],
          'Group them by shardOf(entity) and handle each group on its own.',
        )
      found = { shard, entity }
    }
    return found?.shard
  }

  /**
   * Checks that work bound to `shard` gets no entity of another.
   *
   * @throws CrossShardError naming the entity and both shards
   */
  checkNotForeign(entities: unknown, shard: Shard, operation: string): void {
    const foreign = (Array.isArray(entities) ? entities : [entities]).find((entity) => {
      const home = this.get(entity)
      return home !== undefined && home !== shard
    }) as unknown
    const home = this.get(foreign)
    if (home === undefined) return
    throw new CrossShardError(
      `${operation} on a handle, transaction or query runner got or reached an entity of another shard: ${nameOf(foreign)}`,
      [shard.name, home.name],
      `Use the data source itself, or db.shard("${home.name}"); to copy the entity, create a new one from its values.`,
    )
  }
}

const nameOf = (entity: unknown): string => entityName((entity as object).constructor) ?? 'entity'

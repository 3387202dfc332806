import type { EntityMetadata } from 'typeorm'
import { CrossShardError } from '../errors.js'
import { entityName } from './binding.js'
import { createMarks } from './marks.js'
import type { Shard } from './shard.js'

/** A shard as the home of the entities of one kind. One object serves all of them. */
export interface Home {
  readonly shard: Shard
  /** Undefined where it is not known what they are. */
  readonly metadata: EntityMetadata | undefined
}

/** An entity with the shard it is at home on. */
export interface Homed {
  readonly entity: object
  readonly shard: Shard
}

/** Which shard each entity came from. Entities remember a shard, never a server. */
export class Homes {
  readonly #homes = createMarks<Home | undefined>()

  /** The home of an entity, if it has one, with what the entity is. */
  of(entity: unknown): Home | undefined {
    return typeof entity === 'object' && entity !== null ? this.#homes.get(entity) : undefined
  }

  /** The shard of an entity's home, if it has one. */
  get(entity: unknown): Shard | undefined {
    return this.of(entity)?.shard
  }

  /** Records the home of an entity, or of each in a list. */
  set(entity: unknown, home: Home): void {
    if (Array.isArray(entity)) for (const each of entity) this.set(each, home)
    else if (typeof entity === 'object' && entity !== null) this.#homes.set(entity, home)
  }

  /** Forgets the homes of entities that did not come into being. */
  forget(entities: Iterable<object>): void {
    for (const entity of entities) this.#homes.set(entity, undefined)
  }

  /**
   * The one home of what is worked on together, with the first entity that has it; those without a
   * home go along.
   *
   * @param operation - what is done to them, for the message
   * @throws CrossShardError if they come from different shards
   */
  common(entities: Iterable<unknown>, operation: string): Homed | undefined {
    let found: Homed | undefined
    for (const entity of entities) {
      const shard = this.get(entity)
      if (shard === undefined || shard === found?.shard) continue
      const homed = { entity: entity as object, shard }
      if (found !== undefined) throw this.mixed(found, homed, operation)
      found = homed
    }
    return found
  }

  /**
   * Checks that work bound to `shard` gets no entity of another.
   *
   * @throws CrossShardError naming the entity and both shards
   */
  checkNotForeign(entities: Iterable<unknown>, shard: Shard, operation: string): void {
    for (const entity of entities) {
      const home = this.get(entity)
      if (home === undefined || home === shard) continue
      throw new CrossShardError(
        `${operation} on a handle, transaction or query runner got or reached an entity of another shard: ${this.#nameOf(entity)}`,
        [shard.name, home.name],
        `Use the data source itself, or db.shard("${home.name}"); to copy the entity, create a new one from its values.`,
      )
    }
  }

  /** What to throw where one operation names two entities of different shards. */
  mixed(first: Homed, second: Homed, operation: string): CrossShardError {
    return new CrossShardError(
      `${operation} got or reached entities of different shards: ${this.#nameOf(first.entity)} and ${this.#nameOf(second.entity)}`,
      [first.shard.name, second.shard.name],
      'Group them by shardOf(entity) and handle each group on its own.',
    )
  }

  /** Whether two entities are of one kind, on one shard, with one id. */
  areSame(one: object, other: object): boolean {
    const [home, otherHome] = [this.of(one), this.of(other)]
    if (home?.metadata === undefined || home.shard !== otherHome?.shard) return false
    const isOneKind = rootOf(home.metadata) === rootOf(otherHome.metadata)
    return isOneKind && home.metadata.compareEntities(one, other)
  }

  #nameOf(entity: unknown): string {
    const { name } = this.of(entity)?.metadata ?? {}
    return name ?? entityName((entity as object).constructor) ?? 'entity'
  }
}

/** What an entity is in the end: one of a child class is also one of its parent's table. */
const rootOf = (metadata: EntityMetadata | undefined): unknown => {
  let root = metadata
  while (root?.tableType === 'entity-child') root = root.parentEntityMetadata
  return root?.target
}

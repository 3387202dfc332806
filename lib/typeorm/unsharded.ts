import type { EntityMetadata } from 'typeorm'
import type { RelationMetadata } from 'typeorm/metadata/RelationMetadata.js'
import { ConfigError, CrossShardError, UnknownShardError } from '../errors.js'
import type { ResolvedConfig, ResolvedUnsharded } from '../config/resolved.js'
import type { Pin } from '../router/unsharded.js'

/** Settings of {@link Unsharded}. */
export interface UnshardedSettings {
  /** Further shards that have the entity: a scope or handle that names one of them is followed. */
  readonly allowShard?: readonly string[]
  /** Whether a scope or handle that names any other shard throws. Default: the option `strict`. */
  readonly strict?: boolean
}

type Declared = Omit<ResolvedUnsharded, 'entity'>

const declared = new WeakMap<object, Declared>()

/**
 * Keeps an entity, and the classes that extend it, outside sharding: it lives on one shard, whatever
 * the scope or handle. Whether the shards exist is checked when the data source is initialized.
 *
 * @param shard - the shard it lives on; the default shard where it is left out
 * @returns a class decorator, for legacy and for standard decorators
 */
export const Unsharded =
  (shard?: string, { allowShard = [], strict }: UnshardedSettings = {}) =>
  (entity: Function, _context?: ClassDecoratorContext): void => {
    declared.set(entity, { shard, allowShard: [...allowShard], strict })
  }

/** What a class or one that it extends declares. */
const declaredOn = (target: Function | string): Declared | undefined => {
  if (typeof target !== 'function') return undefined
  for (
    let at: object | null = target;
    at !== null && at !== Function.prototype;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    const found = declared.get(at)
    if (found !== undefined) return found
  }
  return undefined
}

const isListed = ({ target, name, tableName }: EntityMetadata, entity: unknown): boolean =>
  typeof entity === 'string'
    ? entity === name || entity === tableName
    : entity === target || (entity as { options?: { name?: string } }).options?.name === name

/** The entities outside sharding of one wrapped data source. */
export class Pins {
  readonly #config: () => ResolvedConfig
  readonly #pins = new Map<unknown, Pin>()

  /** @param config - tells the configuration of the moment */
  constructor(config: () => ResolvedConfig) {
    this.#config = config
  }

  /** Whether every entity is sharded. */
  get isEmpty(): boolean {
    return this.#pins.size === 0
  }

  /** Where an entity lives that is outside sharding; undefined for others. */
  of(metadata: EntityMetadata | undefined): Pin | undefined {
    return this.#pins.size === 0 ? undefined : this.#pins.get(metadata?.target)
  }

  /** Whether the entity of a class is outside sharding. */
  has(target: unknown): boolean {
    return this.#pins.has(target)
  }

  /** The names of the entities outside sharding that live on a shard. */
  livingOn(shard: string): readonly string[] {
    return [...this.#pins.values()].filter((pin) => pin.shard === shard).map(({ entity }) => entity)
  }

  /** Whether two entities live on different shards for ever: one is sharded and the other not, or
   *  both are outside sharding, elsewhere. */
  areApart(one: EntityMetadata, other: EntityMetadata): boolean {
    return this.#pins.size > 0 && this.of(one)?.shard !== this.of(other)?.shard
  }

  /**
   * Checks that writing a relation between two such entities writes an id into a column of the side
   * that is saved.
   *
   * @throws CrossShardError if it would write the other entity's table or rows
   */
  checkOnlyIds(relation: RelationMetadata, doesCascade: boolean): void {
    if (relation.isWithJoinColumn && !doesCascade) return
    throw this.together(relation.entityMetadata, relation.inverseEntityMetadata)
  }

  /** What to throw where one statement or transaction would need both of two entities. */
  together(one: EntityMetadata, other: EntityMetadata): CrossShardError {
    return new CrossShardError(
      `${this.#told(one)} and ${this.#told(other)} cannot be joined or written together`,
      [...new Set([one, other].flatMap((metadata) => this.of(metadata)?.shard ?? []))],
      'Refer to the one by its id in the other, and load or save each on its own.',
    )
  }

  #told(metadata: EntityMetadata): string {
    const pin = this.of(metadata)
    return pin === undefined
      ? `${metadata.name}, which is sharded,`
      : `${metadata.name}, which lives on shard "${pin.shard}",`
  }

  /**
   * Takes in what the entity classes and the configuration say.
   *
   * @throws UnknownShardError if one names a shard that does not exist
   * @throws ConfigError if the configuration lists what is no entity
   */
  learn(metadatas: readonly EntityMetadata[]): void {
    const { enabled, unsharded } = this.#config()
    if (!enabled) return
    const missing = unsharded.filter(
      ({ entity }) => !metadatas.some((metadata) => isListed(metadata, entity)),
    )
    if (missing.length > 0)
      throw new ConfigError(
        missing.map(({ entity }) => ({
          path: 'unsharded',
          message: `lists ${nameOf(entity)}, which is not an entity of the data source; correct or remove it`,
        })),
      )
    for (const metadata of metadatas) {
      const found =
        unsharded.find(({ entity }) => isListed(metadata, entity)) ?? declaredOn(metadata.target)
      if (found !== undefined) this.#pins.set(metadata.target, this.#pin(metadata.name, found))
    }
  }

  #pin(entity: string, { shard, allowShard, strict }: Declared): Pin {
    const { defaultShard, shards, strict: isStrict } = this.#config()
    const known = shards.map(({ name }) => name)
    for (const name of [shard ?? defaultShard, ...allowShard])
      if (!known.includes(name))
        throw new UnknownShardError(name, known, ` The unsharded entity ${entity} names it.`)
    return { entity, shard: shard ?? defaultShard, allowShard, isStrict: strict ?? isStrict }
  }
}

const nameOf = (entity: string | Function | object): string =>
  typeof entity === 'string'
    ? `"${entity}"`
    : typeof entity === 'function'
      ? entity.name
      : 'a schema'

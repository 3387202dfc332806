import { compareSchemas } from '../../schema/compare.js'
import type { SchemaDifference } from '../../schema/difference.js'
import { type ShardSchema, majorityOf } from '../../schema/reference.js'
import type { SchemaFlavour, SchemaSnapshot } from '../../schema/snapshot.js'
import { type ShardSettled, visitShards } from '../../scopes/fan-out.js'
import { shardNamed } from '../../scopes/scopes.js'
import type { ShardTargets } from '../../scopes/targets.js'
import type { Runtime } from '../runtime.js'
import { meantShards } from '../shard-targets.js'
import { canRead, readSchema } from './read.js'
import { UnshardedTables } from './unsharded-tables.js'

/** What `schema.diff()` compares. */
export interface SchemaDiffOptions extends ShardTargets {
  /**
   * The shard that is right. Default: for each engine, the first shard of the largest number of them
   * that have the same schema.
   */
  readonly reference?: string
  /** How many shards are read at a time; the configuration's `fanOutConcurrency` by default. */
  readonly concurrency?: number
}

/** What `schema.diff()` found on one shard. */
export type ShardSchemaDiff =
  | { readonly shard: string; readonly status: 'reference' }
  | { readonly shard: string; readonly status: 'same'; readonly reference: string }
  | {
      readonly shard: string
      readonly status: 'different'
      readonly reference: string
      readonly differences: readonly SchemaDifference[]
    }
  /** There is no shard of the same engine to compare it with. */
  | { readonly shard: string; readonly status: 'not comparable'; readonly reason: string }
  /** It could not be read. */
  | { readonly shard: string; readonly status: 'failed'; readonly error: unknown }

/** What `schema.diff()` found. */
export interface SchemaDiff {
  /** Whether every shard could be compared, and none differs. */
  readonly isSame: boolean
  /** One for each shard, in the order of the configuration. */
  readonly shards: readonly ShardSchemaDiff[]
}

/** A schema that was read, or why it was not. */
type Reading = ShardSettled<SchemaSnapshot | undefined>

/** Compares the schemas of shards, as they are on their primaries. */
export const diffSchemas = async (
  runtime: Runtime,
  { reference, concurrency = runtime.config.fanOutConcurrency, ...targets }: SchemaDiffOptions,
): Promise<SchemaDiff> => {
  const topology = runtime.store.current
  const asked = meantShards(runtime, targets)
  const named = reference === undefined ? undefined : shardNamed(topology, reference).name
  const names = topology.shardNames.filter((name) => name === named || asked.includes(name))
  const readings = await visitShards(names, concurrency, async (name) => {
    const shard = runtime.shard(name)
    return canRead(shard) ? readSchema(shard) : undefined
  })
  const comparison = new Comparison(schemasIn(readings), named, new UnshardedTables(runtime))
  const shards = readings.map((reading) => comparison.outcomeOf(reading))
  return {
    isSame: shards.every(({ status }) => status === 'same' || status === 'reference'),
    shards,
  }
}

const schemasIn = (readings: readonly Reading[]): ShardSchema[] =>
  readings.flatMap((reading) =>
    reading.status === 'fulfilled' && reading.value !== undefined
      ? [{ shard: reading.shard, schema: reading.value }]
      : [],
  )

/** In what a shard differs from another, apart from tables that are to be on one of them only. */
export const compareShards = (
  tables: UnshardedTables,
  reference: ShardSchema,
  actual: ShardSchema,
): SchemaDifference[] => {
  const both = [reference.shard, actual.shard]
  return compareSchemas(
    tables.commonTo(both, reference.schema),
    tables.commonTo(both, actual.schema),
  )
}

/** Schemas that were read, each to be compared with the reference of its flavour. */
class Comparison {
  readonly #schemas: readonly ShardSchema[]
  readonly #named: string | undefined
  readonly #tables: UnshardedTables
  readonly #references: ReadonlyMap<SchemaFlavour, ShardSchema>

  constructor(schemas: readonly ShardSchema[], named: string | undefined, tables: UnshardedTables) {
    this.#schemas = schemas
    this.#named = named
    this.#tables = tables
    this.#references = this.#chosen()
  }

  /** By flavour, the shard that the others are compared with. */
  #chosen(): ReadonlyMap<SchemaFlavour, ShardSchema> {
    const named = this.#schemas.filter(({ shard }) => shard === this.#named)
    const right = this.#named === undefined ? this.#schemas : named
    const shared = right.map(({ shard, schema }) => ({
      shard,
      schema: this.#tables.without(schema),
    }))
    const references = new Map<SchemaFlavour, ShardSchema>()
    for (const flavour of new Set(right.map(({ schema }) => schema.flavour))) {
      const [first, ...others] = shared.filter(({ schema }) => schema.flavour === flavour)
      if (first === undefined) continue
      const { shard } = majorityOf([first, ...others])
      const reference = right.find((each) => each.shard === shard)
      if (reference !== undefined) references.set(flavour, reference)
    }
    return references
  }

  outcomeOf(reading: Reading): ShardSchemaDiff {
    const { shard } = reading
    if (reading.status === 'rejected') return { shard, status: 'failed', error: reading.reason }
    const schema = reading.value
    if (schema === undefined)
      return { shard, status: 'not comparable', reason: 'the schema of its engine cannot be read' }
    const reference = this.#references.get(schema.flavour)
    if (reference === undefined)
      return { shard, status: 'not comparable', reason: this.#whyNoReference(schema) }
    if (reference.shard === shard) return this.#asReference(shard, schema)
    const differences = compareShards(this.#tables, reference, { shard, schema })
    return differences.length === 0
      ? { shard, status: 'same', reference: reference.shard }
      : { shard, status: 'different', reference: reference.shard, differences }
  }

  #whyNoReference({ flavour }: SchemaSnapshot): string {
    const reference = this.#schemas.find(({ shard }) => shard === this.#named)
    return reference === undefined
      ? `the reference "${this.#named}" could not be read`
      : `it is ${flavour}, the reference "${reference.shard}" is ${reference.schema.flavour}`
  }

  /** A shard that is alone with its engine, among others, is nobody's reference. */
  #asReference(shard: string, { flavour }: SchemaSnapshot): ShardSchemaDiff {
    const others = this.#schemas.filter((each) => each.shard !== shard)
    const isAlone = others.every(({ schema }) => schema.flavour !== flavour)
    return isAlone && others.length > 0 && this.#named === undefined
      ? { shard, status: 'not comparable', reason: `no other shard that was read is ${flavour}` }
      : { shard, status: 'reference' }
  }
}

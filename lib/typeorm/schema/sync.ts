import { SchemaDropsError } from '../../errors.js'
import { dropsIn } from '../../schema/drops.js'
import { visitShards } from '../../scopes/fan-out.js'
import type { ShardTargets } from '../../scopes/targets.js'
import { type SchemaBuilder, assign, overlayOf } from '../internals.js'
import type { Runtime } from '../runtime.js'
import { meantShards } from '../shard-targets.js'
import type { Shard } from '../shard.js'
import { readSchema } from './read.js'
import { hasTableOn } from './unsharded-tables.js'

/** What is planned, and how many shards are asked at a time. */
export interface SchemaPlanOptions extends ShardTargets {
  /** How many shards are worked on at a time; the configuration's `fanOutConcurrency` by default. */
  readonly concurrency?: number
}

/** How schemas are brought up to the entities. */
export interface SchemaSyncOptions extends SchemaPlanOptions {
  /** Whether nothing is to be changed, and only told what would be. */
  readonly dryRun: boolean
  /** Whether tables, columns, indexes and the like may be dropped. Default: false. */
  readonly allowDrops?: boolean
}

/** What a shard's schema needs to be as its entities say, or what was done about it. */
export type ShardSchemaSync =
  /** It is as the entities say. */
  | { readonly shard: string; readonly status: 'same' }
  | {
      readonly shard: string
      /** `planned`: nothing was changed. */
      readonly status: 'planned' | 'changed'
      /** The statements, in their order, as TypeORM makes them. */
      readonly statements: readonly string[]
      /** Those of them that drop something. */
      readonly drops: readonly string[]
    }
  /** Its schema could not be read, or not be changed. */
  | { readonly shard: string; readonly status: 'failed'; readonly error: unknown }

/** What the schemas of shards need to be as the entities say. */
export interface SchemaSync {
  /** Whether every shard is as the entities say. */
  readonly isSame: boolean
  /** One for each shard, in the order of the configuration. */
  readonly shards: readonly ShardSchemaSync[]
}

/** What TypeORM would do to the schemas of shards to make them as the entities say. Changes nothing. */
export const planSync = async (
  runtime: Runtime,
  { concurrency = runtime.config.fanOutConcurrency, ...targets }: SchemaPlanOptions,
): Promise<SchemaSync> => {
  const names = meantShards(runtime, targets)
  const planned = await visitShards(names, concurrency, (name) => plan(runtime.shard(name)))
  return asSync(
    planned.map((outcome) =>
      outcome.status === 'fulfilled'
        ? outcome.value
        : { shard: outcome.shard, status: 'failed', error: outcome.reason },
    ),
  )
}

const asSync = (shards: readonly ShardSchemaSync[]): SchemaSync => ({
  isSame: shards.every(({ status }) => status === 'same'),
  shards,
})

/**
 * Makes the schemas of shards as the entities say.
 *
 * @throws SchemaDropsError before anything is changed
 */
export const syncSchemas = async (
  runtime: Runtime,
  { dryRun, allowDrops = false, ...options }: SchemaSyncOptions,
): Promise<SchemaSync> => {
  const planned = await planSync(runtime, options)
  if (dryRun) return planned
  if (!allowDrops) refuseDrops(planned)
  const { concurrency = runtime.config.fanOutConcurrency } = options
  const byName = new Map(planned.shards.map((each) => [each.shard, each]))
  const done = await visitShards([...byName.keys()], concurrency, (name) =>
    change(runtime.shard(name), byName.get(name)),
  )
  return asSync(
    done.map((outcome): ShardSchemaSync => {
      const before = byName.get(outcome.shard)
      if (outcome.status === 'rejected')
        return { shard: outcome.shard, status: 'failed', error: outcome.reason }
      return before?.status === 'planned'
        ? { ...before, status: 'changed' }
        : (before ?? { shard: outcome.shard, status: 'same' })
    }),
  )
}

const refuseDrops = ({ shards }: SchemaSync): void => {
  const drops = shards.flatMap((each) =>
    each.status === 'planned' && each.drops.length > 0
      ? [{ shard: each.shard, statements: each.drops }]
      : [],
  )
  if (drops.length > 0) throw new SchemaDropsError(drops)
}

const plan = async (shard: Shard): Promise<ShardSchemaSync> => {
  const { upQueries } = await builderOf(shard).log()
  const statements = upQueries.map(({ query }) => query)
  if (statements.length === 0) return { shard: shard.name, status: 'same' }
  const drops = dropsIn(statements, await columnsIn(shard))
  return { shard: shard.name, status: 'planned', statements, drops }
}

/** The columns of tables, which tell what a table loses that is made anew: only SQLite does that. */
const columnsIn = async (shard: Shard): Promise<(table: string) => readonly string[]> => {
  if (shard.family !== 'sqlite') return () => []
  const { tables } = await readSchema(shard)
  return (table) =>
    (tables.find(({ name }) => name === table)?.columns ?? []).map(({ name }) => name)
}

const change = async (shard: Shard, planned: ShardSchemaSync | undefined): Promise<void> => {
  if (planned?.status === 'planned') await builderOf(shard).build()
}

/** TypeORM's schema builder for a shard, which sees only the entities that have their tables there. */
const builderOf = (shard: Shard): SchemaBuilder => {
  const builder = shard.view.driver.createSchemaBuilder()
  const { runtime, name, metadatas } = shard
  const isHere = (metadata: (typeof metadatas)[number]): boolean =>
    hasTableOn(runtime, metadata, name)
  if (metadatas.every(isHere)) return builder
  const entityMetadatas = metadatas.filter(isHere).map((metadata) => {
    const foreignKeys = metadata.foreignKeys.filter((key) => isHere(key.referencedEntityMetadata))
    return foreignKeys.length === metadata.foreignKeys.length
      ? metadata
      : assign(overlayOf(metadata), { foreignKeys })
  })
  const dataSource = assign(overlayOf(shard.view), { entityMetadatas })
  return Object.assign(builder, { dataSource })
}

import { compareSchemas } from './compare.js'
import type { SchemaSnapshot } from './snapshot.js'

/** The schema of one shard. */
export interface ShardSchema {
  readonly shard: string
  readonly schema: SchemaSnapshot
}

/**
 * The shard to compare the others with: the first one of the largest number of shards that have the
 * same schema. So one shard that has drifted is found as one, even if it comes first.
 *
 * @param shards - of one flavour
 */
export const majorityOf = (shards: readonly [ShardSchema, ...ShardSchema[]]): ShardSchema => {
  const alike: { readonly first: ShardSchema; count: number }[] = []
  for (const each of shards) {
    const same = alike.find(({ first }) => compareSchemas(first.schema, each.schema).length === 0)
    if (same === undefined) alike.push({ first: each, count: 1 })
    else same.count += 1
  }
  return alike.reduce((best, next) => (next.count > best.count ? next : best), {
    first: shards[0],
    count: 0,
  }).first
}

import { stateOf } from './binding.js'
import {
  DbQueryResultCache,
  type QueryResultCache,
  type QueryResultCacheOptions,
  overlayOf,
} from './internals.js'
import type { Shard } from './shard.js'

interface ShardCache {
  readonly inner: QueryResultCache
  readonly cache: QueryResultCache
}

const caches = new WeakMap<Shard, ShardCache>()

/**
 * The result cache of one shard. TypeORM's key is the SQL alone, so a cache that several shards
 * share would serve the rows of one to another: a cache in the database gets one table per shard, any
 * other provider gets keys that carry the shard.
 */
export const cacheOf = (shard: Shard): QueryResultCache | undefined => {
  const inner = shard.runtime.front.queryResultCache
  if (inner === undefined) return undefined
  const known = caches.get(shard)
  if (known?.inner === inner) return known.cache
  const own = inner instanceof DbQueryResultCache ? databaseCache(shard) : keyedCache(shard, inner)
  const cache = tracedCache(own)
  caches.set(shard, { inner, cache })
  return cache
}

/** A cache in the shard's own database. It is written through the primary, whatever the scope. */
const databaseCache = (shard: Shard): QueryResultCache => {
  const { runtime } = shard
  const source = shard.overlay(undefined, 'handle', () =>
    runtime.openRunner(shard, 'handle', undefined, 'write', 'result cache', undefined),
  )
  return new DbQueryResultCache(source)
}

/** A provider that all shards share, seen through keys of one shard. */
const keyedCache = (shard: Shard, inner: QueryResultCache): QueryResultCache => {
  const { shardNames } = shard.runtime.store.current
  if (shardNames.length === 1) return inner
  let generation = 0
  const keyed = (options: QueryResultCacheOptions): QueryResultCacheOptions => {
    const prefix = `octopus:${shard.name}:${generation}:`
    return {
      ...options,
      ...(options.identifier === undefined ? {} : { identifier: prefix + options.identifier }),
      ...(options.query === undefined ? {} : { query: prefix + options.query }),
    }
  }
  return derived(inner, {
    getFromCache: (options, runner) => inner.getFromCache(keyed(options), runner),
    storeInCache: (options, saved, runner) => inner.storeInCache(keyed(options), saved, runner),
    remove: (identifiers, runner) =>
      inner.remove(
        identifiers.map((identifier) => `octopus:${shard.name}:${generation}:${identifier}`),
        runner,
      ),
    // The provider's own clear would empty every shard's cache.
    clear: () => {
      generation += 1
      return Promise.resolve()
    },
  })
}

const cacheMethods = [
  'connect',
  'disconnect',
  'synchronize',
  'getFromCache',
  'storeInCache',
  'isExpired',
  'clear',
  'remove',
] as const satisfies readonly (keyof QueryResultCache)[]

/** A cache that answers some calls itself and passes the others on. The provider's own members stay
 *  visible, and its methods run on the provider itself, which keeps its connection in a field. */
const derived = (inner: QueryResultCache, own: Partial<QueryResultCache>): QueryResultCache => {
  const forwards = Object.fromEntries(
    cacheMethods.map((name) => [name, (inner[name] as Function).bind(inner) as unknown]),
  )
  return Object.assign(overlayOf(inner), forwards, own)
}

/** Tells the trace of every read that the cache answers. */
const tracedCache = (inner: QueryResultCache): QueryResultCache =>
  derived(inner, {
    getFromCache: async (options, runner) => {
      const saved = await inner.getFromCache(options, runner)
      if (saved && runner && !inner.isExpired(saved))
        stateOf(runner)?.tellCacheHit(runner, options.query ?? '')
      return saved
    },
  })

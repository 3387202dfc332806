import type { QueryRunner } from 'typeorm'
import { routed, stateOf } from './binding.js'
import { bypassesCache } from './cache-bypass.js'
import { isWithoutCache } from './cache-settings.js'
import { writerOver } from './cache-writer.js'
import { DbQueryResultCache, type QueryResultCache, overlayOf } from './internals.js'
import { derived, keyedCache } from './keyed-cache.js'
import type { Shard } from './shard.js'
import { tellCacheHit } from './statement-trace.js'

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
  if (inner === undefined || isWithoutCache(shard)) return undefined
  const known = caches.get(shard)
  if (known?.inner === inner) return known.cache
  const cache = routedCache(shard, ownCache(shard, inner))
  caches.set(shard, { inner, cache })
  return cache
}

const ownCache = (shard: Shard, inner: QueryResultCache): QueryResultCache => {
  if (inner instanceof DbQueryResultCache) return databaseCache(shard, inner)
  const { shardNames } = shard.runtime.store.current
  return shardNames.length === 1 ? inner : keyedCache(inner, shard.name)
}

/** A cache in the shard's own database. It is written through the primary, whatever the scope. */
const databaseCache = (shard: Shard, inner: DbQueryResultCache): QueryResultCache => {
  const { runtime } = shard
  const open = (): QueryRunner =>
    runtime.openRunner(shard, 'handle', undefined, 'write', 'result cache', undefined)
  // The fields of a cache made for the shard; the methods of the one that was given, whose class may
  // be derived from TypeORM's.
  const made = new DbQueryResultCache(shard.overlay(undefined, 'handle', open))
  const cache = Object.assign(overlayOf(inner), made)
  const withRunner = async (work: (runner: QueryRunner) => Promise<void>): Promise<void> => {
    const runner = open()
    try {
      await work(runner)
    } finally {
      await runner.release()
    }
  }
  return derived(cache, {
    storeInCache(options, saved, runner) {
      const writer = writerOver(runner)
      if (writer !== undefined) return cache.storeInCache(options, saved, writer)
      return withRunner((own) => {
        // Reading is not writing: it must not send what else the scope reads to the primary.
        routed(own).isQuiet = true
        return cache.storeInCache(options, saved, own)
      })
    },
    // TypeORM's keeps the runner that it made where a statement fails, and sends all statements at
    // once, which PostgreSQL's driver gives up.
    remove(identifiers, runner) {
      const removeAll = async (own: QueryRunner): Promise<void> => {
        for (const identifier of identifiers) await cache.remove([identifier], own)
      }
      return runner === undefined ? withRunner(removeAll) : removeAll(runner)
    },
  })
}

/** What follows the SQL in TypeORM's key. Values are not for the trace. */
const sqlOf = (query: string | undefined): string => query?.split(' -- PARAMETERS: ', 1)[0] ?? ''

/** Leaves reads of what is true now to the server, tells the trace of those that the cache answers,
 *  and lets an explicit query runner say whose cache is cleared. */
const routedCache = (shard: Shard, inner: QueryResultCache): QueryResultCache => {
  const cacheFor = (runner: QueryRunner | undefined): QueryResultCache => {
    const other = stateOf(runner)?.shard ?? shard
    return (other === shard ? undefined : cacheOf(other)) ?? inner
  }
  return derived(inner, {
    async getFromCache(options, runner) {
      if (bypassesCache(runner)) return undefined
      const saved = await inner.getFromCache(options, runner)
      const state = stateOf(runner)
      if (saved && runner && state && !inner.isExpired(saved))
        tellCacheHit(state, runner, sqlOf(options.query))
      return saved
    },
    async storeInCache(options, saved, runner) {
      if (!bypassesCache(runner)) await inner.storeInCache(options, saved, runner)
    },
    clear: (runner) => cacheFor(runner).clear(runner),
    remove: (identifiers, runner) => cacheFor(runner).remove(identifiers, runner),
  })
}

import {
  type QueryResultCache,
  type QueryResultCacheOptions,
  RedisQueryResultCache,
  overlayOf,
} from './internals.js'
import { clearRedis, clientOf } from './redis-keys.js'

/**
 * What a result cache of your own may offer, so that the entries of one shard can be cleared in it
 * whoever stored them. Without it `clear()` removes what this process stored.
 */
export interface ClearsKeys {
  /**
   * Forgets every entry whose key begins with `prefix`, whichever process stored it. The key of an
   * entry is its `identifier` or, where it has none, its `query`.
   */
  clearKeys(prefix: string): Promise<void>
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
export const derived = <T extends QueryResultCache>(
  inner: T,
  own: Partial<QueryResultCache>,
): T => {
  const forwards = Object.fromEntries(
    cacheMethods.map((name) => [name, (inner[name] as Function).bind(inner) as unknown]),
  )
  return Object.assign(overlayOf(inner), forwards, own)
}

/** How many keys of one shard a process remembers, for providers that cannot tell theirs. */
export const rememberedKeys = 10_000

/** The keys that this process has stored for one shard. */
class StoredKeys {
  readonly #inner: QueryResultCache
  readonly #keys = new Set<string>()

  constructor(inner: QueryResultCache) {
    this.#inner = inner
  }

  /** Remembers a key. The oldest makes room, and its entry with it: `clear` could not find it later. */
  async add(key: string): Promise<void> {
    this.#keys.delete(key)
    this.#keys.add(key)
    if (this.#keys.size <= rememberedKeys) return
    const [oldest] = this.#keys
    if (oldest === undefined) return
    this.#keys.delete(oldest)
    await this.#inner.remove([oldest])
  }

  async clear(): Promise<void> {
    const keys = [...this.#keys]
    // At once: what is stored from here on is not among those that are removed.
    this.#keys.clear()
    if (keys.length === 0) return
    try {
      await this.#inner.remove(keys)
    } catch (error) {
      for (const key of keys) this.#keys.add(key)
      throw error
    }
  }
}

/** The part of a provider's entries that belongs to one shard. */
interface ShardKeys {
  /** Before an entry is stored. */
  storing(key: string): Promise<void>
  remove(keys: string[]): Promise<void>
  clear(): Promise<void>
}

const noted = (): Promise<void> => Promise.resolve()

const keysOf = (inner: QueryResultCache, prefix: string): ShardKeys => {
  const remove = (keys: string[]): Promise<void> => inner.remove(keys)
  const { clearKeys } = inner as Partial<ClearsKeys>
  if (clearKeys !== undefined)
    return { storing: noted, remove, clear: () => clearKeys.call(inner, prefix) }
  if (inner instanceof RedisQueryResultCache) {
    const { isCluster } = clientOf(inner)
    return {
      storing: noted,
      // One by one in a cluster, where a command's keys must be in one slot.
      remove: isCluster
        ? async (keys) => void (await Promise.all(keys.map((key) => inner.remove([key]))))
        : remove,
      clear: () => clearRedis(inner, prefix),
    }
  }
  const stored = new StoredKeys(inner)
  return { storing: (key) => stored.add(key), remove, clear: () => stored.clear() }
}

/** What the keys of one shard begin with. A shard's name may have a colon, the prefix may not: that of
 *  `eu` would begin the keys of `eu:west`. */
export const keyPrefix = (shard: string): string => `octopus:${encodeURIComponent(shard)}:`

/** A provider that all shards share, seen through the keys of one shard. */
export const keyedCache = (inner: QueryResultCache, shard: string): QueryResultCache => {
  const prefix = keyPrefix(shard)
  const keys = keysOf(inner, prefix)
  // An empty identifier is none, as in TypeORM's own caches.
  const keyed = (options: QueryResultCacheOptions): QueryResultCacheOptions => {
    const { identifier, query, ...rest } = options
    return {
      ...rest,
      ...(identifier ? { identifier: prefix + identifier } : {}),
      ...(query === undefined ? {} : { query: prefix + query }),
    }
  }
  return derived(inner, {
    getFromCache: (options, runner) => inner.getFromCache(keyed(options), runner),
    async storeInCache(options, saved, runner) {
      const entry = keyed(options)
      const key = entry.identifier ?? entry.query
      if (key !== undefined) await keys.storing(key)
      await inner.storeInCache(entry, saved, runner)
    },
    async remove(identifiers) {
      // Redis refuses a removal of nothing.
      if (identifiers.length > 0)
        await keys.remove(identifiers.map((identifier) => prefix + identifier))
    },
    clear: () => keys.clear(),
  })
}

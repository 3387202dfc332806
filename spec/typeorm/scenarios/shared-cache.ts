import type { QueryResultCache } from 'typeorm/cache/QueryResultCache.js'
import type { QueryResultCacheOptions } from 'typeorm/cache/QueryResultCacheOptions.js'

const keyOf = ({ identifier, query }: QueryResultCacheOptions): string => identifier ?? query ?? ''

/** A cache that all shards share, as a Redis server would be. */
export class SharedCache implements QueryResultCache {
  readonly entries = new Map<string, QueryResultCacheOptions>()

  connect = (): Promise<void> => Promise.resolve()
  disconnect = (): Promise<void> => Promise.resolve()
  synchronize = (): Promise<void> => Promise.resolve()

  getFromCache(options: QueryResultCacheOptions): Promise<QueryResultCacheOptions | undefined> {
    return Promise.resolve(this.entries.get(keyOf(options)))
  }

  storeInCache(options: QueryResultCacheOptions): Promise<void> {
    this.entries.set(keyOf(options), { ...options })
    return Promise.resolve()
  }

  isExpired = (): boolean => false

  clear(): Promise<void> {
    this.entries.clear()
    return Promise.resolve()
  }

  remove(identifiers: string[]): Promise<void> {
    for (const identifier of identifiers) this.entries.delete(identifier)
    return Promise.resolve()
  }
}

import type { QueryResultCache, QueryResultCacheOptions } from '../../../lib/typeorm/internals.js'

/** A cache that all shards share, as one in Redis is. */
export class SharedCache implements QueryResultCache {
  readonly entries = new Map<string, QueryResultCacheOptions>()
  connected = 0
  connect = async (): Promise<void> => void (this.connected += 1)
  disconnect = async (): Promise<void> => void (this.connected -= 1)
  synchronize = async (): Promise<void> => {}
  keyOf({ identifier, query }: QueryResultCacheOptions): string {
    return identifier ?? query ?? ''
  }
  async getFromCache(options: QueryResultCacheOptions) {
    return this.entries.get(this.keyOf(options))
  }
  async storeInCache(options: QueryResultCacheOptions): Promise<void> {
    this.entries.set(this.keyOf(options), options)
  }
  isExpired({ time, duration }: QueryResultCacheOptions): boolean {
    return (time ?? 0) + duration < Date.now()
  }
  async clear(): Promise<void> {
    this.entries.clear()
  }
  async remove(identifiers: string[]): Promise<void> {
    for (const identifier of identifiers) this.entries.delete(identifier)
  }
  size(): number {
    return this.entries.size
  }
}

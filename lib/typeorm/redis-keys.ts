import type { RedisQueryResultCache } from './internals.js'

/** What is used of a client of the package `redis`. */
interface NodeRedisClient {
  readonly options?: { readonly keyPrefix?: string | Buffer }
  scan(cursor: string, options: object): Promise<{ cursor: unknown; keys: string[] }>
  unlink(keys: string[]): Promise<unknown>
}

/** What is used of a client of the package `ioredis`. */
interface IoredisClient {
  readonly options?: { readonly keyPrefix?: string | Buffer }
  scan(cursor: string, ...args: unknown[]): Promise<[string, string[]]>
  unlink(keys: string[]): Promise<unknown>
}

/** A client of `ioredis` for a cluster. */
interface IoredisCluster extends Omit<IoredisClient, 'scan'> {
  ping(): Promise<unknown>
  nodes(role: 'master'): IoredisClient[]
}

/** What TypeORM's cache keeps in fields that are its own. */
interface RedisFields {
  readonly client: unknown
  readonly clientType: 'redis' | 'ioredis' | 'ioredis/cluster'
}

/** The client that TypeORM's Redis cache made, and of which kind it is. */
export const clientOf = (cache: RedisQueryResultCache) => {
  const { client, clientType } = cache as unknown as RedisFields
  return { client, clientType, isCluster: clientType === 'ioredis/cluster' }
}

/** One page of the keys that a server has. */
type Scan = (cursor: string) => Promise<{ cursor: string; keys: string[] }>

/** How many keys the server looks at before it answers others: a scan never blocks it for longer. */
const pageSize = 500

const scanNodeRedis =
  (client: NodeRedisClient, pattern: string): Scan =>
  async (at) => {
    const { cursor, keys } = await client.scan(at, { MATCH: pattern, COUNT: pageSize })
    return { cursor: String(cursor), keys }
  }

const scanIoredis =
  (client: IoredisClient, pattern: string): Scan =>
  async (at) => {
    const [cursor, keys] = await client.scan(at, 'MATCH', pattern, 'COUNT', pageSize)
    return { cursor, keys }
  }

/** All keys that `scan` finds, page by page. A key may come twice. */
const forget = async (scan: Scan, unlink: (keys: string[]) => Promise<unknown>): Promise<void> => {
  let cursor = '0'
  do {
    const page = await scan(cursor)
    if (page.keys.length > 0) await unlink(page.keys)
    cursor = page.cursor
  } while (cursor !== '0')
}

/** A text as a pattern that matches just it. */
const literally = (text: string): string => text.replaceAll(/[\\*?[\]]/g, String.raw`\$&`)

/**
 * Removes the keys that begin with `prefix`, whichever process stored them, on every master of a
 * cluster, without a command that blocks the server.
 */
export const clearRedis = async (cache: RedisQueryResultCache, prefix: string): Promise<void> => {
  const { client, clientType } = clientOf(cache)
  // A client puts its `keyPrefix` before the keys of every command but not into a scan's pattern, and
  // a scan tells the keys with it.
  const own = String((client as IoredisClient).options?.keyPrefix ?? '')
  const pattern = `${literally(own + prefix)}*`
  const asSent = (keys: readonly string[]): string[] => keys.map((key) => key.slice(own.length))
  switch (clientType) {
    case 'redis': {
      const redis = client as NodeRedisClient
      return forget(scanNodeRedis(redis, pattern), (keys) => redis.unlink(asSent(keys)))
    }
    case 'ioredis': {
      const redis = client as IoredisClient
      return forget(scanIoredis(redis, pattern), (keys) => redis.unlink(asSent(keys)))
    }
    case 'ioredis/cluster': {
      const cluster = client as IoredisCluster
      // It knows its masters once it has connected, for which a command waits.
      await cluster.ping()
      // Through the cluster, which follows a key that moves, and one by one: each has its slot.
      const unlink = (keys: string[]) =>
        Promise.all(asSent(keys).map((key) => cluster.unlink([key])))
      const masters = cluster.nodes('master')
      await Promise.all(masters.map((node) => forget(scanIoredis(node, pattern), unlink)))
    }
  }
}

import { Redis } from 'ioredis'
import { until } from '../until.js'
import { RedisServer } from './redis-server.js'

const slots = 16_384

/** Real Redis servers that share the slots of a cluster, each a master. */
export class RedisCluster {
  readonly servers: readonly RedisServer[]

  private constructor(servers: readonly RedisServer[]) {
    this.servers = servers
  }

  static async start(masters: number): Promise<RedisCluster> {
    const servers: RedisServer[] = []
    try {
      for (let index = 0; index < masters; index += 1)
        servers.push(await RedisServer.start({ isInCluster: true }))
      await join(servers)
    } catch (error) {
      await Promise.all(servers.map((server) => server.stop()))
      throw error
    }
    return new RedisCluster(servers)
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()))
  }
}

const join = async (servers: readonly RedisServer[]): Promise<void> => {
  const clients = servers.map(({ port, host }) => new Redis(port, host))
  const [first] = servers
  const share = Math.ceil(slots / servers.length)
  try {
    for (const [index, client] of clients.entries()) {
      const last = Math.min(slots, (index + 1) * share) - 1
      await client.call('CLUSTER', 'ADDSLOTSRANGE', index * share, last)
      const bus = await client.call('CONFIG', 'GET', 'cluster-port')
      const busPort = (bus as string[])[1] ?? ''
      if (index > 0 && first !== undefined)
        await clients[0]?.call('CLUSTER', 'MEET', first.host, servers[index]?.port ?? 0, busPort)
    }
    const isJoined = async (client: Redis): Promise<boolean> => {
      const info = String(await client.call('CLUSTER', 'INFO'))
      return info.includes('cluster_state:ok') && info.includes(`cluster_size:${servers.length}`)
    }
    for (const client of clients)
      await until(() => isJoined(client), {
        what: 'the Redis servers to be one cluster',
        timeoutMs: 20_000,
      })
  } finally {
    for (const client of clients) client.disconnect()
  }
}

import { DataSource, type DataSourceOptions } from 'typeorm'
import {
  type Cluster,
  type ClusterNode,
  MariadbCluster,
  PostgresCluster,
} from '../support/cluster/index.js'
import { TcpProxy, type Target } from '../support/faults/tcp-proxy.js'
import { Entry } from './entry.js'

export const engineNames = ['mariadb', 'postgres'] as const
export type Engine = (typeof engineNames)[number]

/** The servers. `spare` belongs to no shard until a fault puts it in the place of `south`. */
export const serverNames = ['north', 'north-1', 'north-2', 'south', 'spare'] as const
export type ServerName = (typeof serverNames)[number]

export const shardOfServer = (name: ServerName): 'north' | 'south' =>
  name.startsWith('north') ? 'north' : 'south'

/** Locks are not waited for as long as by default. */
const quick: Readonly<Record<Engine, Readonly<Record<string, string | number>>>> = {
  mariadb: { innodb_lock_wait_timeout: 1 },
  postgres: { lock_timeout: '500ms', deadlock_timeout: '100ms' },
}

/** A server with the proxy in front of it. */
export interface Server {
  readonly name: ServerName
  readonly node: ClusterNode
  readonly proxy: TcpProxy
}

/** The servers of one engine's faults: shard north with two replicas, shard south without. */
export class FaultWorld {
  readonly engine: Engine
  readonly servers: Readonly<Record<ServerName, Server>>
  /** The cluster of shard north. */
  readonly cluster: Cluster
  readonly #clusters: readonly Cluster[]

  private constructor(
    engine: Engine,
    clusters: readonly [Cluster, Cluster],
    servers: readonly Server[],
  ) {
    this.engine = engine
    this.#clusters = clusters
    this.cluster = clusters[0]
    this.servers = Object.fromEntries(servers.map((server) => [server.name, server])) as Record<
      ServerName,
      Server
    >
  }

  static async start(engine: Engine): Promise<FaultWorld> {
    const Kind = engine === 'mariadb' ? MariadbCluster : PostgresCluster
    const settings = quick[engine]
    const clusters = await Promise.all([
      Kind.start({ shards: 1, replicas: 2, settings }),
      Kind.start({ shards: 2, replicas: 0, settings }),
    ])
    const nodes = clusters.flatMap((cluster) => cluster.nodes)
    const servers = await Promise.all(
      nodes.map(async (node, index) => {
        const name = serverNames[index]
        if (name === undefined) throw new Error(`${node.name} has no name here.`)
        return { name, node, proxy: await TcpProxy.start(node) }
      }),
    )
    const world = new FaultWorld(engine, clusters, servers)
    await world.#fill()
    return world
  }

  get all(): readonly Server[] {
    return Object.values(this.servers)
  }

  /** Options of a data source that reaches a server through its proxy. */
  connection(name: ServerName): { readonly host: string; readonly port: number } {
    const { host, port } = this.servers[name].proxy
    return { host, port }
  }

  /** SQL past the application, in its database. */
  sql(name: ServerName, text: string): Promise<Record<string, unknown>[]> {
    return this.servers[name].node.sql(this.engine === 'mariadb' ? `USE app; ${text}` : text)
  }

  /** A server dies as in a power cut; who connects is refused. */
  async kill(...names: readonly ServerName[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        // Before it dies: a client of a proxy without a server would be reset and not refused.
        await this.servers[name].proxy.refuse()
        await this.servers[name].node.kill9()
      }),
    )
  }

  async restart(...names: readonly ServerName[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        await this.servers[name].node.start()
        await this.servers[name].proxy.pass()
      }),
    )
  }

  /** Everything as in the beginning. */
  async heal(): Promise<void> {
    await Promise.all(
      this.all.map(async ({ node, proxy }) => {
        node.resume()
        await node.start()
        proxy.retarget(node as Target)
        await proxy.pass()
      }),
    )
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map(({ proxy }) => proxy.stop()))
    await Promise.all(this.#clusters.map((cluster) => cluster.stop()))
  }

  /** The table, with the row of its shard. */
  async #fill(): Promise<void> {
    for (const name of ['north', 'south', 'spare'] as const) {
      const source = new DataSource({
        type: this.engine,
        ...this.servers[name].node.connectionOptions(),
        entities: [Entry],
        synchronize: true,
      } as DataSourceOptions)
      await source.initialize()
      const shard = shardOfServer(name)
      await source.getRepository(Entry).insert({ id: shard, shard, text: name })
      await source.destroy()
    }
    await this.cluster.waitUntilCaughtUp(this.cluster.shard(0))
  }
}

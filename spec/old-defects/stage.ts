import { DataSource, type DataSourceOptions } from 'typeorm'
import {
  type ConnectionProxy,
  type OctopusOptions,
  type ReplicaOptions,
  type ShardOptions,
  octopus,
} from '../../lib/index.js'
import {
  type Cluster,
  type ClusterNode,
  type LoggedStatement,
  MariadbCluster,
  PostgresCluster,
} from '../support/cluster/index.js'
import { ServerEndpoint } from '../support/engines/server-endpoint.js'
import { summaries } from '../support/engines/summary.js'
import { until } from '../support/until.js'
import { AddVisits1700000000000, Client, Item } from './entities.js'

const tables = ['client', 'item'] as const
const entities = [Client, Item]

/** The servers; master and russia have two replicas each, canada none. */
const serverNames = [
  'master',
  'master/r1',
  'master/r2',
  'russia',
  'russia/r1',
  'russia/r2',
  'canada',
] as const
type ServerName = (typeof serverNames)[number]

/** What reached each server, servers that got nothing left out. */
export type Sent<T = string> = Readonly<Partial<Record<ServerName, readonly T[]>>>

type Nodes = Readonly<Record<ServerName, ClusterNode>>

/** Servers of one engine, and a wrapped data source over them. */
export class Stage {
  readonly engine: 'mariadb' | 'postgres'
  /**
   * Shards master, russia and canada, and a group of all. Replicas r1 are in the group `fast` of their shard,
   * master/r2 in `slow`, russia/r2 in `nightly`.
   */
  readonly db: ConnectionProxy
  readonly #clusters: readonly Cluster[]
  readonly #nodes: Nodes

  private constructor(engine: Stage['engine'], clusters: readonly Cluster[], nodes: Nodes) {
    this.engine = engine
    this.#clusters = clusters
    this.#nodes = nodes
    this.db = this.wrap()
  }

  static async start(engine: Stage['engine']): Promise<Stage> {
    const servers = engine === 'mariadb' ? MariadbCluster : PostgresCluster
    const [pairs, single] = await Promise.all([
      servers.start({ shards: 2, replicas: 2 }),
      servers.start({ shards: 1, replicas: 0 }),
    ])
    const nodes = [...pairs.nodes, ...single.nodes]
    const named = Object.fromEntries(serverNames.map((name, index) => [name, nodes[index]]))
    const stage = new Stage(engine, [pairs, single], named as Nodes)
    await stage.db.initialize()
    await stage.db.usingAll(() => stage.db.synchronize())
    await stage.replicate()
    await openAll(stage.db)
    return stage
  }

  node(name: ServerName): ClusterNode {
    return this.#nodes[name]
  }

  /** A replica as configured. */
  replica(name: ServerName, group?: string): ReplicaOptions {
    const { host, port } = this.node(name)
    return { name: name.replace('/', '-'), host, port, ...(group === undefined ? {} : { group }) }
  }

  shard(name: ServerName, replicas?: readonly ReplicaOptions[]): ShardOptions {
    const { host, port } = this.node(name)
    return { host, port, ...(replicas === undefined ? {} : { replicas }) }
  }

  /** The replicas of the default shard, each in its group. */
  get replicas(): readonly ReplicaOptions[] {
    return [this.replica('master/r1', 'fast'), this.replica('master/r2', 'slow')]
  }

  get russia(): ShardOptions {
    return this.shard('russia', [
      this.replica('russia/r1', 'fast'),
      this.replica('russia/r2', 'nightly'),
    ])
  }

  /** A data source over the servers; all of them unless `options` say otherwise. */
  wrap(options: OctopusOptions = {}, source: Partial<DataSourceOptions> = {}): ConnectionProxy {
    const everything: OctopusOptions = {
      replicas: this.replicas,
      shards: { russia: this.russia, canada: this.shard('canada') },
      groups: { all: ['master', 'russia', 'canada'] },
    }
    return octopus(
      new DataSource({
        type: this.engine,
        ...this.node('master').connectionOptions(),
        entities,
        migrations: [AddVisits1700000000000],
        ...source,
      } as DataSourceOptions),
      { ...everything, ...options },
    )
  }

  /** Does `work` with a data source of its own, whose servers have heard a driver's first words. */
  async with<T>(
    options: OctopusOptions,
    work: (db: ConnectionProxy) => Promise<T>,
    source: Partial<DataSourceOptions> = {},
  ): Promise<T> {
    const db = this.wrap(options, source)
    await db.initialize()
    try {
      await openAll(db)
      return await work(db)
    } finally {
      await db.destroy()
    }
  }

  /** Ends the stage's own data source, does `between`, and starts it again. */
  async restart(between: () => Promise<unknown>): Promise<void> {
    await this.db.destroy()
    await between()
    await this.db.initialize()
    await openAll(this.db)
  }

  /** Which statements reached which server while `work` was done, by its own log. */
  async logged(work: () => unknown): Promise<Sent<LoggedStatement>> {
    const marks = serverNames.map((name) => [name, this.node(name).mark()] as const)
    await work()
    const logs = await Promise.all(
      marks.map(async ([name, mark]) => [name, await this.node(name).statementsSince(mark)]),
    )
    return Object.fromEntries(logs.filter(([, log]) => log?.length)) as Sent<LoggedStatement>
  }

  /** The same in words that are alike on both engines. */
  async sent(work: () => unknown): Promise<Sent> {
    const logs = Object.entries(await this.logged(work))
    return Object.fromEntries(
      logs.map(([name, log]) => [name, summaries(log.map(({ sql }) => sql))]),
    )
  }

  /** Rows by their shard: every shard has a client 1 of its own, and an item 1. */
  async reset(): Promise<void> {
    for (const name of ['master', 'russia', 'canada'] as const) {
      const server = new ServerEndpoint(name, this.node(name))
      await server.empty(tables)
      await server.startIdsAt(tables, 100)
      for (const table of tables)
        await server.sql(`INSERT INTO ${table} (id, name) VALUES (1, 'of ${name}')`)
    }
    await this.replicate()
  }

  async replicate(): Promise<void> {
    for (const cluster of this.#clusters)
      for (const shard of cluster.shards) await cluster.waitUntilCaughtUp(shard)
  }

  /** The tables that a server has, beside those of the entities. */
  async furtherTables(name: ServerName): Promise<readonly string[]> {
    const place = this.engine === 'mariadb' ? 'app' : 'public'
    const rows = await this.node(name).sql<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '${place}'`,
    )
    return rows.map((row) => row.name).filter((table) => !tables.some((own) => own === table))
  }

  /** Removes what migrations made. */
  async dropFurtherTables(): Promise<void> {
    for (const name of ['master', 'russia', 'canada'] as const)
      for (const table of await this.furtherTables(name))
        await new ServerEndpoint(name, this.node(name)).sql(`DROP TABLE ${table}`)
    await this.replicate()
  }

  /** How many connections of the application each server has; those without any left out. */
  async connections(): Promise<Partial<Record<ServerName, number>>> {
    const counts = await Promise.all(
      serverNames.map(async (name) => [name, await this.node(name).connections()] as const),
    )
    return Object.fromEntries(counts.filter(([, count]) => count > 0))
  }

  async stop(): Promise<void> {
    try {
      if (this.db.isInitialized) await this.db.destroy()
      await until(async () => Object.keys(await this.connections()).length === 0, {
        what: 'no socket to be left',
      })
    } finally {
      await Promise.all(this.#clusters.map((cluster) => cluster.stop()))
    }
  }
}

/** Lets every server that is there hear a driver's first words now, and not while a spec counts. */
const openAll = (db: ConnectionProxy): Promise<unknown> =>
  db.usingAll(
    async (shard) => {
      await db.query('SELECT 1')
      const { length } = db.octopus.pools().filter((pool) => pool.shard === shard)
      // Two rounds of all replicas: the first may have begun before.
      for (let turn = 0; turn < 2 * length; turn += 1)
        await db.usingReplica(() => db.query('SELECT 1'))
    },
    { onError: 'collect' },
  )

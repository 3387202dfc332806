import { DataSource, type DataSourceOptions } from 'typeorm'
import { type Cluster, MariadbCluster, PostgresCluster } from '../../support/cluster/index.js'
import type { ClusterNode } from '../../support/cluster/index.js'
import { Entry } from './support.js'

export type Engine = 'mariadb' | 'postgres'

/** Servers of one engine, each on its own, that all have the table. */
export interface Servers {
  readonly engine: Engine
  /** Options by which server number `index` is reached, with few connections. */
  at(index: number): { host: string; port: number; poolSize: number }
  node(index: number): ClusterNode
  /** Ends all connections of the application from the server's side, as an administrator does. */
  killAll(index: number): Promise<void>
  /** How many statements about the table a server was sent during `work`. */
  sentDuring(work: () => Promise<unknown>): Promise<number[]>
}

const count = 4

const start = async (engine: Engine): Promise<{ servers: Servers; cluster: Cluster }> => {
  const { start: startCluster } = engine === 'mariadb' ? MariadbCluster : PostgresCluster
  const cluster = await startCluster({ shards: count, replicas: 0 })
  const indexes = Array.from({ length: count }, (_, index) => index)
  const node = (index: number): ClusterNode => cluster.shard(index).primary
  const at = (index: number) => ({ type: engine, ...node(index).connectionOptions(), poolSize: 4 })
  for (const index of indexes) {
    const source = new DataSource({
      ...at(index),
      entities: [Entry],
      synchronize: true,
    } as DataSourceOptions)
    await source.initialize()
    await source.destroy()
  }
  const sentDuring = async (work: () => Promise<unknown>): Promise<number[]> => {
    const marks = indexes.map((index) => node(index).mark())
    await work()
    return Promise.all(
      indexes.map(async (index) => {
        const statements = await node(index).statementsSince(marks[index]!)
        return statements.filter(({ sql }) => /\bentry\b/.test(sql)).length
      }),
    )
  }
  const killAll = async (index: number): Promise<void> => {
    const connections = await node(index).sql<{ id: number }>(
      engine === 'mariadb'
        ? "SELECT id FROM information_schema.processlist WHERE user = 'app'"
        : "SELECT pid AS id FROM pg_stat_activity WHERE usename = 'app'",
    )
    for (const { id } of connections)
      await node(index).sql(
        engine === 'mariadb' ? `KILL ${id}` : `SELECT pg_terminate_backend(${id})`,
      )
  }
  return { cluster, servers: { engine, at, node, killAll, sentDuring } }
}

/** Describes the same on four servers of MariaDB and on four of PostgreSQL. */
export const describeOnServers = (
  title: string,
  define: (servers: () => Servers) => void,
): void => {
  for (const engine of ['mariadb', 'postgres'] as const)
    describe(`${title} on ${engine === 'mariadb' ? 'MariaDB' : 'PostgreSQL'}`, () => {
      let started: Awaited<ReturnType<typeof start>> | undefined

      before(async function () {
        this.timeout(60_000)
        started = await start(engine)
      })
      after(async function () {
        this.timeout(60_000)
        await started?.cluster.stop()
      })

      define(() => {
        if (started === undefined) throw new Error('The servers are started before the specs.')
        return started.servers
      })
    })
}

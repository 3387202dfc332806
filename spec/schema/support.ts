import { readFileSync } from 'node:fs'
import path from 'node:path'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { type ConnectionProxy, type OctopusOptions, octopus } from '../../lib/index.js'
import { type Cluster, MariadbCluster, PostgresCluster } from '../support/cluster/index.js'

export type ServerEngine = 'mariadb' | 'postgres'

/** One server for each shard: brazil is the default shard. */
export const startShards = (engine: ServerEngine, shards: number): Promise<Cluster> =>
  (engine === 'mariadb' ? MariadbCluster : PostgresCluster).start({
    shards,
    replicas: 0,
    generalLog: true,
  })

/** A wrapped data source over the servers of a cluster, one of these names for each. */
export const sourceOver = (
  cluster: Cluster,
  [defaultShard, ...others]: readonly string[],
  options: Partial<DataSourceOptions> = {},
  settings: OctopusOptions = {},
): ConnectionProxy => {
  const at = (index: number) => cluster.shard(index).primary.connectionOptions()
  const source = { type: cluster.engine, ...at(0), ...options } as DataSourceOptions
  return octopus(new DataSource(source), {
    defaultShard: defaultShard ?? 'master',
    ...settings,
    shards: {
      ...Object.fromEntries(others.map((name, index) => [name, at(index + 1)])),
      ...settings.shards,
    },
  })
}

/** The schema that a fixture gives to every shard, and what makes one drift from it. */
export const fixture = (
  engine: ServerEngine | 'sqlite',
): { readonly base: string; readonly drift: string } => {
  const text = readFileSync(path.resolve(`spec/schema/fixtures/${engine}.sql`), 'utf8')
  const [base = '', drift = ''] = text.split('-- drift\n')
  return { base, drift }
}

/** Runs a script with all rights on a shard's primary, in the application's database. */
export const runScript = (cluster: Cluster, shard: number, sql: string): Promise<unknown> =>
  cluster
    .shard(shard)
    .primary.sql(cluster.engine === 'mariadb' ? `USE app; ${sql}` : `SET ROLE postgres; ${sql}`)

/** What work fails with. */
export const failureOf = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new Error('The work was to fail.')
}

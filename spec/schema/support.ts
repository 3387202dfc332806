import { readFileSync } from 'node:fs'
import path from 'node:path'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { type ConnectionProxy, type OctopusOptions, octopus } from '../../lib/index.js'
import { type Cluster, MariadbCluster, PostgresCluster } from '../support/cluster/index.js'
import { ServerEndpoint } from '../support/engines/server-endpoint.js'
import { EventAudit } from '../support/event-audit.js'

export type ServerEngine = 'mariadb' | 'postgres'

/** The server of each shard of these specs, by its number. */
const places: Readonly<Record<string, number>> = {
  brazil: 0,
  canada: 1,
  peru: 1,
  tenant: 1,
  chile: 2,
}

/** What is told of the servers of a cluster, against their logs. */
const audits = new WeakMap<Cluster, EventAudit>()

/** One server for each shard: brazil is the default shard. */
export const startShards = async (engine: ServerEngine, shards: number): Promise<Cluster> => {
  const Servers = engine === 'mariadb' ? MariadbCluster : PostgresCluster
  const cluster = await Servers.start({ shards, replicas: 0, generalLog: true })
  const servers = cluster.nodes.map((node) => new ServerEndpoint(node.name, node))
  const nameOf = (place: number | undefined): string =>
    place === undefined ? 'elsewhere' : cluster.shard(place).primary.name
  audits.set(cluster, new EventAudit(servers, ({ shard }) => nameOf(places[shard])))
  return cluster
}

/** Where the servers' logs and the events of all data sources over them differ. Nothing may be under way. */
export const untold = async (cluster: Cluster): Promise<readonly string[]> =>
  (await audits.get(cluster)?.differences()) ?? []

/** A wrapped data source over the servers of a cluster, one of these names for each. */
export const sourceOver = (
  cluster: Cluster,
  [defaultShard, ...others]: readonly string[],
  options: Partial<DataSourceOptions> = {},
  settings: OctopusOptions = {},
): ConnectionProxy => {
  const at = (index: number) => cluster.shard(index).primary.connectionOptions()
  const source = { type: cluster.engine, ...at(0), ...options } as DataSourceOptions
  const db = octopus(new DataSource(source), {
    defaultShard: defaultShard ?? 'master',
    ...settings,
    shards: {
      ...Object.fromEntries(others.map((name, index) => [name, at(index + 1)])),
      ...settings.shards,
    },
  })
  return audits.get(cluster)?.follow(db) ?? db
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

import { AbstractLogger, DataSource, type DataSourceOptions } from 'typeorm'
import {
  type ConnectionProxy,
  type MigrationEvent,
  type MigrationReport,
  MigrationRunError,
  type OctopusOptions,
  octopus,
} from '../../lib/index.js'
import {
  type Cluster,
  type ClusterNode,
  MariadbCluster,
  PostgresCluster,
} from '../support/cluster/index.js'
import { ServerEndpoint } from '../support/engines/server-endpoint.js'
import { EventAudit } from '../support/event-audit.js'
import { until } from '../support/until.js'
import { madeTables } from './programs.js'

/** The shards of the stage, the first of which is the default one. */
export const shardNames = ['master', 'brazil', 'canada', 'spain', 'italy'] as const
export type ShardName = (typeof shardNames)[number]

const engineOf = (shard: ShardName): 'mariadb' | 'postgres' =>
  shard === 'spain' || shard === 'italy' ? 'postgres' : 'mariadb'

/** TypeORM tells every failed migration to the console otherwise. */
export class NoLog extends AbstractLogger {
  protected writeLog(): void {}
}

/** Three MariaDB shards with a replica each, and two PostgreSQL shards, in one topology. */
export class Stage {
  readonly mariadb: Cluster
  readonly postgres: Cluster
  readonly #opened: ConnectionProxy[] = []
  /** Of one spec, from its first application on. */
  #audit: EventAudit | undefined
  #isAudited = true

  private constructor(mariadb: Cluster, postgres: Cluster) {
    this.mariadb = mariadb
    this.postgres = postgres
  }

  static async start(): Promise<Stage> {
    const mariadb = await MariadbCluster.start({ shards: 3, replicas: 1 })
    try {
      return new Stage(mariadb, await PostgresCluster.start({ shards: 2, replicas: 1 }))
    } catch (error) {
      await mariadb.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.mariadb.stop(), this.postgres.stop()])
  }

  get nodes(): readonly ClusterNode[] {
    return [...this.mariadb.nodes, ...this.postgres.nodes]
  }

  get replicas(): readonly ClusterNode[] {
    return this.nodes.filter(({ role }) => role === 'replica')
  }

  primary(shard: ShardName): ClusterNode {
    return this.#clusterShard(shard).primary
  }

  #clusterShard(shard: ShardName) {
    const index = shardNames.indexOf(shard)
    return index < 3 ? this.mariadb.shard(index) : this.postgres.shard(index - 3)
  }

  /** What reaches a shard, as TypeORM and the library take it. */
  connection(shard: ShardName): object {
    const { primary, replicas } = this.#clusterShard(shard)
    return {
      type: engineOf(shard),
      ...primary.connectionOptions(),
      replicas: replicas.map((each) => ({ name: `${shard}-replica`, ...each.connectionOptions() })),
    }
  }

  /** The options of `octopus()`, and of the DataSource that is wrapped. */
  options(settings: Partial<OctopusOptions> = {}): {
    dataSource: object
    octopus: OctopusOptions
  } {
    const [first, ...others] = shardNames
    const { replicas, ...dataSource } = this.connection(first) as { replicas: object[] }
    return {
      dataSource,
      octopus: {
        replicas,
        shards: Object.fromEntries(others.map((name) => [name, this.connection(name)])),
        groups: { americas: ['brazil', 'canada'], europe: ['spain', 'italy'] },
        ...settings,
      },
    }
  }

  /**
   * An application with migrations. It is ended by `reset`.
   *
   * @param further - options of the DataSource
   */
  async application(
    migrations: readonly Function[],
    settings: Partial<OctopusOptions> = { migrations: { default: 'all' } },
    further: Partial<DataSourceOptions> = {},
  ): Promise<ConnectionProxy> {
    const { dataSource, octopus: options } = this.options(settings)
    const given: object = { ...dataSource, migrations, logger: new NoLog(), ...further }
    const source = new DataSource(given as DataSourceOptions)
    const db = octopus(source, options)
    this.#opened.push(db)
    this.#audit ??= this.#newAudit()
    this.#audit.follow(db)
    await db.initialize()
    return db
  }

  #newAudit(): EventAudit {
    const nameOf = ({ engine, name }: ClusterNode): string => `${engine} ${name}`
    const servers = this.nodes.map((node) => new ServerEndpoint(nameOf(node), node))
    return new EventAudit(servers, ({ shard, node }) => {
      const { primary, replicas } = this.#clusterShard(shard as ShardName)
      const replica = replicas[0]
      return nameOf(replica !== undefined && node === `${shard}-replica` ? replica : primary)
    })
  }

  /** For a spec in which servers or connections are ended, or other processes are at work too. */
  leaveUnaudited(): void {
    this.#isAudited = false
  }

  async #differences(): Promise<readonly string[]> {
    const audit = this.#isAudited ? this.#audit : undefined
    this.#audit = undefined
    this.#isAudited = true
    return (await audit?.differences()) ?? []
  }

  /** Ends the applications, compares what they told with what the servers logged, and empties the servers. */
  async reset(): Promise<void> {
    for (const db of this.#opened.splice(0)) {
      const lent = db.octopus.pools().filter(({ active }) => active > 0)
      if (lent.length > 0) throw new Error(`Leases are out: ${JSON.stringify(lent)}`)
      await db.destroy()
    }
    for (const node of this.nodes)
      await until(async () => (await node.connections()) === 0, {
        what: `no socket at ${node.name}`,
      })
    const differences = await this.#differences()
    if (differences.length > 0) throw new Error(`Statements and events: ${differences.join('; ')}`)
    for (const shard of shardNames)
      for (const table of madeTables)
        await this.primary(shard).sql(`DROP TABLE IF EXISTS ${inSchema(shard, table)}`)
  }

  /** The tables of the specs that a shard has. */
  async tables(shard: ShardName): Promise<string[]> {
    const schema = engineOf(shard) === 'mariadb' ? 'app' : 'public'
    const rows = await this.primary(shard).sql<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '${schema}' ORDER BY table_name`,
    )
    return rows.map(({ name }) => name)
  }

  /** The migrations that a shard's own version table lists. */
  async versions(shard: ShardName): Promise<string[]> {
    if (!(await this.tables(shard)).includes('migrations')) return []
    const rows = await this.primary(shard).sql<{ name: string }>(
      `SELECT name FROM ${inSchema(shard, 'migrations')} ORDER BY id`,
    )
    return rows.map(({ name }) => name)
  }

  /** The connections of a shard's primary on which the application lets the server sleep. */
  async sleepers(shard: ShardName): Promise<number[]> {
    const rows = await this.primary(shard).sql<{ id: number }>(
      engineOf(shard) === 'mariadb'
        ? `SELECT id FROM information_schema.processlist WHERE user = 'app' AND info LIKE 'SELECT SLEEP%'`
        : `SELECT pid AS id FROM pg_stat_activity WHERE usename = 'app' AND query LIKE 'SELECT pg_sleep%'`,
    )
    return rows.map(({ id }) => Number(id))
  }

  /** Ends a connection, as an operator would. */
  async endConnection(shard: ShardName, id: number): Promise<void> {
    await this.sql(
      shard,
      engineOf(shard) === 'mariadb' ? `KILL ${id}` : `SELECT pg_terminate_backend(${id})`,
    )
  }

  async sql(shard: ShardName, text: string): Promise<void> {
    await this.primary(shard).sql(text)
  }
}

/** A table of the application's, as the administrator of the servers names it. */
export const inSchema = (shard: ShardName, table: string): string =>
  engineOf(shard) === 'mariadb' ? `app.${table}` : `public.${table}`

/** What each shard of a report came to. */
export const outcomes = ({ shards }: MigrationReport): Record<string, string> =>
  Object.fromEntries(shards.map(({ shard, outcome }) => [shard, outcome]))

/** The report of a run that fails. */
export const reportOf = async (run: () => Promise<unknown>): Promise<MigrationReport> => {
  try {
    await run()
  } catch (error) {
    if (error instanceof MigrationRunError) return error.report
    throw error
  }
  throw new Error('The run was expected to fail.')
}

/** Collects the events of a run. */
export const listening = () => {
  const events: MigrationEvent[] = []
  const onEvent = (event: MigrationEvent): void => void events.push(event)
  const types = (shard: string): string[] =>
    events.filter((event) => 'shard' in event && event.shard === shard).map(({ type }) => type)
  return { events, onEvent, types }
}

/** A promise with what settles it. */
export const latch = (): { readonly opened: Promise<void>; open: () => void } => {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open: () => open() }
}

import { expect } from 'chai'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { type ConnectionProxy, type RouteEvent, octopus } from '../../lib/index.js'
import type { BedEndpoint, EngineName, Row as Cells } from '../support/engines/endpoint.js'
import { EventAudit } from '../support/event-audit.js'
import { until } from '../support/until.js'
import { entities } from './entities/index.js'
import type { Expected, ServerName } from './row.js'
import {
  type CatalogueServers,
  type ShardName,
  replicas,
  shardNames,
  startServers,
} from './servers.js'
import { StatementRecord } from './statement-record.js'
import type { World, WrapSettings } from './world.js'

/** Ids that the servers generate are of each shard's own range. */
const idsPerShard = 1_000_000

type Connection = (endpoint: BedEndpoint) => object

const wrapped = (
  { primaries, replicas: copies }: CatalogueServers,
  { defaultShard = 'master', shards = shardNames, ...settings }: WrapSettings,
  connection: Connection,
): ConnectionProxy => {
  const own = replicas.map(({ name, group }) => ({ name, group, ...connection(copies[name]) }))
  const replicasOf = (name: ShardName): object => (name === 'russia' ? { replicas: own } : {})
  const others = shards.filter((name) => name !== defaultShard)
  const known: readonly string[] = [defaultShard, ...others]
  const groups = { americas: ['brazil', 'canada'], all: shardNames }
  return octopus(
    new DataSource({
      ...connection(primaries[defaultShard]),
      entities,
      ...settings.dataSource,
    } as DataSourceOptions),
    {
      defaultShard,
      ...replicasOf(defaultShard),
      shards: Object.fromEntries(
        others.map((name) => [name, { ...connection(primaries[name]), ...replicasOf(name) }]),
      ),
      groups: Object.fromEntries(
        Object.entries(groups).filter(([, members]) =>
          members.every((name) => known.includes(name)),
        ),
      ),
      ...settings.octopus,
    },
  )
}

const isReplica = (node: string | undefined): boolean => replicas.some(({ name }) => name === node)

const serverName = ({ shard, node }: RouteEvent): string => (isReplica(node) ? String(node) : shard)

/** The worlds of one engine's rows, one after the other. */
export class LiveWorld implements World {
  readonly db: ConnectionProxy
  readonly #servers: CatalogueServers
  readonly #audit: EventAudit
  #record: StatementRecord | undefined
  readonly #further: ConnectionProxy[] = []

  private constructor(servers: CatalogueServers) {
    this.#servers = servers
    const endpoints = [...Object.values(servers.primaries), ...Object.values(servers.replicas)]
    // sql.js has no server; its driver sends some statements past every query runner.
    const logging = endpoints.filter(({ engine }) => engine !== 'sqljs')
    this.#audit = new EventAudit(logging, serverName)
    this.db = this.#audit.follow(wrapped(servers, {}, ({ connection }) => connection))
  }

  static async start(engine: EngineName): Promise<LiveWorld> {
    const servers = await startServers(engine)
    const world = new LiveWorld(servers)
    try {
      await world.db.initialize()
      await world.db.usingAll(() => world.db.synchronize())
      for (const [index, name] of shardNames.entries())
        await servers.primaries[name].startIdsAt(world.#numbered, idsPerShard * (index + 1))
      await Promise.all(replicas.map(() => openReplica(world.db)))
      await servers.replicate()
      return world
    } catch (error) {
      await servers.stop()
      throw error
    }
  }

  get engine(): EngineName {
    return this.#servers.engine
  }

  get #numbered(): string[] {
    return this.db.entityMetadatas
      .filter(({ generatedColumns }) =>
        generatedColumns.some(
          ({ generationStrategy: kind, databaseName }) =>
            kind === 'increment' && databaseName === 'id',
        ),
      )
      .map(({ tableName }) => tableName)
  }

  async wrap(settings: WrapSettings): Promise<ConnectionProxy> {
    const db = this.#audit.follow(
      wrapped(this.#servers, settings, ({ furtherConnection }) => furtherConnection),
    )
    this.#further.push(db)
    await this.aside(() => db.initialize())
    return db
  }

  async sql(server: ServerName, text: string): Promise<readonly Cells[]> {
    const primary = shardNames.find((name) => name === server)
    if (primary === undefined) throw new Error(`${server} is not a primary.`)
    return this.#servers.primaries[primary].sql(text)
  }

  replicate(): Promise<void> {
    return this.#servers.replicate()
  }

  async aside<T>(work: () => T | Promise<T>): Promise<T> {
    const record = this.#record
    if (record === undefined || record.isPaused) return work()
    record.pause()
    try {
      return await work()
    } finally {
      record.resume()
    }
  }

  /** Does a program, and tells which statements reached which server, by the names in `expected`. */
  async statementsOf(program: () => unknown, expected: Expected): Promise<Expected> {
    const record = new StatementRecord(this.#servers)
    this.#record = record
    try {
      await program()
    } finally {
      this.#record = undefined
    }
    return record.in(expected)
  }

  /** Ends what a row began: further data sources, leases, rows in tables. */
  async reset(): Promise<void> {
    const further = this.#further.splice(0).filter(({ isInitialized }) => isInitialized)
    const pools = () => [this.db, ...further].flatMap(({ octopus }) => octopus.pools())
    const isOut = ({ active }: { active: number }) => active > 0
    await until(() => !pools().some(isOut), { what: 'all leases to be given back' })
    await Promise.all(further.map((db) => db.destroy()))
    const filled = await Promise.all(shardNames.map((name) => this.#emptied(name)))
    // Only russia has replicas.
    if (filled[shardNames.indexOf('russia')] === true) await this.replicate()
  }

  /** Empties the tables of a shard that have rows, and tells whether there were any. */
  async #emptied(name: ShardName): Promise<boolean> {
    const tables = this.db.entityMetadatas.map(({ tableName }) => tableName)
    const quoted = (table: string) => (this.engine === 'mariadb' ? table : `"${table}"`)
    const counts = tables.map(
      (table) => `SELECT '${table}' AS name WHERE EXISTS (SELECT 1 FROM ${quoted(table)})`,
    )
    const found = await this.#servers.primaries[name].sql(counts.join(' UNION ALL '))
    const filled = found.map((cells) => String(Object.values(cells)[0]))
    if (filled.length > 0) await this.#servers.primaries[name].empty(filled)
    return filled.length > 0
  }

  async stop(): Promise<void> {
    const endpoints = [
      ...Object.values(this.#servers.primaries),
      ...Object.values(this.#servers.replicas),
    ]
    try {
      await this.db.destroy()
      await until(
        async () => {
          const counts = await Promise.all(endpoints.map((endpoint) => endpoint.connections()))
          return counts.every((count) => count === 0)
        },
        { what: 'no socket to be left' },
      )
      expect(await this.#audit.differences(), 'statements and events').to.deep.equal([])
    } finally {
      await this.#servers.stop()
    }
  }
}

/** A database of sql.js is there once it is opened. */
const openReplica = (db: ConnectionProxy): Promise<unknown> =>
  db.using('russia', () => db.usingReplica(() => db.query('SELECT 1')))

import { expect } from 'chai'
import { DataSource, type DataSourceOptions, type Repository, type TreeRepository } from 'typeorm'
import { type ConnectionProxy, type RouteEvent, octopus } from '../../../lib/index.js'
import { EventAudit } from '../../support/event-audit.js'
import type { EngineName, BedEndpoint, Row } from '../../support/engines/endpoint.js'
import { summaries } from '../../support/engines/summary.js'
import {
  Author,
  InvoiceAudit,
  Place,
  entities,
  numberedTables,
  tables,
} from '../../support/entities/index.js'
import { type BedPlan, type BedServers, type ShardName, shardNames } from './plans.js'
import { AddLedger } from './ledger.js'
import { AuthorDesk, type AuthorExtras, authorExtras } from './repositories.js'

/** What reached each server: statements in words, servers that got none left out. */
export type Statements = Readonly<Record<string, readonly string[]>>

/** Objects that a program keeps from its start on. */
export interface Captured {
  readonly manager: DataSource['manager']
  readonly authors: Repository<Author>
  readonly extended: Repository<Author> & AuthorExtras
  readonly desk: AuthorDesk
  readonly places: TreeRepository<Place>
}

/** Ids that the servers generate are above it; those of the rows in {@link seedOf} are below. */
export const firstGeneratedId = 1000

/** Rows that every shard has, under the same ids but with different values. */
const seedOf = (shard: ShardName): string =>
  [
    `INSERT INTO author (id, name) VALUES (1, 'Ana of ${shard}'), (2, 'Bo of ${shard}')`,
    `INSERT INTO post (id, title, author_id) VALUES (1, 'First of ${shard}', 1), (2, 'Second of ${shard}', 1)`,
    `INSERT INTO remark (id, text, post_id) VALUES (1, 'Yes of ${shard}', 1), (2, 'No of ${shard}', 1)`,
    `INSERT INTO tag (id, label) VALUES (1, 'tag of ${shard}')`,
    `INSERT INTO post_tag (post_id, tag_id) VALUES (1, 1)`,
    `INSERT INTO account (id, holder) VALUES (1, 'Cy of ${shard}')`,
    `INSERT INTO place (id, name) VALUES (1, 'world of ${shard}')`,
    `INSERT INTO place_closure (id_ancestor, id_descendant) VALUES (1, 1)`,
    `INSERT INTO product (id, sku, stock) VALUES (1, 'sku of ${shard}', 10)`,
  ].join('; ')

/** A wrapped data source over running servers: a default shard, s1, s2, and s3 with two replicas. */
export class Bed {
  readonly db: ConnectionProxy
  readonly captured: Captured
  readonly #servers: BedServers
  readonly #audit: EventAudit

  private constructor(servers: BedServers) {
    const db = wrap(servers)
    this.db = db
    this.#servers = servers
    this.#audit = new EventAudit(this.#endpoints.filter(hasLog), serverName)
    this.#audit.follow(db)
    const authors = db.getRepository(Author)
    this.captured = {
      manager: db.manager,
      authors,
      extended: authors.extend(authorExtras),
      desk: new AuthorDesk(db),
      places: db.getTreeRepository(Place),
    }
  }

  static async start(plan: BedPlan): Promise<Bed> {
    const servers = await plan.start()
    try {
      const bed = new Bed(servers)
      await bed.#initialize()
      return bed
    } catch (error) {
      await servers.stop()
      throw error
    }
  }

  async #initialize(): Promise<void> {
    const { db } = this
    await db.initialize()
    await db.usingAll(() => db.synchronize())
    // Opens every replica, so that no scenario sees a driver's first words to its server.
    await db.using('s3', () =>
      db.usingReplica(async () => {
        for (const _ of this.replicaNames) await db.query('SELECT 1')
      }),
    )
    await this.startIds()
  }

  /** Lets each shard generate ids of its own range, so that a wrong one shows. */
  async startIds(): Promise<void> {
    for (const [index, name] of shardNames.entries())
      await this.endpoint(name).startIdsAt(numberedTables, firstGeneratedId * (index + 1))
  }

  /**
   * A second wrapped data source over the same servers, not initialised. Not for shards on sql.js:
   * connecting opens a new database there.
   *
   * @param own further options of a shard
   */
  wrapAgain(
    entities: DataSourceOptions['entities'],
    own: Partial<Record<ShardName, object>> = {},
  ): ConnectionProxy {
    return this.#audit.follow(wrap(this.#servers, { entities }, own))
  }

  get #endpoints(): BedEndpoint[] {
    return Object.values(this.#servers.shards).flatMap(({ primary, replicas }) => [
      primary,
      ...replicas,
    ])
  }

  /** The replicas of s3, as they are called in {@link Statements}. */
  get replicaNames(): readonly string[] {
    return this.#servers.shards.s3.replicas.map(({ name }) => name)
  }

  endpoint(name: string): BedEndpoint {
    const found = this.#endpoints.find((endpoint) => endpoint.name === name)
    if (found === undefined) throw new Error(`The bed has no server ${name}.`)
    return found
  }

  engineOf(shard: ShardName): EngineName {
    return this.#servers.shards[shard].primary.engine
  }

  /** Puts every server back to the rows that each scenario begins with. */
  async reset(): Promise<void> {
    await Promise.all(
      shardNames.map(async (name) => {
        await this.endpoint(name).empty(tables)
        await this.endpoint(name).sql(seedOf(name))
      }),
    )
    await this.replicate()
  }

  /** Waits until the replicas of s3 have what its primary has. */
  replicate(): Promise<void> {
    return this.#servers.replicate()
  }

  /** Does `work`, and tells which statements reached which server meanwhile, by its own log. */
  async statementsDuring(work: () => unknown): Promise<Statements> {
    const logs = await this.sqlDuring(work)
    return Object.fromEntries(
      Object.entries(logs).flatMap(([name, log]) => {
        const told = summaries(log)
        return told.length > 0 ? [[name, told]] : []
      }),
    )
  }

  /** As {@link statementsDuring}, with the SQL as the servers have it. */
  async sqlDuring(work: () => unknown): Promise<Record<string, readonly string[]>> {
    const marks = this.#endpoints.map((endpoint) => ({ endpoint, mark: endpoint.mark() }))
    await work()
    return Object.fromEntries(
      await Promise.all(
        marks.map(async ({ endpoint, mark }) => [endpoint.name, await endpoint.since(mark)]),
      ),
    ) as Record<string, readonly string[]>
  }

  /** The values of a query's only column on one server, over a connection of its own. */
  async column(endpoint: string, sql: string): Promise<unknown[]> {
    return (await this.endpoint(endpoint).sql(sql)).map(onlyValue)
  }

  /** The same on the primary of every shard; shards without rows are left out. */
  async across(sql: string): Promise<Record<string, readonly unknown[]>> {
    const found = await Promise.all(
      shardNames.map(async (name) => [name, await this.column(name, sql)] as const),
    )
    return Object.fromEntries(found.filter(([, values]) => values.length > 0))
  }

  /** What was added to a table, by shard: the values of one column. */
  added(table: string, column: string): Promise<Record<string, readonly unknown[]>> {
    const ids = `id >= ${String(firstGeneratedId)}`
    return this.across(`SELECT ${column} FROM ${table} WHERE ${ids} ORDER BY id`)
  }

  /** How many connections of the application the servers have open. */
  async connections(): Promise<number> {
    const counts = await Promise.all(this.#endpoints.map((endpoint) => endpoint.connections()))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Notes that a DataSource which is not wrapped works on a server: what that sends has no events. */
  share(server: string): void {
    this.#audit.leaveOut(server)
  }

  /** Where what the servers were sent is not what the trace told of, so far. */
  async untold(): Promise<readonly string[]> {
    if (this.#endpoints.some(hasLog)) expect(this.#audit.heard).to.be.above(0)
    return this.#audit.differences()
  }

  stop(): Promise<void> {
    return this.#servers.stop()
  }
}

/** sql.js has no server; its driver sends some statements past every query runner. */
const hasLog = ({ engine }: BedEndpoint): boolean => engine !== 'sqljs'

/** As {@link Statements} calls it. */
const serverName = ({ shard, node }: RouteEvent): string =>
  shard === 's3' && /^r\d$/.test(node ?? '') ? `s3/${String(node)}` : shard

const onlyValue = (row: Row): unknown => {
  const [value] = Object.values(row)
  return typeof value === 'bigint' ? Number(value) : value
}

const everything = {
  entities,
  subscribers: [InvoiceAudit],
  migrations: [AddLedger],
  cache: true,
}

const wrap = (
  { shards }: BedServers,
  shared: object = everything,
  own: Partial<Record<ShardName, object>> = {},
): ConnectionProxy => {
  const [master, ...others] = shardNames.map((name): readonly [ShardName, object] => {
    const { primary, replicas } = shards[name]
    const options = replicas.length === 0 ? {} : { replicas: replicas.map(replicaOf) }
    return [name, { ...primary.connection, ...options, ...own[name] }]
  })
  const source = new DataSource({ ...master![1], ...shared } as DataSourceOptions)
  return octopus(source, { shards: Object.fromEntries(others) })
}

const replicaOf = ({ name, connection }: BedEndpoint) => ({
  name: name.replace('s3/', ''),
  ...connection,
})

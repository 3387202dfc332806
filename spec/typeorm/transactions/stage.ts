import { Column, DataSource, type DataSourceOptions, Entity, PrimaryGeneratedColumn } from 'typeorm'
import type { Repository } from 'typeorm'
import { type ConnectionProxy, octopus } from '../../../lib/index.js'
import {
  type Cluster,
  type ClusterNode,
  MariadbCluster,
  PostgresCluster,
} from '../../support/cluster/index.js'
import { summaries } from '../../support/engines/summary.js'
import { until } from '../../support/until.js'

@Entity('entry')
export class Entry {
  @PrimaryGeneratedColumn() id!: number
  @Column() text!: string
}

export type Engine = 'mariadb' | 'postgres'

const serverNames = ['master', 'brazil', 'brazil replica', 'canada'] as const
export type ServerName = (typeof serverNames)[number]

/** What one server was sent, connection by connection, in the order in which each was first used. */
export type Sent = Readonly<Partial<Record<ServerName, readonly (readonly string[])[]>>>

/** Three shards on servers of their own, of which brazil has a replica. */
export class Stage {
  readonly engine: Engine
  readonly db: ConnectionProxy
  readonly entries: Repository<Entry>
  readonly #single: Cluster
  readonly #pair: Cluster

  private constructor(engine: Engine, single: Cluster, pair: Cluster) {
    this.engine = engine
    this.#single = single
    this.#pair = pair
    const at = (name: ServerName) => ({ type: engine, ...this.node(name).connectionOptions() })
    const source = { ...at('master'), entities: [Entry] } as DataSourceOptions
    this.db = octopus(new DataSource(source), {
      shards: {
        brazil: {
          ...at('brazil'),
          replicas: [at('brazil replica')],
        },
        canada: { ...at('canada'), isolationLevel: 'SERIALIZABLE' },
      },
    })
    this.entries = this.db.getRepository(Entry)
  }

  static async start(engine: Engine): Promise<Stage> {
    const { start } = engine === 'mariadb' ? MariadbCluster : PostgresCluster
    const [single, pair] = await Promise.all([
      start({ shards: 2, replicas: 0 }),
      start({ shards: 1, replicas: 1 }),
    ])
    const stage = new Stage(engine, single, pair)
    await stage.db.initialize()
    await stage.db.usingAll(() => stage.db.synchronize())
    await stage.caughtUp()
    // Every server's set-up statements are sent now, and not while a spec looks.
    await stage.db.using('brazil', () => stage.db.usingReplica(() => stage.entries.count()))
    return stage
  }

  /** Returns when brazil's replica has what its primary has. */
  caughtUp(): Promise<void> {
    return this.#pair.waitUntilCaughtUp(this.#pair.shard(0))
  }

  node(name: ServerName): ClusterNode {
    const nodes: Record<ServerName, ClusterNode> = {
      master: this.#single.shard(0).primary,
      canada: this.#single.shard(1).primary,
      brazil: this.#pair.shard(0).primary,
      'brazil replica': this.#pair.shard(0).replica(),
    }
    return nodes[name]
  }

  /** No rows anywhere, and no lease out. */
  async reset(): Promise<void> {
    for (const name of ['master', 'brazil', 'canada'] as const)
      await this.#sql(name, 'DELETE FROM entry')
    await this.caughtUp()
    await this.#allReturned()
  }

  async #allReturned(): Promise<void> {
    const out = () => this.db.octopus.pools().filter(({ active }) => active > 0)
    await until(() => out().length === 0, { what: 'all leases to be given back' })
  }

  #sql(name: ServerName, text: string): Promise<Record<string, unknown>[]> {
    return this.node(name).sql(this.engine === 'mariadb' ? `USE app; ${text}` : text)
  }

  /** The texts that are committed on one server. */
  async committed(name: ServerName): Promise<unknown[]> {
    const rows = await this.#sql(name, 'SELECT text FROM entry ORDER BY id')
    return rows.map(({ text }) => text)
  }

  /** Does `work`, and tells what each server was sent meanwhile, by its own log: in words without
   *  isolation levels, or as it is. */
  async sentDuring(work: () => unknown, inWords = true): Promise<Sent> {
    const marks = serverNames.map((name) => ({ name, mark: this.node(name).mark() }))
    await work()
    const sent: Partial<Record<ServerName, string[][]>> = {}
    for (const { name, mark } of marks) {
      const connections = new Map<number, string[]>()
      for (const { connection, sql } of await this.node(name).statementsSince(mark))
        connections.set(connection, [...(connections.get(connection) ?? []), sql])
      const lists = [...connections.values()].map((list) => (inWords ? inWordsOf(list) : list))
      if (lists.length > 0) sent[name] = lists
    }
    return sent
  }

  /** Ends one connection from the server's side, as an administrator does. */
  async kill(name: ServerName, connection: number): Promise<void> {
    await this.node(name).sql(
      this.engine === 'mariadb'
        ? `KILL CONNECTION ${connection}`
        : `SELECT pg_terminate_backend(${connection})`,
    )
  }

  /** How many connections of the application one server has open. */
  openConnections(name: ServerName): Promise<number> {
    return this.node(name).connections()
  }

  /** Whether a connection is just executing a statement with that word. */
  async isRunningOn(name: ServerName, connection: number, word: string): Promise<boolean> {
    const rows = await this.node(name).sql<{ sql: string | null }>(
      this.engine === 'mariadb'
        ? 'SELECT info AS `sql` FROM information_schema.processlist WHERE id = ?'
        : "SELECT query AS sql FROM pg_stat_activity WHERE state = 'active' AND pid = $1",
      [connection],
    )
    return rows[0]?.sql?.toLowerCase().includes(word) ?? false
  }

  /** SQL for the server's number of the connection that it is sent on. */
  get whoAmI(): string {
    return this.engine === 'mariadb'
      ? 'SELECT CONNECTION_ID() AS id'
      : 'SELECT pg_backend_pid() AS id'
  }

  async stop(): Promise<void> {
    try {
      await this.#allReturned()
      await this.db.destroy()
      const all = serverNames.map((name) => this.node(name))
      await until(
        async () =>
          (await Promise.all(all.map((node) => node.connections()))).every((n) => n === 0),
        { what: 'no socket to be left' },
      )
    } finally {
      await Promise.all([this.#single.stop(), this.#pair.stop()])
    }
  }
}

const inWordsOf = (list: readonly string[]): string[] =>
  summaries(list).filter((words) => !words.startsWith('SET TRANSACTION'))

/** Describes the same on MariaDB and on PostgreSQL. */
export const describeTransactions = (title: string, define: (stage: () => Stage) => void): void => {
  for (const engine of ['mariadb', 'postgres'] as const)
    describe(`${title} on ${engine === 'mariadb' ? 'MariaDB' : 'PostgreSQL'}`, () => {
      let stage: Stage | undefined

      before(async function () {
        this.timeout(60_000)
        stage = await Stage.start(engine)
      })
      beforeEach(() => stage?.reset())
      after(async function () {
        this.timeout(60_000)
        await stage?.stop()
      })

      define(() => {
        if (stage === undefined) throw new Error('The servers are started before the specs.')
        return stage
      })
    })
}

/** A transaction that commits, in words. */
export const begun = (...words: string[]): string[] => ['begin', ...words, 'commit']

/** What `work` throws or rejects with. */
export const failureOf = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new Error('It was expected to fail.')
}

import { expect } from 'chai'
import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  type Logger,
  PrimaryColumn,
} from 'typeorm'
import { type ConnectionProxy, type OctopusOptions, octopus } from '../../lib/index.js'
import {
  type Cluster,
  type ClusterNode,
  type ClusterOptions,
  MariadbCluster,
  PostgresCluster,
} from '../support/cluster/index.js'
import { until } from '../support/until.js'

@Entity()
export class Entry {
  @PrimaryColumn({ type: Number }) id!: number
  @Column({ type: String, default: '' }) text!: string
}

export type Engine = 'mariadb' | 'postgres'

/** Collects what the operator is told. */
export class Warnings implements Logger {
  readonly texts: string[] = []
  /** What he is told beside the warnings. */
  readonly news: string[] = []
  log(level: 'log' | 'info' | 'warn', message: unknown): void {
    if (level === 'warn') this.texts.push(String(message))
    if (level === 'info') this.news.push(String(message))
  }
  logQuery(): void {}
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
}

/** Server options that a spec gives beside the server itself. */
type SourceOptions = Readonly<Record<string, unknown>>

/** Statements that wait on a server for as long as the spec wants, and what holds them there. */
const holds = {
  mariadb: {
    take: "SELECT GET_LOCK('held', 10)",
    drop: "SELECT RELEASE_LOCK('held')",
    wait: "SELECT GET_LOCK('held', 30), RELEASE_LOCK('held')",
  },
  postgres: {
    take: 'SELECT pg_advisory_lock(7)',
    drop: 'SELECT pg_advisory_unlock(7)',
    wait: 'SELECT pg_advisory_lock_shared(7), pg_advisory_unlock_shared(7)',
  },
} as const

/** The servers of one engine, and the data sources that a spec opens over them. */
export class Servers {
  readonly engine: Engine
  readonly cluster: Cluster
  readonly warnings = new Warnings()
  #opened: ConnectionProxy[] = []
  #drops: (() => Promise<void>)[] = []

  constructor(engine: Engine, cluster: Cluster) {
    this.engine = engine
    this.cluster = cluster
  }

  /** The primary of a shard. */
  node(index = 0): ClusterNode {
    return this.cluster.shard(index).primary
  }

  /** Where the primary of a shard is. */
  at(index = 0): { host: string; port: number } {
    const { host, port } = this.node(index)
    return { host, port }
  }

  /** Where the replicas of a shard are. */
  replicasOf(index = 0): { name: string; host: string; port: number }[] {
    return this.cluster.shard(index).replicas.map(({ name, host, port }) => ({ name, host, port }))
  }

  /** A data source over the first server, not yet initialised. It is destroyed after the spec. */
  wrap(options: OctopusOptions = {}, source: SourceOptions = {}): ConnectionProxy {
    const db = octopus(
      new DataSource({
        type: this.engine,
        ...this.node().connectionOptions(),
        entities: [Entry],
        logger: this.warnings,
        ...source,
      } as DataSourceOptions),
      options,
    )
    this.#opened.push(db)
    return db
  }

  async open(options: OctopusOptions = {}, source: SourceOptions = {}): Promise<ConnectionProxy> {
    const db = this.wrap(options, source)
    await db.initialize()
    return db
  }

  /** A statement that waits on a server that holds. */
  get waiting(): string {
    return holds[this.engine].wait
  }

  /** Lets `waiting` statements wait on a server, until the function that it returns is called. */
  async hold(index = 0): Promise<() => Promise<void>> {
    const { take, drop } = holds[this.engine]
    const node = this.node(index)
    await node.sql(take)
    let isHeld = true
    const free = async (): Promise<void> => {
      if (!isHeld) return
      isHeld = false
      if (node.isReachable) await node.sql(drop)
    }
    this.#drops.push(free)
    return free
  }

  /** Waits until the application has exactly so many connections to a server. */
  async connected(count: number, node: ClusterNode = this.node(), timeoutMs = 5000): Promise<void> {
    let seen = -1
    await until(async () => (seen = await node.connections()) === count, {
      what: () => `${count} connections on ${node.name}, where there are ${seen}`,
      timeoutMs,
    })
  }

  /** Ends what a spec has left, and checks that nothing is left of it: no lease and no connection. */
  async clear(): Promise<void> {
    for (const drop of this.#drops.splice(0)) await drop()
    for (const db of this.#opened.splice(0)) {
      if (db.isInitialized) await db.destroy()
      const lent = db.octopus.pools().filter(({ active, waiting }) => active + waiting > 0)
      expect(lent, 'leases and waiters').to.deep.equal([])
    }
    for (const node of this.cluster.nodes) await this.connected(0, node)
    this.warnings.texts.length = this.warnings.news.length = 0
  }
}

export const startServers = async (engine: Engine, options: ClusterOptions): Promise<Servers> => {
  const { start: startCluster } = engine === 'mariadb' ? MariadbCluster : PostgresCluster
  const cluster = await startCluster({ replicas: 0, generalLog: false, ...options })
  for (const { primary } of cluster.shards) {
    const source = new DataSource({
      type: engine,
      ...primary.connectionOptions(),
      entities: [Entry],
      synchronize: true,
    } as DataSourceOptions)
    await source.initialize()
    await source.destroy()
  }
  await Promise.all(cluster.shards.map((shard) => cluster.waitUntilCaughtUp(shard)))
  return new Servers(engine, cluster)
}

/** Describes the same on servers of MariaDB and of PostgreSQL. Each spec ends without a connection. */
export const describeOnServers = (
  title: string,
  options: ClusterOptions,
  define: (servers: () => Servers, engine: Engine) => void,
): void => {
  for (const engine of ['mariadb', 'postgres'] as const)
    describe(`${title} on ${engine === 'mariadb' ? 'MariaDB' : 'PostgreSQL'}`, () => {
      let started: Servers | undefined

      before(async function () {
        this.timeout(60_000)
        started = await startServers(engine, options)
      })
      afterEach(async function () {
        this.timeout(20_000)
        await started?.clear()
      })
      after(async function () {
        this.timeout(60_000)
        await started?.cluster.stop()
      })

      define(() => {
        if (started === undefined) throw new Error('The servers are started before the specs.')
        return started
      }, engine)
    })
}

/** How a promise ended, looked at later: never an unhandled rejection. */
export const outcomeOf = <T>(work: Promise<T>): Promise<{ value?: T; error?: unknown }> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )

/** What was thrown; fails where nothing was. */
export const errorOf = async (work: Promise<unknown>): Promise<Error> => {
  const { error } = await outcomeOf(work)
  expect(error, 'what was thrown').to.be.instanceOf(Error)
  return error as Error
}

/** The milliseconds that work took. */
export const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await work()
  return performance.now() - started
}

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** A promise, and what settles it. */
export const later = (): { promise: Promise<void>; resolve: () => void } => {
  let resolve = (): void => undefined
  const promise = new Promise<void>((settle) => (resolve = settle))
  return { promise, resolve }
}

import { expect } from 'chai'
import {
  Column,
  DataSource,
  type DataSourceOptions,
  DeleteDateColumn,
  Entity,
  PrimaryColumn,
  type Repository,
  VersionColumn,
} from 'typeorm'
import type { SqljsEntityManager } from 'typeorm/entity-manager/SqljsEntityManager.js'
import {
  type ConnectionProxy,
  type OctopusOptions,
  Replicated,
  type ShardOptions,
  octopus,
} from '../../../lib/index.js'
import { type Cluster, MariadbCluster, statementsDuring } from '../../support/cluster/index.js'
import { ServerEndpoint } from '../../support/engines/server-endpoint.js'
import { EventAudit } from '../../support/event-audit.js'

@Replicated()
@Entity()
export class Account {
  @PrimaryColumn() id!: number
  @Column() name!: string
}

/** Not marked as replicated. */
@Entity()
export class Draft {
  @PrimaryColumn() id!: number
  @VersionColumn() version!: number
  @DeleteDateColumn() deletedAt!: Date | null
}

/** What each server was sent: `p` and the replicas `r1` and `r2` (of the group `reports`). */
export type Sent = Readonly<Record<'p' | 'r1' | 'r2', string>>

/** One shard with two replicas, and a second one called `brazil` beside it. */
export interface Stage {
  readonly engine: string
  start(): Promise<void>
  /** A wrapped, connected data source over the servers. */
  open(options?: OctopusOptions, more?: object): Promise<ConnectionProxy>
  /** The first words of all statements that `work` sent, by server. */
  sent(db: ConnectionProxy, work: () => unknown): Promise<Sent>
  stop(): Promise<void>
}

const firstWords = (sql: string): string =>
  /^START TRANSACTION READ ONLY|^START TRANSACTION|^BEGIN|^\w+/i
    .exec(sql.trim())![0]
    .toUpperCase()
    .replace(/^START TRANSACTION/, 'BEGIN')

const told = (statements: readonly string[]): string => statements.map(firstWords).join(' ')

const entities = [Account, Draft]
const seeded = [
  { id: 1, name: 'Ana' },
  { id: 2, name: 'Bia' },
]

/** In-memory databases; what they were sent is told by the trace. */
export const sqlJsStage = (): Stage => {
  let content: Uint8Array
  const replicas = () => [
    { name: 'r1', database: content },
    { name: 'r2', group: 'reports', database: content },
  ]
  return {
    engine: 'sql.js',
    async start() {
      const template = new DataSource({ type: 'sqljs', entities, synchronize: true })
      await template.initialize()
      await template.getRepository(Account).insert(seeded)
      await template.getRepository(Draft).insert({ id: 1 })
      content = (template.manager as SqljsEntityManager).exportDatabase()
      await template.destroy()
    },
    async open(options = {}, more = {}) {
      const source = new DataSource({ type: 'sqljs', database: content, entities, ...more })
      const { shards, ...rest } = options
      const brazil: ShardOptions = {
        database: content,
        replicas: replicas(),
        ...shards?.['brazil'],
      }
      const db = octopus(source, { replicas: replicas(), shards: { ...shards, brazil }, ...rest })
      return db.initialize() as Promise<ConnectionProxy>
    },
    async sent(db, work) {
      const sent: Record<'p' | 'r1' | 'r2', string[]> = { p: [], r1: [], r2: [] }
      const stop = db.octopus.onRoute(
        ({ node, sql }) => sent[node === 'r1' || node === 'r2' ? node : 'p'].push(sql ?? ''),
        { sql: true },
      )
      try {
        await work()
      } finally {
        stop()
      }
      return { p: told(sent.p), r1: told(sent.r1), r2: told(sent.r2) }
    },
    stop: () => Promise.resolve(),
  }
}

/** Real servers; what they were sent is told by their general logs. */
export const mariadbStage = (): Stage => {
  let cluster: Cluster
  let audit: EventAudit
  const connection = (): DataSourceOptions => ({
    type: 'mariadb',
    ...cluster.shard(0).primary.connectionOptions(),
    entities,
  })
  const replicas = () =>
    cluster.shard(0).replicas.map(({ host, port }, index) => ({
      name: `r${index + 1}`,
      host,
      port,
      ...(index === 1 ? { group: 'reports' } : {}),
    }))
  return {
    engine: 'MariaDB',
    async start() {
      cluster = await MariadbCluster.start({ shards: 1, replicas: 2 })
      const template = new DataSource({ ...connection(), synchronize: true })
      await template.initialize()
      await template.getRepository(Account).insert(seeded)
      await template.getRepository(Draft).insert({ id: 1 })
      await template.destroy()
      await cluster.waitUntilCaughtUp(cluster.shard(0))
      const servers = cluster.nodes.map((node) => new ServerEndpoint(node.name, node))
      audit = new EventAudit(servers, ({ node }) =>
        node === 'r1' || node === 'r2' ? `s0${node}` : 's0p',
      )
    },
    async open(options = {}, more = {}) {
      const { host, port } = cluster.shard(0).primary
      const { shards, ...rest } = options
      const brazil: ShardOptions = { host, port, replicas: replicas(), ...shards?.['brazil'] }
      const db = octopus(new DataSource({ ...connection(), ...more } as DataSourceOptions), {
        replicas: replicas(),
        shards: { ...shards, brazil },
        allowSharedServer: true,
        ...rest,
      })
      audit.follow(db)
      await db.initialize()
      // Every server's set-up statements are sent now, and not while a spec counts.
      await db.usingAll(async () => {
        await db.query('SELECT 1')
        if (rest.replicas?.length === 0) return
        for (let turn = 0; turn < 4; turn += 1) await db.usingReplica(() => db.query('SELECT 1'))
      })
      return db
    },
    async sent(_db, work) {
      const log = await statementsDuring(cluster, work)
      const of = (node: string): string => told(log[node] ?? [])
      return { p: of('s0p'), r1: of('s0r1'), r2: of('s0r2') }
    },
    async stop() {
      try {
        if (audit !== undefined)
          expect(await audit.differences(), 'statements and events').to.deep.equal([])
      } finally {
        await cluster?.stop()
      }
    },
  }
}

/** What the specs work with. */
export interface Actors {
  readonly db: ConnectionProxy
  readonly accounts: Repository<Account>
  readonly drafts: Repository<Draft>
}

export const actorsOf = (db: ConnectionProxy): Actors => ({
  db,
  accounts: db.getRepository(Account),
  drafts: db.getRepository(Draft),
})

/** What the primary was sent, and what the replicas were together. */
export const byRole = ({ p, r1, r2 }: Sent): { primary: string; replica: string } => ({
  primary: p,
  replica: [r1, r2].filter(Boolean).join(' '),
})

let last = 100
/** An id that no row has yet. */
export const freshId = (): number => (last += 1)

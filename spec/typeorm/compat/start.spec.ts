import { expect } from 'chai'
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm'
import type { OctopusOptions } from '../../../lib/index.js'
import {
  type Cluster,
  type ClusterNode,
  MariadbCluster,
  PostgresCluster,
} from '../../support/cluster/index.js'
import { freePort } from '../../support/cluster/free-port.js'
import { until } from '../../support/until.js'
import { Item, failureOf, proxies } from './support.js'

class Seed1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE seeded (id INT PRIMARY KEY)`)
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE seeded`)
  }
}

/** The application's connections to each server. */
const connections = async ({ nodes }: Cluster): Promise<Record<string, number>> =>
  Object.fromEntries(
    await Promise.all(nodes.map(async (node) => [node.name, await node.connections()] as const)),
  )

const server = ({ host, port }: ClusterNode) => ({ host, port })

for (const [type, Engine] of [
  ['mariadb', MariadbCluster],
  ['postgres', PostgresCluster],
] as const)
  describe(`the start of a wrapped DataSource on ${type}`, function () {
    this.timeout(20_000)
    let cluster: Cluster
    const { wrap } = proxies()

    before(async function () {
      this.timeout(60_000)
      cluster = await Engine.start({ shards: 2, replicas: 1, generalLog: false })
    })
    after(() => cluster?.stop())
    beforeEach(() => noSocket())

    const noSocket = (): Promise<unknown> =>
      until(async () => Object.values(await connections(cluster)).every((n) => n === 0), {
        what: 'no socket to any server',
      })
    const source = (options: object = {}): DataSource =>
      new DataSource({
        type,
        ...cluster.shard(0).primary.connectionOptions(),
        entities: [Item],
        migrations: [Seed1700000000000],
        ...options,
      } as ConstructorParameters<typeof DataSource>[0])
    const shards = (brazil: object = {}): OctopusOptions => ({
      replicas: [server(cluster.node('s0r1'))],
      shards: {
        brazil: {
          ...server(cluster.node('s1p')),
          replicas: [server(cluster.node('s1r1'))],
          ...brazil,
        },
      },
    })
    const tables = async (name: string): Promise<string[]> => {
      const rows = await cluster.node(name).sql<{ name: string }>(
        `SELECT table_name AS name FROM information_schema.tables
         WHERE table_schema = '${type === 'mariadb' ? 'app' : 'public'}' ORDER BY table_name`,
      )
      return rows.map((row) => row.name)
    }
    const empty = async (): Promise<void> => {
      for (const { primary } of cluster.shards)
        for (const table of await tables(primary.name))
          await primary.sql(`DROP TABLE ${type === 'mariadb' ? `app.${table}` : `"${table}"`}`)
    }
    afterEach(empty)

    it('opens the default primary and no other server', async () => {
      const db = wrap(source(), shards())
      await db.initialize()
      expect(await connections(cluster)).to.deep.equal({ s0p: 1, s0r1: 0, s1p: 0, s1r1: 0 })
      const open = db.octopus.pools().filter(({ state }) => state !== 'idle')
      expect(open.map(({ shard, role }) => [shard, role])).to.deep.equal([['master', 'primary']])
      await db.using('brazil', () => db.query('SELECT 1'))
      expect(await connections(cluster)).to.deep.equal({ s0p: 1, s0r1: 0, s1p: 1, s1r1: 0 })
      await db.destroy()
      await noSocket()
    })

    it("rejects with the driver's own error, leaves no socket, and can be tried again", async () => {
      const closed = await freePort()
      const db = wrap(source({ port: closed }), shards())
      const refused = await failureOf(() => db.initialize())
      expect(refused).to.include({ code: 'ECONNREFUSED', port: closed })
      expect(db.isInitialized).to.equal(false)
      expect(db.octopus.pools().map(({ state }) => state)).not.to.include('open')
      const unknown = wrap(source({ username: 'nobody', password: 'nothing' }), shards())
      const denied = await failureOf(() => unknown.initialize())
      expect(denied).to.have.property(
        'code',
        type === 'mariadb' ? 'ER_ACCESS_DENIED_ERROR' : '28P01',
      )
      await noSocket()
    })

    it('can be tried again when the server is back', async () => {
      const db = wrap(source(), shards())
      await cluster.node('s0p').stop()
      try {
        expect(await failureOf(() => db.initialize())).to.have.property('code', 'ECONNREFUSED')
      } finally {
        await cluster.node('s0p').start()
      }
      await db.initialize()
      expect(await db.query('SELECT 1 AS n')).to.deep.equal([{ n: 1 }])
    })

    it('starts without a shard and without a replica that cannot be reached', async () => {
      const port = await freePort()
      const db = wrap(source({ synchronize: true }), {
        replicas: [{ host: '127.0.0.1', port }],
        shards: { brazil: { host: '127.0.0.1', port: await freePort() } },
      })
      await db.initialize()
      const saved = await db.getRepository(Item).save({ name: 'Ana' })
      const found = await db.usingPrimary(() => db.getRepository(Item).findOneBy({ id: saved.id }))
      expect(found?.name).to.equal('Ana')
      const error = await failureOf(() => db.using('brazil', () => db.getRepository(Item).find()))
      expect(error).to.have.property('code', 'ECONNREFUSED')
    })

    it('warns of an eager shard that cannot be reached, and connects it when it is back', async () => {
      const warnings: string[] = []
      const log = (level: string, message: unknown): void => {
        if (level === 'warn') warnings.push(String(message))
      }
      const nothing = (): void => undefined
      const logger = {
        log,
        logQuery: nothing,
        logQueryError: nothing,
        logQuerySlow: nothing,
        logSchemaBuild: nothing,
        logMigration: nothing,
      }
      const db = wrap(source({ logger }), shards({ connect: 'eager' }))
      await cluster.node('s1p').stop()
      try {
        await db.initialize()
      } finally {
        await cluster.node('s1p').start()
      }
      expect(warnings).to.have.length(1)
      expect(warnings[0]).to.include('"brazil"').and.to.include('ECONNREFUSED')
      expect(await db.using('brazil', () => db.query('SELECT 1 AS n'))).to.deep.equal([{ n: 1 }])
    })

    it('connects an eager shard at once', async () => {
      const db = wrap(source(), shards({ connect: 'eager' }))
      await db.initialize()
      expect(await connections(cluster)).to.deep.include({ s0p: 1, s1p: 1 })
    })

    it('does the schema work that a shard asks for itself, and no other', async () => {
      const db = wrap(source(), shards({ synchronize: true, migrationsRun: true }))
      await db.initialize()
      expect(await tables('s0p')).to.deep.equal([])
      expect(await tables('s1p')).to.deep.equal(['item', 'migrations', 'seeded'])
      await db.destroy()
      await empty()
      const other = wrap(source({ synchronize: true, migrationsRun: true }), {
        ...shards(),
        migrations: { default: 'default' },
      })
      await other.initialize()
      expect(await tables('s0p')).to.deep.equal(['item', 'migrations', 'seeded'])
      expect(await tables('s1p')).to.deep.equal([])
    })

    it('runs the migrations of all shards where the DataSource asks for it, in whatever scope', async () => {
      const db = wrap(source({ migrationsRun: true }), {
        ...shards(),
        migrations: { default: 'all' },
      })
      await db.using('brazil', () => db.initialize())
      for (const node of ['s0p', 's1p'])
        expect(await tables(node)).to.deep.equal(['migrations', 'seeded'])
    })

    it('starts not at all where nothing says on which shards its migrations run', async () => {
      const db = wrap(source({ migrationsRun: true }), shards())
      expect(await failureOf(() => db.initialize())).to.have.property('code', 'migration-plan')
      expect(db.isInitialized).to.equal(false)
      expect(await tables('s0p')).to.deep.equal([])
    })

    it('adopts the pool of a DataSource that was initialised before', async () => {
      const plain = await source({ synchronize: true }).initialize()
      await plain.getRepository(Item).save({ name: 'before' })
      const held = plain.createQueryRunner()
      await held.query('SELECT 1')
      const db = wrap(plain, shards({ synchronize: false }))
      await held.release()
      await db.using('brazil', () => db.synchronize())
      await db.usingAll((name) => db.getRepository(Item).save({ name }))
      expect(await connections(cluster)).to.deep.include({ s0p: 1, s1p: 1 })
      const counts = await db.usingAll(() => db.usingPrimary(() => db.getRepository(Item).count()))
      expect(counts.map(({ value }) => value)).to.deep.equal([2, 1])
      await db.destroy()
      expect(plain.isInitialized).to.equal(false)
      await noSocket()
    })

    it('starts anew after its end', async () => {
      const db = wrap(source({ synchronize: true }), shards({ synchronize: true }))
      for (const name of ['first', 'second']) {
        await db.initialize()
        await db.usingAll(() => db.getRepository(Item).save({ name }))
        await db.destroy()
        await noSocket()
      }
      await db.initialize()
      const counts = await db.usingAll(() => db.usingPrimary(() => db.getRepository(Item).count()))
      expect(counts.map(({ value }) => value)).to.deep.equal([2, 2])
    })
  })

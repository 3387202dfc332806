import { expect } from 'chai'
import {
  MariadbCluster,
  PostgresCluster,
  statementsDuring,
  type Cluster,
} from '../support/cluster/index.js'
import { withClient } from './support.js'

const prepared = {
  mariadb: { sql: 'SELECT ? + 1 AS n', logged: 'SELECT 5 + 1 AS n' },
  postgres: { sql: 'SELECT $1::int + 1 AS n', logged: 'SELECT $1::int + 1 AS n' },
} as const

for (const engine of [MariadbCluster, PostgresCluster]) {
  describe(`The statement log of ${engine === MariadbCluster ? 'MariaDB' : 'PostgreSQL'}`, () => {
    let cluster: Cluster

    before(async function () {
      this.timeout(60_000)
      cluster = await engine.start({ shards: 1, replicas: 1 })
    })

    after(() => cluster.stop())

    it('tells which server was sent which statement', async () => {
      const counted = await statementsDuring(cluster, async () => {
        await withClient(cluster.node('s0p'), async (client) => {
          await client.query('SELECT 1')
          await client.query('SELECT 2')
        })
        await withClient(cluster.node('s0r1'), (client) => client.query('SELECT 3'))
      })
      expect(counted).to.deep.equal({ s0p: ['SELECT 1', 'SELECT 2'], s0r1: ['SELECT 3'] })
    })

    it('leaves out the tool itself, replication and handshakes', async () => {
      const node = cluster.node('s0p')
      const counted = await statementsDuring(cluster, async () => {
        await withClient(node, async () => {})
        await node.sql('SELECT 1')
        await node.connections()
        await cluster.createDatabase(cluster.shard(0), `app_${process.pid}`)
      })
      expect(counted).to.deep.equal({ s0p: [], s0r1: [] })
    })

    it('keeps a statement of many lines as one', async () => {
      const sql = "SELECT 'ä\n\t\tb',\n\n  2 -- two\n\t, 'LOG:  statement: x',\r\n3"
      const counted = await statementsDuring(cluster, () =>
        withClient(cluster.node('s0p'), (client) => client.query(sql)),
      )
      expect(counted['s0p']).to.deep.equal([sql])
    })

    it('counts each run of a prepared statement once', async () => {
      const node = cluster.node('s0p')
      const { sql, logged } = prepared[cluster.engine]
      const mark = node.mark()
      await withClient(node, async (client) => {
        await client.prepared(sql, [5])
        await client.prepared(sql, [5])
      })
      const statements = await node.statementsSince(mark)
      expect(statements.map((s) => [s.kind, s.sql, s.user])).to.deep.equal([
        ['execute', logged, 'app'],
        ['execute', logged, 'app'],
      ])
    })

    it('counts thousands of statements exactly, from many connections at once', async () => {
      const texts = Array.from({ length: 500 }, (_, index) => `SELECT ${index}`)
      const counted = await statementsDuring(cluster, () =>
        Promise.all(
          [1, 2, 3, 4].map(() =>
            withClient(cluster.node('s0p'), async (client) => {
              for (const text of texts) await client.query(text)
            }),
          ),
        ),
      )
      expect([...(counted['s0p'] ?? [])].sort()).to.deep.equal(
        [...texts, ...texts, ...texts, ...texts].sort(),
      )
    }).timeout(20_000)

    it('leaves out what was answered in a pause', async () => {
      const node = cluster.node('s0p')
      await withClient(node, async (client) => {
        const mark = node.mark()
        await client.query('SELECT 1')
        const from = node.mark()
        await client.query('SELECT 2')
        await client.query('SELECT 3')
        const pauses = [{ from, to: node.mark() }]
        await client.query('SELECT 4')
        const statements = await node.statementsSince(mark, pauses)
        expect(statements.map(({ sql }) => sql)).to.deep.equal(['SELECT 1', 'SELECT 4'])
      })
    })

    it('can be read while the server is down, and goes on after a restart', async () => {
      const node = cluster.node('s0r1')
      const mark = node.mark()
      await withClient(node, (client) => client.query('SELECT 1'))
      await node.kill9()
      expect((await node.statementsSince(mark)).map(({ sql }) => sql)).to.deep.equal(['SELECT 1'])
      await node.restart()
      await withClient(node, (client) => client.query('SELECT 2'))
      const statements = await node.statementsSince(mark)
      expect(statements.map(({ sql }) => sql)).to.deep.equal(['SELECT 1', 'SELECT 2'])
    })

    it('says so when it is switched off', async function () {
      this.timeout(20_000)
      const silent = await engine.start({ replicas: 0, generalLog: false })
      try {
        expect(() => silent.node('s0p').mark()).to.throw('s0p keeps no statement log')
      } finally {
        await silent.stop()
      }
    })
  })
}

import { expect } from 'chai'
import { MariadbCluster, PostgresCluster, type Cluster } from '../support/cluster/index.js'
import { until } from '../support/until.js'
import { connectTo, withClient } from './support.js'

// Each test leaves the cluster whole, but not always with the same primary.
for (const { title, start, engine } of [
  { title: 'MariaDB 2×(1+1)', engine: MariadbCluster, start: { shards: 2, replicas: 1 } },
  { title: 'PostgreSQL 1×(1+1)', engine: PostgresCluster, start: { shards: 1, replicas: 1 } },
]) {
  describe(`A cluster, ${title}`, () => {
    let cluster: Cluster

    before(async function () {
      this.timeout(60_000) // the first start ever makes the template
      cluster = await engine.start(start)
      for (const { primary } of cluster.shards) {
        await withClient(primary, (client) =>
          client.query('CREATE TABLE notes (id int PRIMARY KEY)'),
        )
      }
    })

    after(() => cluster.stop())

    const table = (): string => (cluster.engine === 'mariadb' ? 'app.notes' : 'notes')
    const write = (id: number) =>
      withClient(cluster.shard(0).primary, (client) =>
        client.query(`INSERT INTO notes VALUES (${id})`),
      )
    const idsOn = async (name: string): Promise<number[]> => {
      const rows = await cluster
        .node(name)
        .sql<{ id: number }>(`SELECT id FROM ${table()} ORDER BY id`)
      return rows.map(({ id }) => id)
    }

    it('names its nodes by shard and number', () => {
      const names = start.shards === 2 ? ['s0p', 's0r1', 's1p', 's1r1'] : ['s0p', 's0r1']
      expect(cluster.nodes.map((node) => node.name)).to.deep.equal(names)
      expect(() => cluster.node('s9p')).to.throw('No node s9p in this cluster; it has s0p, s0r1')
    })

    it('replicates what the primary wrote, within the shard only', async () => {
      await write(1)
      await cluster.waitUntilCaughtUp(cluster.shard(0))
      expect(await idsOn('s0r1')).to.deep.equal([1])
      if (start.shards > 1) expect(await idsOn('s1p')).to.deep.equal([])
    })

    it('keeps the application from writing to a replica', async () => {
      const refused = await withClient(cluster.node('s0r1'), (client) =>
        client.query('INSERT INTO notes VALUES (2)').catch((error: Error) => error.message),
      )
      expect(refused).to.match(/read.only/)
    })

    it('applies changes late by the delay', async () => {
      const replica = cluster.node('s0r1')
      await cluster.setReplicationDelay(replica, 1)
      const started = performance.now()
      await write(3)
      expect(await idsOn('s0r1')).not.to.include(3)
      await cluster.waitUntilCaughtUp(replica)
      // MariaDB counts whole seconds from the time in the event, which has none below one
      expect(performance.now() - started).to.be.greaterThan(cluster.engine === 'mariadb' ? 50 : 900)
      expect(await idsOn('s0r1')).to.include(3)
      await cluster.setReplicationDelay(replica, 0)
    })

    it('leaves a frozen replica stale until it is unfrozen', async () => {
      const replica = cluster.node('s0r1')
      await cluster.freezeReplication(replica)
      await write(4)
      const waited = await cluster
        .waitUntilCaughtUp(replica, 50)
        .catch((error: Error) => error.message)
      expect(waited).to.match(/s0r1 (to apply|has not applied)/)
      expect(await idsOn('s0r1')).not.to.include(4)
      await cluster.unfreezeReplication(replica)
      await cluster.waitUntilCaughtUp(replica)
      expect(await idsOn('s0r1')).to.include(4)
    })

    it('lets a primary refuse writes and take them again', async () => {
      const { primary } = cluster.shard(0)
      const client = await connectTo(primary)
      await cluster.setReadOnly(primary, true)
      const refused = await client
        .query('INSERT INTO notes VALUES (5)')
        .catch((e: Error) => e.message)
      expect(refused).to.match(/read.only/)
      await cluster.setReadOnly(primary, false)
      await client.query('INSERT INTO notes VALUES (5)')
      await client.end()
    })

    it('brings a killed replica back with all that it missed', async () => {
      const replica = cluster.node('s0r1')
      const { port } = replica
      await replica.kill9()
      expect(replica.isRunning).to.equal(false)
      expect(replica.pids).to.deep.equal([])
      await write(6)
      await replica.restart()
      await cluster.waitUntilCaughtUp(replica)
      expect(replica.port).to.equal(port)
      expect(await idsOn('s0r1')).to.include(6)
    })

    it('keeps the commits of a killed primary', async () => {
      const { primary } = cluster.shard(0)
      await write(7)
      await primary.kill9()
      await primary.restart()
      await write(8)
      await cluster.waitUntilCaughtUp(cluster.shard(0))
      expect(await idsOn('s0p')).to.include.members([7, 8])
      expect(await idsOn('s0r1')).to.include.members([7, 8])
    })

    it('answers nobody while a node is paused', async () => {
      const replica = cluster.node('s0r1')
      const client = await connectTo(replica)
      await replica.pause()
      try {
        let isAnswered = false
        const answer = client.query('SELECT 1').then(() => (isAnswered = true))
        await cluster.node('s0p').sql('SELECT 1') // its neighbour has answered meanwhile
        expect(isAnswered).to.equal(false)
        const refused = await replica.sql('SELECT 1').catch((error: Error) => error.message)
        expect(refused).to.include('s0r1 is paused')
        replica.resume()
        expect(await answer).to.equal(true)
      } finally {
        replica.resume()
        await client.end()
      }
    })

    it('counts the connections of the application', async () => {
      const node = cluster.node('s0p')
      await until(async () => (await node.connections()) === 0, { what: 'no connections' })
      const clients = [await connectTo(node), await connectTo(node)]
      expect(await node.connections()).to.equal(2)
      for (const client of clients) await client.end()
      await until(async () => (await node.connections()) === 0, { what: 'no connections' })
    })

    it('makes databases on a shard', async () => {
      await cluster.createDatabase(cluster.shard(0), 'tenant_1')
      const [sql, values]: [string, string[]] =
        cluster.engine === 'mariadb'
          ? [
              'SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name = ?',
              ['tenant_1'],
            ]
          : ['SELECT datname AS name FROM pg_database WHERE datname = $1', ['tenant_1']]
      expect(await cluster.node('s0r1').sql(sql, values)).to.deep.equal([{ name: 'tenant_1' }])
    })

    it('promotes a replica, and the primary that was up becomes a replica', async () => {
      const [formerPrimary, replica] = [cluster.node('s0p'), cluster.node('s0r1')]
      await write(9)
      await cluster.promote(replica)
      expect([formerPrimary.role, replica.role]).to.deep.equal(['replica', 'primary'])
      await write(10)
      await cluster.waitUntilCaughtUp(formerPrimary)
      expect(await idsOn('s0p')).to.include.members([9, 10])
      await cluster.promote(formerPrimary)
    }).timeout(20_000)

    it('promotes a replica of a primary that hangs, which can rejoin when it is awake', async () => {
      const [formerPrimary, replica] = [cluster.node('s0p'), cluster.node('s0r1')]
      await cluster.waitUntilCaughtUp(replica)
      await formerPrimary.pause()
      await cluster.promote(replica)
      await write(13)
      formerPrimary.resume()
      expect(await idsOn('s0p')).not.to.include(13)
      await cluster.rejoin(formerPrimary)
      await cluster.waitUntilCaughtUp(formerPrimary)
      expect(await idsOn('s0p')).to.include(13)
      await cluster.promote(formerPrimary)
    }).timeout(20_000)

    it('promotes a replica of a dead primary, which can rejoin in spite of writes of its own', async () => {
      const [formerPrimary, replica] = [cluster.node('s0p'), cluster.node('s0r1')]
      await cluster.waitUntilCaughtUp(replica)
      await formerPrimary.kill9()
      await cluster.promote(replica)
      await write(11)
      await formerPrimary.restart() // as it was: it takes itself for the primary
      await withClient(formerPrimary, (client) => client.query('INSERT INTO notes VALUES (99)'))
      await cluster.rejoin(formerPrimary)
      await write(12)
      await cluster.waitUntilCaughtUp(formerPrimary)
      expect(await idsOn('s0p'))
        .to.include.members([11, 12])
        .and.not.to.include(99)
    }).timeout(20_000)
  })
}

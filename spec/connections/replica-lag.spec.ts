import { expect } from 'chai'
import { type ConnectionProxy, REPLICA_LAG } from '../../lib/index.js'
import { until } from '../support/until.js'
import { Entry, describeOnServers } from './own-support.js'

const outOfService = (db: ConnectionProxy): string[] =>
  db.octopus.pools().flatMap(({ node, outOfService: why }) => (why === undefined ? [] : [node]))

describeOnServers('REPLICA_LAG', { shards: 1, replicas: 1 }, (servers, engine) => {
  it('takes a replica out that lags, reads from the primary, and takes it back', async function () {
    this.timeout(30_000)
    const { cluster } = servers()
    const [replica] = cluster.shard(0).replicas
    if (replica === undefined) throw new Error('There is a replica.')
    if (engine === 'mariadb')
      await servers().node().sql("GRANT REPLICA MONITOR ON *.* TO 'app'@'%'")
    await cluster.waitUntilCaughtUp(cluster.shard(0))
    const db = await servers().open({
      verify: 'always',
      verifiers: [REPLICA_LAG(200)],
      replicas: servers().replicasOf(),
    })
    await db.manager.find(Entry)
    expect(outOfService(db)).to.deep.equal([])
    await cluster.freezeReplication(replica)
    try {
      await db.manager.insert(Entry, { id: 1, text: 'not there' })
      await until(
        async () => {
          expect(await db.manager.countBy(Entry, {})).to.be.within(0, 1)
          return outOfService(db).length === 1
        },
        { what: 'the replica to be taken out' },
      )
      expect(db.octopus.pools().at(-1)?.outOfService).to.match(/replica lag of 200 ms/)
      expect(await db.manager.countBy(Entry, { id: 1 })).to.equal(1)
    } finally {
      await cluster.unfreezeReplication(replica)
    }
    await until(() => outOfService(db).length === 0, { what: 'its return', timeoutMs: 15_000 })
    await db.manager.find(Entry)
    expect(outOfService(db)).to.deep.equal([])
  })
})

import { expect } from 'chai'
import { DataSource } from 'typeorm'
import type { ConnectionProxy } from '../../../lib/index.js'
import { type Cluster, MariadbCluster, statementsDuring } from '../../support/cluster/index.js'
import { until } from '../../support/until.js'
import { Item, proxies } from './support.js'

describe("TypeORM's own replication on the wrapped DataSource", function () {
  this.timeout(20_000)
  let cluster: Cluster
  let db: ConnectionProxy
  const { wrap } = proxies()

  before(async function () {
    this.timeout(60_000)
    cluster = await MariadbCluster.start({ shards: 2, replicas: 1 })
  })
  after(() => cluster?.stop())

  beforeEach(async () => {
    const { primary } = cluster.shard(0)
    const replication = {
      master: primary.connectionOptions(),
      slaves: [cluster.shard(0).replica().connectionOptions()],
    }
    db = wrap(new DataSource({ type: 'mariadb', replication, entities: [Item] }), {
      shards: { brazil: { ...cluster.shard(1).primary.connectionOptions() } },
    })
    await db.initialize()
    await db.usingAll(() => db.synchronize())
    await cluster.waitUntilCaughtUp(cluster.shard(0))
  })
  afterEach(async () => {
    if (db.isInitialized) await db.destroy()
    for (const node of cluster.nodes)
      await until(async () => (await node.connections()) === 0, {
        what: `no socket at ${node.name}`,
      })
  })

  /** Where the statements about items went: the first word of each, by server. */
  const itemsDuring = async (work: () => unknown): Promise<Record<string, string[]>> => {
    const sent = await statementsDuring(cluster, work)
    return Object.fromEntries(
      Object.entries(sent)
        .map(
          ([node, all]) =>
            [
              node,
              all.filter((sql) => /item/i.test(sql)).map((sql) => sql.split(' ')[0] ?? ''),
            ] as const,
        )
        .filter(([, words]) => words.length > 0),
    )
  }

  it('reads from the slave and writes to the master', async () => {
    const items = db.getRepository(Item)
    expect(await itemsDuring(() => items.find())).to.deep.equal({ s0r1: ['SELECT'] })
    expect(await itemsDuring(() => items.save({ name: 'Ana' }))).to.deep.equal({ s0p: ['INSERT'] })
    expect(await itemsDuring(() => items.insert({ name: 'Bo' }))).to.deep.equal({ s0p: ['INSERT'] })
    expect(await itemsDuring(() => db.query('SELECT * FROM item'))).to.deep.equal({
      s0p: ['SELECT'],
    })
    const inTransaction = () => db.transaction((manager) => manager.find(Item))
    expect(await itemsDuring(inTransaction)).to.deep.equal({ s0p: ['SELECT'] })
    const locked = () => items.find({ lock: { mode: 'pessimistic_write' }, transaction: true })
    expect(await itemsDuring(locked)).to.deep.equal({ s0p: ['SELECT'] })
  })

  it('reads from the slave by runners and streams that ask for it', async () => {
    const runner = db.createQueryRunner('slave')
    expect(await itemsDuring(() => runner.manager.find(Item))).to.deep.equal({ s0r1: ['SELECT'] })
    await runner.release()
    await runner.release()
    const streamed = async () => {
      const rows = await db.getRepository(Item).createQueryBuilder('item').stream()
      for await (const row of rows) void row
    }
    expect(await itemsDuring(streamed)).to.deep.equal({ s0r1: ['SELECT'] })
  })

  it('sends other shards to their own server, which has no slaves', async () => {
    const work = () =>
      db.using('brazil', async () => {
        await db.getRepository(Item).save({ name: 'Ana' })
        await db.getRepository(Item).find()
      })
    expect(await itemsDuring(work)).to.deep.equal({ s1p: ['INSERT', 'SELECT'] })
  })

  it('keeps no connection of a read beyond the read', async () => {
    const reads = Array.from({ length: 60 }, () => db.getRepository(Item).find())
    await Promise.all(reads)
    await db.getRepository(Item).find()
    expect(await cluster.node('s0r1').connections()).to.be.at.most(10)
  })
})

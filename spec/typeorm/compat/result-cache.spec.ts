import { expect } from 'chai'
import { DataSource } from 'typeorm'
import type { ConnectionProxy } from '../../../lib/index.js'
import { type Cluster, MariadbCluster } from '../../support/cluster/index.js'
import { cachedRead, expectNoLeak } from './cached-reads.js'
import { SharedCache } from './shared-cache.js'
import { Item, itemsOf, memory, proxies, twoShards } from './support.js'

describe('a result cache that shards share', () => {
  const { start } = proxies()

  for (const id of [undefined, 'items'])
    it(`serves no shard the rows of another, by ${id === undefined ? 'the SQL' : 'an identifier'}`, async () => {
      const cache = new SharedCache()
      const db = await start(twoShards, memory({ cache: { provider: () => cache } }))
      await expectNoLeak(db, id)
      expect(cache.entries.size).to.equal(3)
    })

  it('forgets and clears the entries of the current shard only', async () => {
    const cache = new SharedCache()
    const db = await start(twoShards, memory({ cache: { provider: () => cache } }))
    await expectNoLeak(db, 'items')
    await db.using('brazil', () => db.queryResultCache!.remove(['items']))
    await db.shard('canada').queryResultCache!.clear()
    const after = await db.usingAll(async () => (await cachedRead(db, 'items')).names)
    expect(after).to.deep.equal([
      { shard: 'master', value: ['master'] },
      { shard: 'brazil', value: ['brazil', 'later'] },
      { shard: 'canada', value: ['canada', 'later'] },
    ])
  })

  it('is connected and disconnected once, and keeps its own members in sight', async () => {
    const cache = new SharedCache()
    const db = await start(twoShards, memory({ cache: { provider: () => cache } }))
    expect(cache.connected).to.equal(1)
    for (const shown of [db.queryResultCache, db.shard('brazil').queryResultCache]) {
      expect(shown).to.be.instanceOf(SharedCache)
      expect((shown as SharedCache).size()).to.equal(0)
      expect((shown as SharedCache).entries).to.equal(cache.entries)
    }
    await db.destroy()
    expect(cache.connected).to.equal(0)
  })

  it('is used as it is where there is one shard', async () => {
    const cache = new SharedCache()
    const db = await start({}, memory({ cache: { provider: () => cache } }))
    await cachedRead(db, 'items')
    expect([...cache.entries.keys()]).to.deep.equal(['items'])
    await db.queryResultCache!.clear()
    expect(cache.entries.size).to.equal(0)
  })

  it('answers in a server’s place, and the trace says so', async () => {
    const cache = new SharedCache()
    const db = await start(twoShards, memory({ cache: { provider: () => cache } }))
    await db.using('brazil', () => cachedRead(db))
    const { events } = await db.using('brazil', () => cachedRead(db))
    expect(events).to.have.length(1)
    expect(events[0]).to.include({
      shard: 'brazil',
      cached: true,
      node: undefined,
      durationMs: 0,
      statement: 'SELECT',
      error: undefined,
    })
  })

  it('can be switched on by setOptions()', async () => {
    const cache = new SharedCache()
    const db = await start(twoShards)
    db.setOptions({ cache: { provider: () => cache } })
    await expectNoLeak(db)
    expect(cache.entries.size).to.equal(3)
  })
})

describe('a result cache in the database', function () {
  this.timeout(20_000)
  const { start } = proxies()
  let cluster: Cluster

  before(async function () {
    this.timeout(60_000)
    cluster = await MariadbCluster.start({ shards: 2, replicas: 1, generalLog: false })
    await cluster.createDatabase(cluster.shard(0), 'canada')
  })
  after(() => cluster?.stop())

  it('has a table per shard, also for two shards on one server, and is written on primaries', async () => {
    const { host, port, ...account } = cluster.shard(0).primary.connectionOptions()
    const replica = cluster.shard(1).replica()
    const db = await start(
      {
        shards: {
          brazil: {
            host: cluster.shard(1).primary.host,
            port: cluster.shard(1).primary.port,
            replicas: [{ host: replica.host, port: replica.port }],
          },
          canada: { host, port, database: 'canada' },
        },
      },
      new DataSource({ type: 'mariadb', host, port, ...account, entities: [Item], cache: true }),
    )
    await db.usingAll(() => db.synchronize())
    await expectNoLeak(db, undefined, () => cluster.waitUntilCaughtUp(cluster.shard(1)))
    const tables = await cluster.node('s0p').sql<{ name: string }>(
      `SELECT CONCAT(table_schema, '.', table_name) AS name FROM information_schema.tables
       WHERE table_name = 'query-result-cache' ORDER BY 1`,
    )
    expect(tables.map(({ name }) => name)).to.deep.equal([
      'app.query-result-cache',
      'canada.query-result-cache',
    ])
    await cluster.waitUntilCaughtUp(cluster.shard(1))
    const { events } = await db.using('brazil', () => cachedRead(db))
    expect(events.at(-1)).to.include({ cached: true, node: undefined })
    await db.using('brazil', () => db.queryResultCache!.clear())
    await cluster.waitUntilCaughtUp(cluster.shard(1))
    const { names } = await db.using('brazil', () => cachedRead(db))
    expect(names).to.deep.equal(['brazil', 'later'])
    expect((await itemsOf(db))['canada']).to.deep.equal(['canada', 'later'])
  })

  for (const [where, reading] of [
    ['where replicas are collapsed', (_db, read) => read()],
    ['in usingReplica where replicas are collapsed', (db, read) => db.usingReplica(read)],
    ['in usingReplica on a shard without replicas', (db, read) => db.usingReplica(read)],
  ] satisfies [string, (db: ConnectionProxy, read: () => Promise<unknown>) => Promise<unknown>][])
    it(`keeps a result over the read’s own connection ${where}`, async () => {
      const { host, port, ...account } = cluster.shard(0).primary.connectionOptions()
      const { primary } = cluster.shard(1)
      const isCollapsed = where.endsWith('collapsed')
      const brazil = {
        host: primary.host,
        port: primary.port,
        acquireTimeoutMs: 3000,
        ...(isCollapsed ? { replicas: [{ host, port: cluster.shard(1).replica().port }] } : {}),
      }
      const db = await start(
        { collapseReplicas: isCollapsed, shards: { brazil } },
        new DataSource({
          type: 'mariadb',
          host,
          port,
          ...account,
          entities: [Item],
          cache: true,
          poolSize: 1,
        }),
      )
      await db.using('brazil', () => db.synchronize())
      await db.using('brazil', () => db.queryResultCache?.clear())
      const read = () => db.using('brazil', () => reading(db, () => cachedRead(db)))
      await Promise.all([read(), read(), read()])
      const { events } = await db.octopus.withTrace(read)
      expect(events.at(-1)).to.include({ cached: true })
    })

  it('has a table in each SQLite file', async () => {
    const db = await start(twoShards, memory({ cache: true }))
    await expectNoLeak(db)
    const counts = await db.usingAll(() =>
      db.query('SELECT COUNT(*) AS n FROM "query-result-cache"'),
    )
    expect(counts.map(({ value }) => value as unknown)).to.deep.equal([
      [{ n: 1 }],
      [{ n: 1 }],
      [{ n: 1 }],
    ])
  })
})

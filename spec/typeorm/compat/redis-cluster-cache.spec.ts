import { expect } from 'chai'
import { Redis } from 'ioredis'
import { RedisCluster } from '../../support/redis/redis-cluster.js'
import { expectNoLeak, fill, nestedNames } from './cached-reads.js'
import { memory, proxies } from './support.js'

describe('a result cache in a cluster of Redis', function () {
  this.timeout(20_000)
  const { start } = proxies()
  let cluster: RedisCluster
  let admins: readonly Redis[] = []

  before(async function () {
    this.timeout(60_000)
    cluster = await RedisCluster.start(2)
    admins = cluster.servers.map(({ port, host }) => new Redis(port, host))
  })
  beforeEach(() => Promise.all(admins.map((admin) => admin.flushall())))
  after(async () => {
    for (const admin of admins) admin.disconnect()
    await cluster?.stop()
  })

  const keysWith = async (part: string): Promise<number[]> => {
    const found = await Promise.all(admins.map((admin) => admin.keys('*')))
    return found.map((keys) => keys.filter((key) => key.includes(part)).length)
  }

  for (const redisOptions of [{}, { keyPrefix: 'app:' }])
    it(`is cleared on every master, and forgets identifiers, ${'keyPrefix' in redisOptions ? 'with' : 'without'} a key prefix`, async () => {
      const startupNodes = cluster.servers.map(({ host, port }) => ({ host, port }))
      const cache = {
        type: 'ioredis/cluster',
        options: { startupNodes, options: { redisOptions } },
      } as const
      const db = await start(nestedNames, memory({ cache }))
      await expectNoLeak(db, 'items')
      await fill(db, 100)
      for (const stored of await keysWith('octopus:eu:')) expect(stored).to.be.above(10)
      const ids = Array.from({ length: 20 }, (_, turn) => `entry ${turn}`)
      await db.using('eu:west', () => db.queryResultCache?.remove(ids))
      const left = await keysWith('octopus:eu%3Awest:')
      expect(left[0]! + left[1]!).to.equal(81)
      await db.using('eu', () => db.queryResultCache?.clear())
      expect(await keysWith('octopus:eu:')).to.deep.equal([0, 0])
      const others = await keysWith('octopus:')
      expect(others[0]! + others[1]!).to.equal(101 + 81)
    })

  it('is cleared also before the client knows its masters', async () => {
    const startupNodes = cluster.servers.map(({ host, port }) => ({ host, port }))
    const options = { startupNodes, options: { lazyConnect: true } }
    const cache = { type: 'ioredis/cluster', options } as const
    const first = await start(nestedNames, memory({ cache }))
    await fill(first, 20)
    const second = await start(nestedNames, memory({ cache }))
    await second.shard('eu').queryResultCache?.clear()
    expect(await keysWith('octopus:eu:')).to.deep.equal([0, 0])
  })
})

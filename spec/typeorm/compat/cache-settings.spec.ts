import { expect } from 'chai'
import { DataSource } from 'typeorm'
import { type ConfigError, type OctopusOptions } from '../../../lib/index.js'
import { cachedItems, cachedRead } from './cached-reads.js'
import { SharedCache } from './shared-cache.js'
import { Item, failureOf, memory, proxies } from './support.js'

const synchronize = true

describe('the cache option of a shard', () => {
  const { wrap, start } = proxies()

  it('can be false, for a shard that goes without', async () => {
    const options = { shards: { brazil: { synchronize }, canada: { synchronize, cache: false } } }
    const db = await start(options, memory({ cache: true }))
    await db.usingAll((shard) => db.getRepository(Item).save({ name: shard }))
    await cachedItems(db)
    await db.usingAll(() => db.getRepository(Item).save({ name: 'later' }))
    expect(await cachedItems(db)).to.deep.equal({
      master: ['master'],
      brazil: ['brazil'],
      canada: ['canada', 'later'],
    })
    expect(db.shard('canada').queryResultCache).to.equal(undefined)
    await db.usingAll(() => db.queryResultCache?.clear())
    expect((await db.using('brazil', () => cachedRead(db))).names).to.have.length(2)
  })

  it('can name a table and how long entries live', async () => {
    const cache = { tableName: 'kept', duration: 60_000, alwaysEnabled: true }
    const db = await start({ shards: { brazil: { synchronize, cache } } }, memory({ cache: true }))
    const read = () => db.using('brazil', () => db.getRepository(Item).count())
    expect(await read()).to.equal(0)
    await db.using('brazil', () => db.getRepository(Item).save({ name: 'new' }))
    expect(await read()).to.equal(0)
    expect(await db.shard('brazil').query('SELECT COUNT(*) AS n FROM kept')).to.deep.equal([
      { n: 1 },
    ])
  })

  it('can repeat what the DataSource says', async () => {
    const provider = () => new SharedCache()
    const redis = { type: 'ioredis', port: 6379, options: { host: 'cache' } } as const
    for (const [own, shared] of [
      [{ provider }, { provider }],
      [{ type: 'database' as const }, true as const],
    ] as const)
      wrap(memory({ cache: shared }), { shards: { brazil: { cache: own } } })
    const source = new DataSource({
      type: 'mysql',
      host: 'main',
      database: 'shop',
      entities: [Item],
    })
    Object.assign(source.options, { cache: redis })
    wrap(source, { shards: { brazil: { host: 'br-1', cache: structuredClone(redis) } } })
  })

  it('cannot be another cache than the DataSource’s', async () => {
    const refused = async (options: OctopusOptions, source: DataSource): Promise<string> => {
      const error = (await failureOf(() => wrap(source, options))) as ConfigError
      expect(error).to.have.property('code', 'invalid-config')
      return error.message
    }
    const shards = { brazil: { cache: { type: 'redis' } } }
    expect(await refused({ shards }, memory({ cache: true }))).to.match(
      /shards\.brazil\.cache.*another/,
    )
    expect(await refused({ shards }, memory())).to.match(/shards\.brazil\.cache.*has none/)
    const provider = () => new SharedCache()
    expect(
      await refused({ shards: { brazil: { cache: true } } }, memory({ cache: { provider } })),
    ).to.match(/shards\.brazil\.cache.*another/)
  })
})

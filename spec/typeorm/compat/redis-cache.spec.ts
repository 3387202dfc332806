import { expect } from 'chai'
import { Redis, type RedisOptions } from 'ioredis'
import type { RedisClientOptions } from 'redis'
import type { DataSource } from 'typeorm'
import type { ConnectionProxy } from '../../../lib/index.js'
import { RedisServer } from '../../support/redis/redis-server.js'
import { until } from '../../support/until.js'
import { cachedItems, cachedRead, expectNoLeak, fill, nestedNames } from './cached-reads.js'
import { ChildFolder, lastValue, libraryUrl } from './child.js'
import { Item, memory, proxies } from './support.js'

type CacheOptions = Exclude<DataSource['options']['cache'], boolean | undefined>

const ofRedis = (options: RedisClientOptions): CacheOptions => ({ type: 'redis', options })
const ofIoredis = (options: RedisOptions): CacheOptions => ({ type: 'ioredis', options })

/** What a key prefix may contain that means something in a pattern. */
const keyPrefix = 'a?[b]*:'

/** TypeORM's kinds of one server, with what their users may set. */
const kinds: readonly (readonly [string, (server: RedisServer) => CacheOptions])[] = [
  ['redis', ({ host, port }) => ofRedis({ socket: { host, port } })],
  ['redis with a key prefix', ({ host, port }) => ofRedis({ socket: { host, port }, keyPrefix })],
  ['ioredis', ({ host, port }) => ofIoredis({ host, port })],
  [
    'ioredis, its port beside its options',
    ({ host, port }) => ({ type: 'ioredis', port, options: { host } }),
  ],
  ['ioredis with a key prefix', ({ host, port }) => ofIoredis({ host, port, keyPrefix })],
]

const saveItems = (db: ConnectionProxy) =>
  db.usingAll((shard) => db.getRepository(Item).save({ name: shard }))

describe('a result cache in Redis', function () {
  this.timeout(20_000)
  const { start } = proxies()
  let server: RedisServer
  let admin: Redis

  before(async function () {
    this.timeout(60_000)
    server = await RedisServer.start()
    admin = new Redis(server.port, server.host)
  })
  beforeEach(() => admin.flushall())
  after(async () => {
    admin?.disconnect()
    await server?.stop()
  })

  const startWith = (cache: CacheOptions) => start(nestedNames, memory({ cache }))
  const keysWith = async (part: string): Promise<number> =>
    (await admin.keys('*')).filter((key) => key.includes(part)).length

  for (const [kind, options] of kinds)
    describe(`of type ${kind}`, () => {
      for (const id of [undefined, 'items'])
        it(`serves no shard the rows of another, by ${id === undefined ? 'the SQL' : 'an identifier'}`, async () => {
          await expectNoLeak(await startWith(options(server)), id)
        })

      it('is cleared on one shard, and leaves the others and other keys alone', async () => {
        const db = await startWith(options(server))
        await fill(db, 1200)
        await admin.set('session:1', 'of somebody else')
        await db.using('eu', () => db.queryResultCache?.clear())
        expect(await keysWith('octopus:eu:')).to.equal(0)
        expect(await keysWith('octopus:eu%3Awest:')).to.equal(1200)
        expect(await keysWith('octopus:master:')).to.equal(1200)
        await db.queryResultCache?.clear()
        expect(await keysWith('octopus:master:')).to.equal(0)
        expect(await keysWith('octopus:eu%3Awest:')).to.equal(1200)
        await db.usingAll(() => db.queryResultCache?.clear())
        expect(await admin.keys('*')).to.deep.equal(['session:1'])
      })

      it('forgets the identifiers of one shard', async () => {
        const db = await startWith(options(server))
        await fill(db, 3)
        await db.shard('eu').queryResultCache?.remove(['entry 0', 'entry 2', 'unknown'])
        await db.shard('eu').queryResultCache?.remove([])
        expect(await keysWith('octopus:eu:')).to.equal(1)
        expect(await keysWith('entry')).to.equal(7)
      })
    })

  const redis = (): CacheOptions => ofRedis({ socket: { host: server.host, port: server.port } })

  it('is cleared by commands that block nobody', async () => {
    const db = await startWith(redis())
    await fill(db, 2000)
    await admin.config('RESETSTAT')
    await db.using('eu', () => db.queryResultCache?.clear())
    const stats = await admin.info('commandstats')
    const calls = Object.fromEntries(
      [...stats.matchAll(/^cmdstat_([^:|]+)[^:]*:calls=(\d+)/gm)].map(([, name, n]) => [
        name,
        Number(n),
      ]),
    )
    expect(calls['scan']).to.be.above(5)
    expect(calls['unlink']).to.be.above(1)
    expect(calls).to.not.have.any.keys('keys', 'flushdb', 'flushall', 'eval', 'del')
  })

  it('ends its entries itself', async () => {
    const db = await startWith(redis())
    await db.getRepository(Item).find({ cache: { id: 'brief', milliseconds: 40 } })
    expect(await keysWith('brief')).to.equal(1)
    await until(async () => (await keysWith('brief')) === 0, { what: 'the entry to end' })
    await db.getRepository(Item).save({ name: 'new' })
    expect((await cachedRead(db, 'brief')).names).to.deep.equal(['new'])
  })

  it('closes its connection with the data source', async () => {
    const clients = async (): Promise<number> =>
      String(await admin.client('LIST'))
        .trim()
        .split('\n').length
    const before = await clients()
    const db = await startWith(redis())
    expect(await clients()).to.equal(before + 1)
    await db.destroy()
    await until(async () => (await clients()) === before, { what: 'the connection to close' })
  })

  it('is no obstacle with ignoreErrors when it is gone', async () => {
    const own = await RedisServer.start()
    const socket = { host: own.host, port: own.port, reconnectStrategy: false } as const
    const db = await startWith({
      ...ofRedis({ socket, disableOfflineQueue: true }),
      ignoreErrors: true,
    })
    await saveItems(db)
    await db.using('eu', () => cachedRead(db))
    await own.stop()
    expect(await cachedItems(db)).to.deep.equal({
      master: ['master'],
      eu: ['eu'],
      'eu:west': ['eu:west'],
    })
    const error = await Promise.resolve(db.using('eu', () => db.queryResultCache?.clear())).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error, 'clear() tells that it has cleared nothing').to.be.an('error')
    // It could not say goodbye to a server that is gone.
    db.setOptions({ cache: true })
  })

  describe('of several processes', () => {
    let folder: ChildFolder

    before(() => (folder = new ChildFolder()))
    after(() => folder.remove())

    /** What a new process with empty shards reads through the cache, after `work` in it. */
    const inNewProcess = async (work: string): Promise<unknown> =>
      lastValue(
        await folder.module(`
          import { DataSource, EntitySchema } from 'typeorm'
          import { octopus } from ${JSON.stringify(libraryUrl)}
          const Item = new EntitySchema({ name: 'Item', tableName: 'item', columns: {
            id: { type: Number, primary: true, generated: true }, name: { type: String } } })
          const source = new DataSource({ type: 'sqljs', entities: [Item], synchronize: true, cache: ${JSON.stringify(redis())} })
          const db = octopus(source, ${JSON.stringify(nestedNames)})
          await db.initialize()
          ${work}
          const read = () => db.getRepository(Item).find({ cache: { id: 'items', milliseconds: 60000 } })
          const found = await db.usingAll(read)
          console.log(JSON.stringify(Object.fromEntries(found.map(({ shard, value }) => [shard, value.map(({ name }) => name)]))))
          await db.destroy()
        `),
      )

    it('is cleared for all of them, on one shard', async () => {
      const db = await startWith(redis())
      await saveItems(db)
      const kept = { master: ['master'], eu: ['eu'], 'eu:west': ['eu:west'] }
      expect(await cachedItems(db, 'items')).to.deep.equal(kept)
      expect(await inNewProcess('')).to.deep.equal(kept)
      expect(
        await inNewProcess(`await db.using('eu', () => db.queryResultCache.clear())`),
      ).to.deep.equal({ ...kept, eu: [] })
      expect(await cachedItems(db, 'items'), 'the other process stored no rows').to.deep.equal({
        ...kept,
        eu: [],
      })
    })

    it('does not bring back what was cleared before a restart', async () => {
      const db = await startWith(redis())
      await saveItems(db)
      await cachedItems(db, 'items')
      await db.using('eu:west', () => db.queryResultCache?.clear())
      await db.destroy()
      const found = await inNewProcess('')
      expect(found).to.deep.equal({ master: ['master'], eu: ['eu'], 'eu:west': [] })
    })
  })
})

import { expect } from 'chai'
import {
  DataSource,
  type EntitySubscriberInterface,
  EventSubscriber,
  type InsertEvent,
  type LoadEvent,
} from 'typeorm'
import { Item, failureOf, memory, proxies, twoShards } from './support.js'

describe('setOptions()', () => {
  const { wrap, start } = proxies()

  it('reaches the wrapped DataSource and every shard, wherever it is called', async () => {
    const calls = [
      (db: DataSource, options: object) => db.setOptions(options),
      (db: Awaited<ReturnType<typeof start>>, options: object) =>
        db.using('brazil', () => db.setOptions(options)),
    ]
    for (const call of calls) {
      const db = wrap(memory(), twoShards)
      db.shard('brazil')
      call(db, { dropSchema: true, synchronize: false, maxQueryExecutionTime: 7 })
      for (const shard of db.octopus.shardNames)
        expect(db.shard(shard).options, shard).to.include({
          dropSchema: true,
          synchronize: false,
          maxQueryExecutionTime: 7,
        })
      expect(db.octopus.dataSource.options).to.include({ dropSchema: true })
    }
  })

  it('decides what initialize() does to each shard', async () => {
    const db = wrap(memory({ synchronize: true }), twoShards)
    db.setOptions({ synchronize: false })
    await db.initialize()
    for (const shard of db.octopus.shardNames)
      expect(
        await failureOf(() => db.shard(shard).getRepository(Item).count()),
        shard,
      ).to.have.property('message', 'no such table: item')
  })

  it('leaves to each shard what names its server', async () => {
    const db = wrap(
      new DataSource({ type: 'mysql', host: 'main', username: 'app', database: 'shop' }),
      { shards: { brazil: { host: 'br-1', database: 'brazil' } } },
    )
    db.setOptions({
      host: 'other',
      port: 3307,
      username: 'root',
      database: 'test',
      poolSize: 3,
    } as never)
    expect(db.shard('brazil').options).to.include({
      host: 'br-1',
      username: 'app',
      database: 'brazil',
      poolSize: 3,
    })
    expect(db.shard('brazil').options).not.to.have.property('port')
    expect(db.driver.database).to.equal('test')
    expect(db.shard('brazil').driver.database).to.equal('brazil')
  })

  it('on the handle of a shard changes that shard only', async () => {
    const db = await start(twoShards)
    expect(db.shard('brazil').setOptions({ maxQueryExecutionTime: 5 })).to.equal(db.shard('brazil'))
    expect(db.shard('brazil').options).to.include({ maxQueryExecutionTime: 5 })
    expect(db.shard('canada').options.maxQueryExecutionTime).to.equal(undefined)
    expect(db.options.maxQueryExecutionTime).to.equal(undefined)
  })

  it('shows the options of the current shard', async () => {
    const db = await start({ shards: { brazil: { synchronize: true, typename: 'kind' } } })
    expect(db.using('brazil', () => db.options)).to.equal(db.shard('brazil').options)
    expect({ ...db.shard('brazil').options }).to.include({ type: 'sqljs', typename: 'kind' })
    expect(db.options).to.equal(db.octopus.dataSource.options)
  })
})

const seen: { shard: DataSource; inTransaction: number }[] = []
let instances = 0

@EventSubscriber()
class ItemSubscriber implements EntitySubscriberInterface<Item> {
  constructor() {
    instances += 1
  }
  listenTo() {
    return Item
  }
  async afterInsert(event: InsertEvent<Item>): Promise<void> {
    const inTransaction = await event.manager.count(Item)
    seen.push({ shard: event.dataSource, inTransaction })
    if (event.entity.name === 'first')
      await event.dataSource.getRepository(Item).insert({ name: 'by the subscriber' })
  }
  afterLoad(_item: Item, event?: LoadEvent<Item>): void {
    if (event) seen.push({ shard: event.dataSource, inTransaction: -1 })
  }
}

describe('subscribers', () => {
  const { start } = proxies()

  beforeEach(() => {
    seen.length = 0
    instances = 0
  })

  it('are made once, and see the shard that an event is about', async () => {
    const db = await start(twoShards, memory({ subscribers: [ItemSubscriber] }))
    expect(instances).to.equal(1)
    expect(db.subscribers).to.have.length(1)
    expect(db.shard('brazil').subscribers).to.equal(db.subscribers)
    await db.using('brazil', () => db.getRepository(Item).save({ name: 'one' }))
    await db.shard('canada').getRepository(Item).insert({ name: 'two' })
    await db.getRepository(Item).save({ name: 'three' })
    expect(seen.map(({ shard }) => shard)).to.deep.equal(
      ['brazil', 'canada', 'master'].map((name) => db.shard(name)),
    )
    seen.length = 0
    await db.using('canada', () => db.getRepository(Item).find())
    expect(seen.map(({ shard }) => shard)).to.deep.equal([db.shard('canada')])
  })

  it('write to the shard and read from the transaction of their event', async () => {
    const db = await start(twoShards, memory({ subscribers: [ItemSubscriber] }))
    await db.using('brazil', () => db.getRepository(Item).save({ name: 'first' }))
    expect(seen.map(({ inTransaction }) => inTransaction)).to.deep.equal([1, 2])
    const counts = await db.usingAll(() => db.getRepository(Item).count())
    expect(counts.map(({ value }) => value)).to.deep.equal([0, 2, 0])
  })

  it('are made once for shards of several engines or schemas', async () => {
    const db = await start(
      { shards: { brazil: { synchronize: true, entityPrefix: 'br_' } } },
      memory({ subscribers: [ItemSubscriber] }),
    )
    expect(instances).to.equal(1)
    await db.using('brazil', () => db.getRepository(Item).save({ name: 'one' }))
    expect(seen.map(({ shard }) => shard)).to.deep.equal([db.shard('brazil')])
    expect(await db.using('brazil', () => db.query('SELECT name FROM br_item'))).to.deep.equal([
      { name: 'one' },
    ])
  })
})

import { expect } from 'chai'
import { Entity, PrimaryGeneratedColumn, Column, VersionColumn } from 'typeorm'
import type { ClearsKeys, ConnectionProxy } from '../../../lib/index.js'
import { rememberedKeys } from '../../../lib/typeorm/keyed-cache.js'
import { cachedItems, cachedRead, nestedNames } from './cached-reads.js'
import { SharedCache } from './shared-cache.js'
import { Item, failureOf, memory, proxies } from './support.js'

/** A provider that can forget a part of its entries. */
class ClearableCache extends SharedCache implements ClearsKeys {
  readonly cleared: string[] = []

  clearKeys(prefix: string): Promise<void> {
    this.cleared.push(prefix)
    for (const key of this.entries.keys()) if (key.startsWith(prefix)) this.entries.delete(key)
    return Promise.resolve()
  }
}

/** A provider whose removals can be made to fail, and waited for. */
class StubbornCache extends SharedCache {
  beforeRemove: () => unknown = () => {}

  override async remove(identifiers: string[]): Promise<void> {
    this.beforeRemove()
    await super.remove(identifiers)
  }
}

@Entity()
class Page {
  @PrimaryGeneratedColumn() id!: number
  @Column() text!: string
  @VersionColumn() version!: number
}

const store = (db: ConnectionProxy, shard: string, identifier: string): Promise<void> =>
  db
    .shard(shard)
    .queryResultCache!.storeInCache(
      { identifier, time: Date.now(), duration: 60_000, result: '[]' },
      undefined,
    )

const clear = (db: ConnectionProxy, shard: string): Promise<void> =>
  db.shard(shard).queryResultCache!.clear()

describe('a result cache of one’s own', () => {
  const { start } = proxies()
  const startWith = <T extends SharedCache>(cache: T) =>
    start(nestedNames, memory({ cache: { provider: () => cache }, entities: [Item, Page] }))
  const expectCleared = async (cache: SharedCache) => {
    const db = await startWith(cache)
    for (const shard of db.octopus.shardNames) await store(db, shard, 'items')
    cache.entries.set('session:1', { duration: 1 })
    await clear(db, 'eu')
    expect([...cache.entries.keys()]).to.have.members([
      'session:1',
      'octopus:master:items',
      'octopus:eu%3Awest:items',
    ])
  }

  it('is cleared on one shard by clearKeys() where it has that', async () => {
    const cache = new ClearableCache()
    // Stored by another process.
    cache.entries.set('octopus:eu:theirs', { duration: 60_000 })
    await expectCleared(cache)
    expect(cache.cleared).to.deep.equal(['octopus:eu:'])
  })

  it('is cleared on one shard by removing what this process stored there', async () => {
    await expectCleared(new SharedCache())
  })

  it('is cleared of queries without an identifier too', async () => {
    const cache = new SharedCache()
    const db = await startWith(cache)
    await cachedItems(db)
    expect(cache.entries.size).to.equal(3)
    await clear(db, 'eu')
    expect(cache.entries.size).to.equal(2)
  })

  it('loses the oldest entry of a shard where more are stored than are remembered', async () => {
    const cache = new SharedCache()
    const db = await startWith(cache)
    await store(db, 'eu', 'again')
    for (let turn = 0; turn < rememberedKeys; turn += 1) {
      await store(db, 'eu', `entry ${turn}`)
      if (turn === 5) await store(db, 'eu', 'again')
    }
    expect(cache.entries.size).to.equal(rememberedKeys)
    expect(cache.entries.has('octopus:eu:entry 0')).to.equal(false)
    expect(cache.entries.has('octopus:eu:again'), 'was stored anew').to.equal(true)
    await clear(db, 'eu')
    expect(cache.entries.size).to.equal(0)
  })

  it('is cleared by the next try where the first fails', async () => {
    const cache = new StubbornCache()
    const db = await startWith(cache)
    await store(db, 'eu', 'items')
    cache.beforeRemove = () => {
      throw new Error('no connection')
    }
    expect(await failureOf(() => clear(db, 'eu'))).to.have.property('message', 'no connection')
    expect(cache.entries.size).to.equal(1)
    cache.beforeRemove = () => {}
    await clear(db, 'eu')
    expect(cache.entries.size).to.equal(0)
  })

  it('remembers what is stored while it is cleared', async () => {
    const cache = new StubbornCache()
    const db = await startWith(cache)
    await store(db, 'eu', 'before')
    let during: Promise<void> | undefined
    cache.beforeRemove = () => (during ??= store(db, 'eu', 'during'))
    await clear(db, 'eu')
    await during
    expect([...cache.entries.keys()]).to.deep.equal(['octopus:eu:during'])
    await clear(db, 'eu')
    expect(cache.entries.size).to.equal(0)
  })

  it('is cleared for the shard of an explicit query runner', async () => {
    const cache = new SharedCache()
    const db = await startWith(cache)
    for (const shard of ['eu', 'eu:west'])
      for (const id of ['one', 'two']) await store(db, shard, id)
    const runner = db.shard('eu:west').createQueryRunner()
    await db.using('eu', () => db.queryResultCache!.remove(['one'], runner))
    expect([...cache.entries.keys()]).to.not.include('octopus:eu%3Awest:one')
    await db.using('eu', () => db.queryResultCache!.clear(runner))
    await runner.release()
    expect([...cache.entries.keys()]).to.deep.equal(['octopus:eu:one', 'octopus:eu:two'])
  })

  it('takes an empty identifier for none', async () => {
    const cache = new SharedCache()
    const db = await startWith(cache)
    await db.using('eu', () => cachedRead(db, ''))
    const [key] = cache.entries.keys()
    expect(key).to.match(/^octopus:eu:SELECT/)
  })

  it('has no part in a read that checks a version', async () => {
    const db = await startWith(new SharedCache())
    const pages = db.shard('eu').getRepository(Page)
    const page = await pages.save({ text: 'first' })
    const read = () => pages.createQueryBuilder('page').where({ id: page.id }).cache(60_000)
    await read().setLock('optimistic', 1).getOneOrFail()
    await read().getOneOrFail()
    await pages.update(page.id, { text: 'second' })
    expect((await read().getOneOrFail()).text, 'what is kept').to.equal('first')
    expect(await failureOf(() => read().setLock('optimistic', 1).getOneOrFail())).to.have.property(
      'name',
      'OptimisticLockVersionMismatchError',
    )
  })
})

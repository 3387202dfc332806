import { expect } from 'chai'
import type { ConnectionProxy } from '../../../lib/index.js'
import { Item } from './support.js'

/** Reads the items through the cache, and says what it saw and how often the cache answered. */
export const cachedRead = async (db: ConnectionProxy, id?: string) => {
  const cache = id === undefined ? 60_000 : { id, milliseconds: 60_000 }
  const { value, events } = await db.octopus.withTrace(() =>
    db.getRepository(Item).find({ cache, order: { id: 'ASC' } }),
  )
  return {
    names: value.map(({ name }) => name),
    events: events.filter(({ entity }) => entity === 'Item'),
  }
}

/** What must hold of every cache: no shard is served the rows of another. */
export const expectNoLeak = async (
  db: ConnectionProxy,
  id?: string,
  replicate = async (): Promise<void> => {},
): Promise<void> => {
  for (const shard of db.octopus.shardNames) {
    await db.using(shard, () => db.getRepository(Item).save({ name: shard }))
    await replicate()
    const first = await db.using(shard, () => cachedRead(db, id))
    expect(first.names, `first read on ${shard}`).to.deep.equal([shard])
    expect(first.events.some(({ cached }) => cached)).to.equal(false)
  }
  await db.usingAll(() => db.getRepository(Item).save({ name: 'later' }))
  await replicate()
  for (const shard of db.octopus.shardNames)
    expect(
      (await db.using(shard, () => cachedRead(db, id))).names,
      `from the cache of ${shard}`,
    ).to.deep.equal([shard])
}

/** What each shard reads through the cache. */
export const cachedItems = async (
  db: ConnectionProxy,
  id?: string,
): Promise<Record<string, string[]>> => {
  const found = await db.usingAll(async () => (await cachedRead(db, id)).names)
  return Object.fromEntries(found.map(({ shard, value }) => [shard, value]))
}

/** Shards of which one's name begins another's. */
export const nestedNames = {
  shards: { eu: { synchronize: true }, 'eu:west': { synchronize: true } },
}

/** Stores entries under many identifiers on each shard. */
export const fill = (db: ConnectionProxy, count: number) =>
  db.usingAll(async () => {
    const cache = db.queryResultCache!
    const entries = Array.from({ length: count }, (_, turn) => {
      const entry = {
        identifier: `entry ${turn}`,
        time: Date.now(),
        duration: 60_000,
        result: '[]',
      }
      return cache.storeInCache(entry, undefined)
    })
    await Promise.all(entries)
  })

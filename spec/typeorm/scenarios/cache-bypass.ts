import { expect } from 'chai'
import { Author, Invoice, Note } from '../../support/entities/index.js'
import type { Bed } from './bed.js'
import { cacheStale, cacheTable, cachedName, minute, withCache } from './cached.js'
import { type Scenario, scenario } from './scenario.js'

const kept = 'Ana of s1'
const present = 'New in s1'

/** Reads of what is true now, on s1, whose cache holds an old name. */
const presentReads: readonly (readonly [string, (bed: Bed) => Promise<string | undefined>])[] = [
  [
    'a transaction’s manager',
    ({ db }) => db.using('s1', () => db.transaction((manager) => cachedName({ manager }))),
  ],
  [
    'what does not use the manager in a transaction’s callback',
    ({ db }) => db.using('s1', () => db.transaction(() => cachedName(db))),
  ],
  [
    'a query runner with a transaction',
    async ({ db }) => {
      const runner = db.shard('s1').createQueryRunner()
      try {
        await runner.startTransaction()
        return await cachedName(runner)
      } finally {
        await runner.rollbackTransaction()
        await runner.release()
      }
    },
  ],
  [
    'a find with a transaction of its own',
    async ({ db }) => {
      const options = { where: { id: 1 }, cache: minute, transaction: true }
      const author = await db.using('s1', () => db.manager.findOne(Author, options))
      return author?.name
    },
  ],
  [
    'a scope that wrote to the shard',
    ({ db }) =>
      db.octopus.scope(async () => {
        await db.using('s1', () => db.manager.insert(Note, { text: 'written' }))
        return db.using('s1', () => cachedName(db))
      }),
  ],
  [
    'a scope that wrote, pinned to the primary',
    ({ db }) =>
      db.using('s1', async () => {
        await db.manager.insert(Note, { text: 'written' })
        return db.usingPrimary(() => cachedName(db))
      }),
  ],
  [
    'a query runner that a scope wrote through',
    ({ db }) =>
      db.using('s1', async () => {
        const runner = db.createQueryRunner()
        try {
          await runner.manager.insert(Note, { text: 'written' })
          return await cachedName(runner)
        } finally {
          await runner.release()
        }
      }),
  ],
]

/** Reads that may be as old as the cache. */
const patientReads: readonly (readonly [string, (bed: Bed) => Promise<string | undefined>])[] = [
  ['a scope that is pinned to the primary', ({ db }) => db.usingPrimary(() => cachedName(db))],
  [
    'a scope that wrote to another shard',
    async ({ db }) => {
      await db.using('s2', () => db.manager.insert(Note, { text: 'elsewhere' }))
      return cachedName(db)
    },
  ],
  [
    'a scope that wrote, and then asks for replicas',
    async ({ db }) => {
      await db.manager.insert(Note, { text: 'written' })
      return db.usingReplica(() => cachedName(db))
    },
  ],
]

/** Which reads the result cache has no part in. */
export const cacheBypass: readonly Scenario[] = [
  ...presentReads.map(([who, read]) =>
    scenario(27, `${who} neither reads the cache nor stores into it`, async (bed) => {
      await cacheStale(bed, 's1')
      const { value, events } = await bed.db.octopus.withTrace(() => read(bed), { sql: true })
      expect(value).to.equal(present)
      const reads = events.filter(({ statement }) => statement === 'SELECT')
      expect(reads.map(({ cached, shard }) => ({ cached, shard }))).to.deep.equal([
        { cached: false, shard: 's1' },
      ])
      expect(reads[0]?.node).to.be.a('string')
      expect(events.filter(({ sql }) => sql?.includes(cacheTable))).to.deep.equal([])
      expect(await bed.db.using('s1', () => cachedName(bed.db)), 'what is kept').to.equal(kept)
    }),
  ),

  ...patientReads.map(([who, read]) =>
    scenario(27, `${who} is answered by the cache`, async (bed) => {
      await cacheStale(bed, 's1')
      expect(await bed.db.using('s1', () => read(bed))).to.equal(kept)
    }),
  ),

  scenario(27, 'a cache that is always on has no part in what subscribers read', async (bed) => {
    const { db } = bed
    await withCache(bed, { type: 'database', alwaysEnabled: true, duration: minute }, async () => {
      await db.using('s1', () => db.manager.save(db.manager.create(Invoice, { total: 7 })))
      await db.using('s1', () => db.manager.save(db.manager.create(Invoice, { total: 7 })))
    })
    const { s1 = [] } = await bed.added('note', 'text')
    // On a connection of its own, the subscriber's read does not see the note that it has just made.
    const isShared = bed.engineOf('s1') === 'sqljs'
    expect(s1.slice(1, 2).concat(s1.slice(3))).to.deep.equal([
      `by data source: 7 (${isShared ? 1 : 0})`,
      `by data source: 7 (${isShared ? 2 : 1})`,
    ])
  }),

  scenario(27, 'a cache that is always on has no part in what a save compares', async (bed) => {
    const { db } = bed
    await withCache(bed, { type: 'database', alwaysEnabled: true, duration: minute }, async () => {
      for (const name of ['One', 'Two', 'One'])
        await db.using('s1', () => db.manager.save(Author, { id: 1, name }))
    })
    expect(await bed.column('s1', 'SELECT name FROM author WHERE id = 1')).to.deep.equal(['One'])
  }),
]

import { expect } from 'chai'
import { Author, Note } from '../../support/entities/index.js'
import type { Bed } from './bed.js'
import {
  cacheStale,
  cachedName,
  cacheTable,
  emptyCaches,
  minute,
  renameFirst,
  withCache,
} from './cached.js'
import { shardNames } from './plans.js'
import { type Scenario, scenario } from './scenario.js'

const failure = (work: Promise<unknown> | undefined): Promise<unknown> =>
  Promise.resolve(work).then(
    () => undefined,
    (error: unknown) => error,
  )

/** A name in quotation marks, as the engine of a shard wants them. */
const quoted = (bed: Bed, shard: (typeof shardNames)[number], name: string): string =>
  bed.engineOf(shard) === 'mariadb' ? `\`${name}\`` : `"${name}"`

const nowhere = { type: 'database', tableName: 'nowhere' } as const

/** A cache in the database: when entries end, where they are, and what it costs. */
export const cacheSettings: readonly Scenario[] = [
  scenario(27, 'an entry that is older than its time is replaced', async (bed) => {
    await cacheStale(bed, 's1')
    await bed.db.using('s2', () => cachedName(bed.db))
    const table = quoted(bed, 's1', cacheTable)
    await bed.endpoint('s1').sql(`UPDATE ${table} SET time = time - ${minute + 1}`)
    const read = () => bed.db.using('s1', () => cachedName(bed.db))
    const statements = await bed.statementsDuring(async () => {
      expect(await read()).to.equal('New in s1')
      expect(await read()).to.equal('New in s1')
    })
    expect(statements).to.deep.equal({
      s1: [`select ${cacheTable}`, 'select author', `update ${cacheTable}`, `select ${cacheTable}`],
    })
  }),

  scenario(27, 'identifiers are removed on one shard, several at once', async (bed) => {
    await emptyCaches(bed)
    const ids = ['one', 'two', 'three']
    const readAll = () => Promise.all(ids.map((id) => cachedName(bed.db, id)))
    await bed.db.usingAll(readAll)
    for (const shard of shardNames) await renameFirst(bed, shard)
    await bed.db.using('s2', () => bed.db.queryResultCache?.remove(['one', 'three', 'unknown']))
    expect(await bed.db.using('s1', readAll)).to.deep.equal(Array(3).fill('Ana of s1'))
    expect(await bed.db.using('s2', readAll)).to.deep.equal(['New in s2', 'Ana of s2', 'New in s2'])
  }),

  scenario(27, 'an explicit query runner says whose cache is cleared', async (bed) => {
    const { db } = bed
    await cacheStale(bed, 's2')
    await db.using('s1', () => cachedName(db))
    await renameFirst(bed, 's1')
    const runner = db.shard('s2').createQueryRunner()
    await db.using('s1', () => db.queryResultCache?.clear(runner))
    await runner.release()
    expect(await db.using('s1', () => cachedName(db))).to.equal('Ana of s1')
    expect(await db.using('s2', () => cachedName(db))).to.equal('New in s2')
  }),

  scenario(27, 'many reads at once get the rows of their own shard', async (bed) => {
    for (const id of [undefined, 'first author']) {
      await emptyCaches(bed)
      const reads = Array.from({ length: 40 }, (_, turn) => {
        const shard = shardNames[turn % 3] ?? 'master'
        return bed.db.using(shard, async () => [shard, await cachedName(bed.db, id)] as const)
      })
      for (const [shard, name] of await Promise.all(reads)) expect(name).to.equal(`Ana of ${shard}`)
    }
  }),

  scenario(27, 'a table of another name is used on every shard', async (bed) => {
    const { db } = bed
    await withCache(bed, { type: 'database', tableName: 'kept-results' }, async () => {
      await db.usingAll(() => db.synchronize())
      await bed.replicate()
      try {
        for (const shard of shardNames)
          expect(await db.using(shard, () => cachedName(db))).to.equal(`Ana of ${shard}`)
        for (const shard of shardNames)
          expect(
            await bed.column(
              shard,
              `SELECT COUNT(*) AS n FROM ${quoted(bed, shard, 'kept-results')}`,
            ),
            shard,
          ).to.satisfy(([n]: unknown[]) => Number(n) === 1)
        const again = await bed.statementsDuring(() => db.using('s1', () => cachedName(db)))
        expect(again).to.deep.equal({ s1: ['select kept-results'] })
      } finally {
        await db.usingAll((shard) =>
          db.query(`DROP TABLE ${quoted(bed, shard as 's1', 'kept-results')}`),
        )
        await bed.replicate()
      }
    })
  }),

  scenario(27, 'a cache that is always on keeps what is not excepted', async (bed) => {
    await emptyCaches(bed)
    const find = (cache?: boolean) => () =>
      bed.captured.authors.findOne({ where: { id: 1 }, ...(cache === undefined ? {} : { cache }) })
    await withCache(bed, { type: 'database', alwaysEnabled: true, duration: minute }, async () => {
      await bed.db.usingAll(find())
      for (const shard of ['s1', 's2']) {
        const statements = await bed.statementsDuring(async () => {
          expect((await bed.db.using(shard, find()))?.name).to.equal(`Ana of ${shard}`)
          await bed.db.using(shard, find(false))
        })
        expect(statements).to.deep.equal({ [shard]: [`select ${cacheTable}`, 'select author'] })
      }
    })
  }),

  scenario(27, 'a cache that fails is no obstacle with ignoreErrors', async (bed) => {
    await withCache(bed, { ...nowhere, ignoreErrors: true }, async () => {
      for (const shard of shardNames)
        expect(await bed.db.using(shard, () => cachedName(bed.db))).to.equal(`Ana of ${shard}`)
    })
    await withCache(bed, nowhere, async () => {
      const read = bed.db.using('s1', () => cachedName(bed.db))
      expect(await failure(read)).to.have.property('name', 'QueryFailedError')
      const remove = bed.db.using('s1', () => bed.db.queryResultCache?.remove(['one', 'two']))
      expect(await failure(remove)).to.have.property('name', 'QueryFailedError')
    })
  }),

  scenario(27, 'storing a result is no write that the scope’s reads would follow', async (bed) => {
    const { db } = bed
    await emptyCaches(bed)
    await bed.replicate()
    await db.octopus.scope(async () => {
      const s3 = () => db.using('s3', () => cachedName(db))
      expect(await s3()).to.equal('Ana of s3')
      const reads = await bed.statementsDuring(async () => {
        await db.using('s3', () => db.manager.countBy(Note, { text: 'any' }))
      })
      expect(Object.keys(reads)[0]).to.match(/^s3\/r/)
      await bed.replicate()
      const cached = await bed.statementsDuring(async () => {
        expect(await s3()).to.equal('Ana of s3')
      })
      expect(Object.values(cached)).to.deep.equal([[`select ${cacheTable}`]])
    })
  }),

  scenario(27, 'a read in usingReplica is kept on a shard without replicas', async (bed) => {
    const { db } = bed
    await emptyCaches(bed)
    const read = () => db.using('s1', () => db.usingReplica(() => cachedName(db)))
    const statements = await bed.statementsDuring(async () => {
      expect(await read()).to.equal('Ana of s1')
      expect(await read()).to.equal('Ana of s1')
    })
    expect(statements['s1']).to.have.members([
      `select ${cacheTable}`,
      'select author',
      `insert ${cacheTable}`,
      `select ${cacheTable}`,
    ])
  }),

  scenario(27, 'the trace of a hit holds no parameter’s value', async (bed) => {
    const read = () =>
      bed.db.using('s1', () =>
        bed.db.manager.findOne(Author, { where: { name: 'Ana of s1' }, cache: minute }),
      )
    await emptyCaches(bed)
    await read()
    const seen: (string | undefined)[] = []
    const stop = bed.db.octopus.onRoute(({ cached, sql }) => cached && seen.push(sql), {
      sql: true,
    })
    try {
      await read()
    } finally {
      stop()
    }
    expect(seen).to.have.length(1)
    expect(seen[0])
      .to.match(/^SELECT/)
      .and.not.match(/Ana|PARAMETERS/)
  }),
]

import { expect } from 'chai'
import type { Bed } from './bed.js'
import { cacheTable, emptyCaches, minute, withCache } from './cached.js'
import { type Scenario, scenario } from './scenario.js'
import { SharedCache } from './shared-cache.js'

/** The same query on every shard; TypeORM's key for it is the same too. */
const cachedNames = async (bed: Bed, id?: string): Promise<(string | undefined)[]> => {
  const { db, captured } = bed
  const read = () =>
    captured.authors.findOne({
      where: { id: 1 },
      cache: id === undefined ? minute : { id, milliseconds: minute },
    })
  const names = [(await read())?.name]
  for (const shard of ['s1', 's2']) names.push((await db.using(shard, read))?.name)
  return names
}

const own = ['Ana of master', 'Ana of s1', 'Ana of s2']

/** Results that TypeORM keeps. */
export const resultCache: readonly Scenario[] = [
  scenario(27, 'a cache in the database keeps the rows of each shard apart', async (bed) => {
    await emptyCaches(bed)
    for (const id of [undefined, 'first author']) {
      const first = await bed.statementsDuring(async () => {
        expect(await cachedNames(bed, id)).to.deep.equal(own)
      })
      for (const shard of ['master', 's1', 's2'])
        expect(first[shard]?.slice(0, 3), shard).to.deep.equal([
          `select ${cacheTable}`,
          'select author',
          `insert ${cacheTable}`,
        ])
      const second = await bed.statementsDuring(async () => {
        expect(await cachedNames(bed, id)).to.deep.equal(own)
      })
      expect(second).to.deep.equal({
        master: [`select ${cacheTable}`],
        s1: [`select ${cacheTable}`],
        s2: [`select ${cacheTable}`],
      })
    }
  }),

  scenario(27, 'clearing and removing reach the cache of one shard', async (bed) => {
    await emptyCaches(bed)
    await cachedNames(bed, 'first author')
    const statements = await bed.statementsDuring(async () => {
      await bed.db.using('s1', () => bed.db.queryResultCache?.clear())
      await bed.db.using('s2', () => bed.db.queryResultCache?.remove(['first author']))
    })
    expect(statements).to.deep.equal({ s1: [`delete ${cacheTable}`], s2: [`delete ${cacheTable}`] })
    const again = await bed.statementsDuring(() => cachedNames(bed, 'first author'))
    expect(again['master']).to.deep.equal([`select ${cacheTable}`])
    expect(again['s1']).to.include('select author')
    expect(again['s2']).to.include('select author')
  }),

  scenario(27, 'what a replica answered is kept by the primary', async (bed) => {
    await emptyCaches(bed)
    await bed.replicate()
    const read = () => bed.captured.authors.findOneOrFail({ where: { id: 1 }, cache: minute })
    const first = await bed.statementsDuring(() => bed.db.using('s3', read))
    const { s3, ...replicas } = first
    expect(s3).to.deep.equal([`insert ${cacheTable}`])
    expect(Object.values(replicas)).to.deep.equal([[`select ${cacheTable}`, 'select author']])
    await bed.replicate()
    const second = await bed.statementsDuring(async () => {
      expect(await bed.db.using('s3', read)).to.include({ name: 'Ana of s3' })
    })
    expect(Object.values(second)).to.deep.equal([[`select ${cacheTable}`]])
    expect(Object.keys(second)[0]).to.match(/^s3\/r/)
  }),

  scenario(28, 'a cache that shards share keeps their rows apart', async (bed) => {
    const cache = new SharedCache()
    await withCache(bed, { provider: () => cache }, async () => {
      for (const id of [undefined, 'first author']) {
        const first = await bed.statementsDuring(async () => {
          expect(await cachedNames(bed, id)).to.deep.equal(own)
        })
        expect(first).to.deep.equal({
          master: ['select author'],
          s1: ['select author'],
          s2: ['select author'],
        })
        const second = await bed.statementsDuring(async () => {
          expect(await cachedNames(bed, id)).to.deep.equal(own)
        })
        expect(second).to.deep.equal({})
      }
      expect(cache.entries.size).to.equal(6)
    })
  }),

  scenario(28, 'clearing a cache that shards share leaves the other shards theirs', async (bed) => {
    await withCache(bed, { provider: () => new SharedCache() }, async () => {
      await cachedNames(bed, 'first author')
      await bed.db.using('s1', () => bed.db.queryResultCache?.clear())
      await bed.db.using('s2', () => bed.db.queryResultCache?.remove(['first author']))
      const statements = await bed.statementsDuring(async () => {
        expect(await cachedNames(bed, 'first author')).to.deep.equal(own)
      })
      expect(statements).to.deep.equal({ s1: ['select author'], s2: ['select author'] })
    })
  }),
]

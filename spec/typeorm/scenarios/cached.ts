import type { DataSource, EntityManager } from 'typeorm'
import { Author } from '../../support/entities/index.js'
import type { Bed } from './bed.js'

export const minute = 60_000

/** TypeORM's name for the table of a cache in the database. */
export const cacheTable = 'query-result-cache'

export type CacheOptions = DataSource['options']['cache']

export const emptyCaches = (bed: Bed) => bed.db.usingAll(() => bed.db.queryResultCache?.clear())

/** Does `work` with another result cache, and puts the bed's own back. */
export const withCache = async (bed: Bed, cache: CacheOptions, work: () => Promise<void>) => {
  bed.db.setOptions({ cache } as Partial<DataSource['options']>)
  try {
    await work()
  } finally {
    bed.db.setOptions({ cache: true })
  }
}

/** The name of the first author, read through the cache. */
export const cachedName = async (
  { manager }: { readonly manager: EntityManager },
  id?: string,
): Promise<string | undefined> => {
  const cache = id === undefined ? minute : { id, milliseconds: minute }
  return (await manager.findOne(Author, { where: { id: 1 }, cache }))?.name
}

/** Changes the first author of a shard past the application, which may know the old name yet. */
export const renameFirst = async (bed: Bed, shard: string): Promise<void> => {
  await bed.endpoint(shard).sql(`UPDATE author SET name = 'New in ${shard}' WHERE id = 1`)
  await bed.replicate()
}

/** Empties the caches, reads the first author of `shard` into its cache, and then renames him. */
export const cacheStale = async (bed: Bed, shard: string): Promise<void> => {
  await emptyCaches(bed)
  await bed.db.using(shard, () => cachedName(bed.db))
  await renameFirst(bed, shard)
}

import { expect } from 'chai'
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
import type { SqljsDataSourceOptions } from 'typeorm/driver/sqljs/SqljsDataSourceOptions.js'
import { type ConnectionProxy, type OctopusOptions, octopus } from '../../../lib/index.js'

@Entity()
export class Item {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

type MemoryOptions = Omit<Partial<SqljsDataSourceOptions>, 'type'>

/** A plain DataSource in memory, with the table of `Item`. */
export const memory = (options: MemoryOptions = {}): DataSource =>
  new DataSource({ type: 'sqljs', entities: [Item], synchronize: true, ...options })

/** Two shards in memory beside the default one. */
export const twoShards = {
  shards: { brazil: { synchronize: true }, canada: { synchronize: true } },
} as const satisfies OctopusOptions

/** Wraps data sources for the specs of one `describe`, and ends each after its spec. */
export const proxies = () => {
  const made: ConnectionProxy[] = []
  afterEach(async () => {
    for (const db of made.splice(0)) {
      const lent = db.octopus.pools().filter(({ active }) => active > 0)
      expect(lent, 'no lease is out').to.deep.equal([])
      // One that was never initialised refuses, as in TypeORM, but is forgotten all the same.
      await db.destroy().catch((error: unknown) => {
        if (db.isInitialized) throw error
      })
    }
  })
  const wrap = <T extends DataSource>(source: T, options?: OctopusOptions): ConnectionProxy<T> => {
    const db = octopus(source, options)
    made.push(db as unknown as ConnectionProxy)
    return db
  }
  const start = async (options?: OctopusOptions, source = memory()): Promise<ConnectionProxy> => {
    const db = wrap(source, options)
    await db.initialize()
    return db
  }
  return { wrap, start }
}

/** What `work` throws or rejects with. */
export const failureOf = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new Error('It was expected to fail.')
}

/** The names of the items on each shard. */
export const itemsOf = async (db: ConnectionProxy): Promise<Record<string, string[]>> => {
  const found = await db.usingAll(() => db.getRepository(Item).find({ order: { id: 'ASC' } }))
  return Object.fromEntries(found.map(({ shard, value }) => [shard, value.map(({ name }) => name)]))
}

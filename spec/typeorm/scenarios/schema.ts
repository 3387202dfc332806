import { expect } from 'chai'
import { type Product, ProductSchema } from '../../support/entities/index.js'
import type { Bed } from './bed.js'
import { AddLedger } from './ledger.js'
import type { BedPlan } from './plans.js'
import { type Scenario, scenario } from './scenario.js'

/** `SELECT` of the tables of that name, in the words of a shard's engine. */
const tablesNamed = (bed: Bed, shard: 'master' | 's1' | 's2' | 's3', name: string) =>
  bed.column(
    shard,
    bed.engineOf(shard) === 'sqljs'
      ? `SELECT name FROM sqlite_master WHERE type = 'table' AND name = '${name}'`
      : `SELECT table_name FROM information_schema.tables WHERE table_name = '${name}'`,
  )

const shards = ['master', 's1', 's2', 's3'] as const

const holders = async (bed: Bed, name: string): Promise<string[]> => {
  const found = await Promise.all(shards.map((shard) => tablesNamed(bed, shard, name)))
  return shards.filter((_, index) => (found[index]?.length ?? 0) > 0)
}

const schemaWords = /^(?:create|drop|insert|delete|alter)/i

/** A second data source would open a database of its own on sql.js. */
const onServers = ({ master, s2 }: BedPlan['engines']): boolean =>
  master !== 'sqljs' && s2 !== 'sqljs'

/** Only what changes a schema or its tables: what a schema builder reads is TypeORM's business. */
const changes = (statements: readonly string[] = []): string[] =>
  statements.filter((words) => schemaWords.test(words))

/** The schema and its migrations. */
export const schemaWork: readonly Scenario[] = [
  scenario(29, 'migrations run, show and revert shard by shard, once each', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      for (const shard of ['s1', 's2'])
        await db.using(shard, async () => {
          expect(await db.showMigrations()).to.equal(true)
          const ran = await db.runMigrations()
          expect(ran.map(({ name }) => name)).to.deep.equal([new AddLedger().name])
          expect(await db.runMigrations()).to.deep.equal([])
          expect(await db.showMigrations()).to.equal(false)
        })
    })
    expect(Object.keys(statements).toSorted()).to.deep.equal(['s1', 's2'])
    for (const shard of ['s1', 's2'])
      expect(changes(statements[shard]), shard).to.deep.equal([
        'create migrations',
        'create ledger',
        'insert ledger',
        'insert migrations',
      ])
    expect(await holders(bed, 'ledger')).to.deep.equal(['s1', 's2'])
    expect(await holders(bed, 'migrations')).to.deep.equal(['s1', 's2'])

    const undone = await bed.statementsDuring(() => db.using('s1', () => db.undoLastMigration()))
    expect(Object.keys(undone)).to.deep.equal(['s1'])
    expect(await holders(bed, 'ledger')).to.deep.equal(['s2'])
    await db.shard('s2').undoLastMigration()
    expect(await holders(bed, 'ledger')).to.deep.equal([])
    for (const shard of ['s1', 's2']) await bed.endpoint(shard).sql('DROP TABLE migrations')
  }),

  scenario(29, 'migrations run on every shard in one call', async (bed) => {
    const { db } = bed
    const ran = await db.usingAll(() => db.runMigrations())
    expect(ran.map(({ shard, value }) => [shard, value.length])).to.deep.equal(
      shards.map((shard) => [shard, 1]),
    )
    expect(await bed.across('SELECT id FROM ledger')).to.deep.equal({
      master: [7],
      s1: [7],
      s2: [7],
      s3: [7],
    })
    await db.usingAll(() => db.undoLastMigration())
    expect(await holders(bed, 'ledger')).to.deep.equal([])
    for (const shard of shards) await bed.endpoint(shard).sql('DROP TABLE migrations')
  }),

  scenario(30, 'the schema log of a shard is empty once it is synchronized', async (bed) => {
    const { db } = bed
    const log = (shard: string) =>
      db.using(shard, async () => {
        const { upQueries } = await db.driver.createSchemaBuilder().log()
        return upQueries.map(({ query }) => query)
      })
    const statements = await bed.statementsDuring(async () => {
      for (const shard of ['s1', 's2']) expect(await log(shard), shard).to.deep.equal([])
    })
    expect(Object.keys(statements).toSorted()).to.deep.equal(['s1', 's2'])
    expect(Object.values(statements).flatMap(changes)).to.deep.equal([])

    await bed.endpoint('s1').sql('DROP TABLE note')
    expect(await log('s1')).to.satisfy(
      (queries: string[]) => queries.length === 1 && /^CREATE TABLE ["`]note/.test(queries[0]!),
    )
    expect(await log('s2')).to.deep.equal([])
    expect(await holders(bed, 'note')).to.deep.equal(['master', 's2', 's3'])
    await db.shard('s1').synchronize()
  }),

  scenario(30, 'synchronize changes the shard of the scope only', async (bed) => {
    const { db } = bed
    for (const shard of ['s1', 's2']) await bed.endpoint(shard).sql('DROP TABLE note')
    const statements = await bed.statementsDuring(() => db.using('s1', () => db.synchronize()))
    expect(Object.keys(statements)).to.deep.equal(['s1'])
    expect(changes(statements['s1'])).to.deep.equal(['create note'])
    expect(await holders(bed, 'note')).to.deep.equal(['master', 's1', 's3'])
    const outside = await bed.statementsDuring(() => db.synchronize())
    expect(Object.keys(outside)).to.deep.equal(['master'])
    expect(changes(outside['master'])).to.deep.equal([])
    await db.shard('s2').synchronize()
    expect(await holders(bed, 'note')).to.deep.equal(['master', 's1', 's2', 's3'])
  }),

  scenario(30, 'what would empty a database is refused where no shard is named', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      for (const work of [() => db.synchronize(true), () => db.dropDatabase()]) {
        const error: unknown = await work().catch((reason: unknown) => reason)
        expect(error).to.have.property('code', 'destructive-schema')
      }
    })
    expect(statements).to.deep.equal({})
  }),

  scenario(
    30,
    'the schema log of the command line empties no shard that asks for dropSchema',
    async (bed) => {
      const again = bed.wrapAgain([ProductSchema], { s2: { dropSchema: true, synchronize: true } })
      // As TypeORM's command line does before it initialises a data source.
      again.setOptions({ synchronize: false, dropSchema: false, migrationsRun: false })
      await again.initialize()
      try {
        const log = await again.using('s2', () => again.driver.createSchemaBuilder().log())
        expect(log.upQueries.map(({ query }) => query)).to.deep.equal([])
      } finally {
        await again.destroy()
      }
      expect(await holders(bed, 'note')).to.deep.equal(shards)
      expect(await bed.column('s2', 'SELECT sku FROM product')).to.deep.equal(['sku of s2'])
    },
    onServers,
  ),

  scenario(
    30,
    'a shard that was never used is connected before SQL is built for its version',
    async (bed) => {
      const again = bed.wrapAgain([ProductSchema])
      await again.initialize()
      try {
        const product: Partial<Product> = { sku: 'first', stock: 1 }
        const statements = await bed.statementsDuring(() =>
          again.using('s2', () => again.manager.insert(ProductSchema, product)),
        )
        expect(product.createdAt).to.be.instanceOf(Date)
        expect(Object.keys(statements)).to.deep.equal(['s2'])
        expect(statements['s2']?.at(-1)).to.equal('insert product')
        expect(await bed.added('product', 'id')).to.deep.equal({ s2: [product.id] })
      } finally {
        await again.destroy()
      }
    },
    onServers,
  ),
]

import { expect } from 'chai'
import { Author, Post, type Product, ProductSchema, Tag } from '../../support/entities/index.js'
import type { BedPlan } from './plans.js'
import { type Scenario, scenario } from './scenario.js'

/** Whether a builder for the default shard may run on the others. */
const sameEngines = (engines: BedPlan['engines']): boolean =>
  new Set(Object.values(engines)).size === 1

const seconds = { master: 'Ana of master', s1: 'Ana of s1', s2: 'Ana of s2' } as const

/** Query builders: a builder belongs to the scope it was made in; else it goes where it runs. */
export const queryBuilders: readonly Scenario[] = [
  scenario(12, 'a builder made inside a scope runs on its shard, wherever it runs', async (bed) => {
    const { db } = bed
    const authors = db.using('s1', () => db.createQueryBuilder(Author, 'author').where({ id: 1 }))
    const statements = await bed.statementsDuring(async () => {
      expect(await authors.getOneOrFail()).to.include({ name: seconds.s1 })
      expect(await db.using('s2', () => authors.clone().getOneOrFail())).to.include({
        name: seconds.s1,
      })
      expect(await db.using('s2', () => authors.getCount())).to.equal(1)
      expect(await authors.getExists()).to.equal(true)
      expect(await db.using('s2', () => authors.getRawMany())).to.have.length(1)
      expect((await authors.getManyAndCount())[1]).to.equal(1)
      const page = db.using('s2', () => authors.clone().leftJoin('author.posts', 'post').take(1))
      expect(await page.getMany()).to.have.length(1)
    })
    expect(statements).to.deep.equal({ s1: Array<string>(8).fill('select author') })
  }),

  scenario(12, "a builder's conversions run on the shard it was made on", async (bed) => {
    const { db, captured } = bed
    const make = () => captured.authors.createQueryBuilder()
    const inserting = db.using('s1', () => make().insert().values({ name: 'inserted' }))
    const [updating, deleting] = [db.using('s1', make), db.using('s1', make)]
    const relation = db.using('s1', () => captured.manager.createQueryBuilder())
    const statements = await bed.statementsDuring(async () => {
      await db.using('s2', () => inserting.execute())
      await updating.update().set({ name: 'renamed' }).where({ id: 1 }).execute()
      await db.using('s2', () => deleting.delete().where({ id: 2 }).execute())
      await db.using('s2', () => relation.relation(Post, 'tags').of(2).add(1))
      await relation.relation(Post, 'tags').of(1).remove(1)
      const posts = await db.using('s2', () => relation.relation(Author, 'posts').of(1).loadMany())
      expect(posts).to.have.length(2)
    })
    expect(statements).to.deep.equal({
      s1: [
        'insert author',
        'update author',
        'delete author',
        'insert post_tag',
        'delete post_tag',
        'select post',
      ],
    })
    expect(await bed.column('s1', 'SELECT name FROM author ORDER BY id')).to.deep.equal([
      'renamed',
      'inserted',
    ])
  }),

  scenario(13, 'what such a builder finds is at home on its shard', async (bed) => {
    const { db } = bed
    const authors = db.using('s1', () => db.createQueryBuilder(Author, 'author').where({ id: 1 }))
    const statements = await bed.statementsDuring(async () => {
      const author = await db.using('s2', () => authors.getOneOrFail())
      expect((await author.posts).map(({ title }) => title)).to.include('First of s1')
      author.name = 'renamed'
      await db.manager.save(author)
    })
    expect(statements).to.deep.equal({
      s1: [
        ['select author', 'select post'],
        // TypeORM compares the relation too, since it is loaded.
        ['select author', 'select post', 'begin', 'update author', 'commit'],
      ].flat(),
    })
  }),

  scenario(
    14,
    'a builder made outside every scope goes where it runs, each time anew',
    async (bed) => {
      const { db } = bed
      const authors = db.createQueryBuilder(Author, 'author').where({ id: 1 })
      const statements = await bed.statementsDuring(async () => {
        for (const shard of ['s1', 's2', 'master'] as const)
          expect(await db.using(shard, () => authors.getOneOrFail())).to.include({
            name: seconds[shard],
          })
        expect(await authors.getOneOrFail()).to.include({ name: seconds.master })
        const author = await db.using('s2', () => authors.getOneOrFail())
        expect((await author.posts).map(({ title }) => title)).to.include('First of s2')
      })
      expect(statements).to.deep.equal({
        s1: ['select author'],
        s2: ['select author', 'select author', 'select post'],
        master: ['select author', 'select author'],
      })
    },
    sameEngines,
  ),

  scenario(
    14,
    'a builder made outside every scope is refused where another engine is spoken',
    async (bed) => {
      const { db } = bed
      const authors = db.createQueryBuilder(Author, 'author').where({ id: 1 })
      const statements = await bed.statementsDuring(async () => {
        for (const shard of ['s1', 's2']) {
          const error = await db
            .using(shard, () => authors.getOneOrFail())
            .catch((reason: unknown) => reason)
          expect(error).to.have.property('code', 'engine-mismatch')
        }
        expect(await authors.getOneOrFail()).to.include({ name: seconds.master })
      })
      expect(statements).to.deep.equal({ master: ['select author'] })
    },
    (engines) => !sameEngines(engines),
  ),

  scenario(15, 'write builders go to the shard of the scope', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(() =>
      db.using('s1', async () => {
        await db
          .createQueryBuilder()
          .insert()
          .into(Author)
          .values([{ name: 'one' }, { name: 'two' }])
          .execute()
        await db
          .createQueryBuilder()
          .update(Author)
          .set({ name: 'renamed' })
          .where('id = :id', { id: 1 })
          .execute()
        await db.createQueryBuilder().delete().from(Author).where({ id: 2 }).execute()
        await db.createQueryBuilder().relation(Post, 'author').of(1).set(null)
      }),
    )
    expect(statements).to.deep.equal({
      s1: ['insert author', 'update author', 'delete author', 'update post'],
    })
    expect(await bed.added('author', 'name')).to.deep.equal({ s1: ['one', 'two'] })
    expect(await bed.column('s1', 'SELECT author_id FROM post WHERE id = 1')).to.deep.equal([null])
    expect(await bed.column('master', 'SELECT name FROM author ORDER BY id')).to.deep.equal([
      'Ana of master',
      'Bo of master',
    ])
  }),

  scenario(
    16,
    "each shard generates ids of its own, also for another shard's builders",
    async (bed) => {
      const { db } = bed
      const ids: Record<string, unknown[]> = { master: [], s1: [], s2: [] }
      const products: Record<string, unknown[]> = {}
      const shards = ['master', 's1', 's2'] as const
      await Promise.all(
        shards.map((shard) =>
          db.using(shard, async () => {
            ids[shard]!.push((await db.manager.save(Author, { name: 'saved' })).id)
            const inserted = await db.manager.insert(Author, { name: 'inserted' })
            ids[shard]!.push(inserted.identifiers[0]?.['id'])
            const product: Partial<Product> = { sku: 'new', stock: 1 }
            await db.manager.insert(ProductSchema, product)
            expect(product.createdAt).to.be.instanceOf(Date)
            products[shard] = [product.id]
          }),
        ),
      )
      const [s1, s2] = (['s1', 's2'] as const).map((shard) =>
        db.using(shard, () =>
          db.createQueryBuilder().insert().into(Author).values({ name: 'built' }),
        ),
      )
      ids['s1']?.push((await db.using('s2', () => s1!.execute())).identifiers[0]?.['id'])
      ids['s2']?.push((await s2!.execute()).identifiers[0]?.['id'])
      expect(ids).to.deep.equal(await bed.added('author', 'id'))
      expect(products).to.deep.equal(await bed.added('product', 'id'))
      expect(ids['master']).to.have.length(2)
      expect(ids['s1']).to.have.length(3)
      expect(ids['s2']).to.have.length(3)
    },
  ),

  scenario(
    34,
    'relations and relation ids by queries of their own follow the scope',
    async (bed) => {
      const { db } = bed
      const statements = await bed.statementsDuring(() =>
        db.using('s1', async () => {
          const post = await db.manager.findOneOrFail(Post, {
            where: { id: 1 },
            relations: { tags: true },
            relationLoadStrategy: 'query',
          })
          expect(post.tags.map(({ label }) => label)).to.deep.equal(['tag of s1'])
          const withIds = await db.manager.findOneOrFail(Post, {
            where: { id: 1 },
            loadRelationIds: { relations: ['tags'] },
          })
          expect(withIds.tags).to.deep.equal([1])
        }),
      )
      expect(statements).to.deep.equal({
        s1: ['select post', 'select tag', 'select post_tag', 'select post', 'select tag'],
      })
    },
  ),

  scenario(35, 'upsert, increment and clear go to the shard of the scope', async (bed) => {
    const { db } = bed
    const stocks = 'SELECT stock FROM product ORDER BY id'
    const statements = await bed.statementsDuring(() =>
      db.using('s1', async () => {
        const products = db.getRepository(ProductSchema)
        await products.upsert({ sku: 'sku of s1', stock: 20 }, ['sku'])
        await products.upsert({ sku: 'new', stock: 1 }, ['sku'])
        await products.increment({ sku: 'new' }, 'stock', 2)
        await products.decrement({ sku: 'sku of s1' }, 'stock', 5)
        expect(await products.sum('stock')).to.satisfy((sum: unknown) => Number(sum) === 18)
      }),
    )
    expect(Object.keys(statements)).to.deep.equal(['s1'])
    expect(statements['s1']?.filter((words) => !words.startsWith('select'))).to.deep.equal(
      [
        ['insert product', 'insert product'],
        ['update product', 'update product'],
      ].flat(),
    )
    expect(await bed.across(stocks)).to.deep.equal({
      master: [10],
      s1: [15, 3],
      s2: [10],
      s3: [10],
    })

    const cleared = await bed.statementsDuring(() =>
      db.using('s2', () => db.getRepository(ProductSchema).clear()),
    )
    expect(cleared).to.deep.equal({ s2: ['delete product'] })
    expect(await bed.across(stocks)).to.deep.equal({ master: [10], s1: [15, 3], s3: [10] })
    // MariaDB's TRUNCATE begins with 1 again.
    await bed.startIds()
  }),

  scenario(36, 'raw SQL goes to the shard of the scope', async (bed) => {
    const { db } = bed
    const sql = 'SELECT name FROM author WHERE id = 1'
    const read: unknown[] = []
    const statements = await bed.statementsDuring(async () => {
      await db.using('s1', async () => {
        read.push(await db.query(sql))
        read.push(await db.manager.query(sql))
        read.push(await bed.captured.authors.query(sql))
        read.push(await db.sql`SELECT name FROM author WHERE id = ${1}`)
        await db.query("INSERT INTO tag (label) VALUES ('raw')")
      })
      read.push(await db.using('s2', () => db.sql`SELECT name FROM author WHERE id = ${1}`))
      read.push(await db.query(sql))
      read.push(await db.shard('s2').query(sql))
    })
    expect((read as { name: string }[][]).map(([row]) => row?.name)).to.deep.equal([
      ...Array<string>(4).fill(seconds.s1),
      seconds.s2,
      seconds.master,
      seconds.s2,
    ])
    expect(statements).to.deep.equal({
      s1: [...Array<string>(4).fill('select author'), 'insert tag'],
      s2: ['select author', 'select author'],
      master: ['select author'],
    })
    expect(await bed.added('tag', 'label')).to.deep.equal({ s1: ['raw'] })
  }),

  scenario(12, 'a builder with an explicit runner goes where the runner goes', async (bed) => {
    const { db } = bed
    const runner = db.shard('s2').createQueryRunner()
    try {
      const statements = await bed.statementsDuring(async () => {
        const found = await db.using('s1', () =>
          db.createQueryBuilder(Tag, 'tag', runner).where({ id: 1 }).getOneOrFail(),
        )
        expect(found.label).to.equal('tag of s2')
        const bound = db.using('s2', () => db.createQueryBuilder(Tag, 'tag'))
        expect(await db.using('s1', () => bound.setQueryRunner(runner).getCount())).to.equal(1)
      })
      expect(statements).to.deep.equal({ s2: ['select tag', 'select tag'] })
    } finally {
      await runner.release()
    }
  }),
]

import { expect } from 'chai'
import type { EntityManager } from 'typeorm'
import { addTransactionalDataSource, deleteDataSourceByName } from 'typeorm-transactional'
import { Account, Author, Post, ProductSchema } from '../../../support/entities/index.js'
import type { Bed } from '../../scenarios/bed.js'
import type { Scenario } from '../../scenarios/scenario.js'
import { failure, onServers, rule, transactional } from './support.js'

const foreign: readonly [string, (bed: Bed, ana: Author) => Promise<unknown>][] = [
  ['save', ({ captured }, ana) => captured.authors.save(ana)],
  ['remove', ({ captured }, ana) => captured.authors.remove(ana)],
  ['insert', ({ captured }, ana) => captured.authors.insert(ana)],
  ['upsert', ({ captured }, ana) => captured.authors.upsert(ana, ['id'])],
  ['delete', ({ captured }, ana) => captured.authors.delete(ana as never)],
  ['find', ({ db }, ana) => db.getRepository(Post).findBy({ author: ana as never })],
  [
    'a lazy relation',
    ({ db }, ana) => {
      const post = Object.assign(new Post(), { title: 'x', author: Promise.resolve(ana) })
      return db.getRepository(Post).save(post)
    },
  ],
  ['relation', ({ db }, ana) => db.createQueryBuilder().relation(Author, 'posts').of(ana).add(1)],
  ['set', ({ db }, ana) => db.createQueryBuilder().relation(Post, 'author').of(1).set(ana)],
]

const guards = [
  rule('an entity of another shard is refused before any SQL', async (bed) => {
    const { db, captured } = bed
    const ana = await db.using('s2', () => captured.authors.findOneByOrFail({ id: 1 }))
    for (const [title, work] of foreign) {
      const statements = await bed.statementsDuring(async () => {
        const error = await failure(() => db.using('s1', () => transactional(() => work(bed, ana))))
        expect(error, title).to.have.property('code', 'cross-shard')
        expect(String(error), title).to.include('"s1"').and.to.include('"s2"')
      })
      expect(statements, title).to.deep.equal({ s1: ['begin', 'rollback'] })
    }
  }),

  rule('an entity made with one of another shard is refused', async (bed) => {
    const { db, captured } = bed
    const posts = db.getRepository(Post)
    const ana = await db.using('s2', () => captured.authors.findOneByOrFail({ id: 1 }))
    const { s1 } = await bed.statementsDuring(async () => {
      const error = await failure(() =>
        db.using('s1', () =>
          transactional(() => posts.save(posts.create({ title: 'x', author: ana as never }))),
        ),
      )
      expect(error).to.have.property('code', 'cross-shard')
    })
    expect(s1).to.deep.equal(['begin', 'rollback'])
  }),

  rule('outside every transaction an entity goes home, by patched members too', async (bed) => {
    const { db, captured } = bed
    const ana = await db.using('s2', () => captured.authors.findOneByOrFail({ id: 1 }))
    const statements = await bed.statementsDuring(async () => {
      await captured.authors.save(Object.assign(ana, { name: 'Ana Maria' }))
      await db.createQueryBuilder().relation(Author, 'posts').of(ana).loadMany()
      await captured.authors.update(ana as never, { name: 'Ana' })
      await db.getRepository(Post).findBy({ author: ana as never })
    })
    expect(Object.keys(statements)).to.deep.equal(['s2'])
  }),
]

const homes = [
  rule(
    'what is found, saved, inserted and made in a transaction is at home on its shard',
    async (bed) => {
      const { db, captured } = bed
      const made = await db.using('s1', () =>
        transactional(async () => {
          const inserted = Object.assign(new Author(), { name: 'inserted' })
          await captured.authors.insert(inserted)
          return [
            inserted,
            await captured.authors.save({ name: 'saved' }),
            captured.authors.create({ name: 'made' }),
            await captured.authors.findOneByOrFail({ id: 1 }),
            await db.createQueryBuilder(Author, 'author').getOneOrFail(),
            await Account.findOneByOrFail({ id: 1 }),
          ]
        }),
      )
      expect(made.map((each) => db.octopus.shardOf(each))).to.deep.equal(made.map(() => 's1'))
    },
  ),

  rule('what patched members find outside is at home where it was found', async (bed) => {
    const { db, captured } = bed
    const inScope = await db.using('s1', () => captured.authors.findOneByOrFail({ id: 1 }))
    const built = db.using('s1', () => db.createQueryBuilder(Author, 'author'))
    const found = [
      inScope,
      await built.getOneOrFail(),
      await captured.authors.findOneByOrFail({ id: 1 }),
      await db.createQueryBuilder(Author, 'author').getOneOrFail(),
    ]
    const shards = found.map((each) => db.octopus.shardOf(each))
    expect(shards).to.deep.equal(['s1', 's1', 'master', 'master'])
  }),

  rule('lazy relations are loaded in the transaction that found their owner', async (bed) => {
    const { db, captured } = bed
    const before = await db.using('s1', () => captured.authors.findOneByOrFail({ id: 1 }))
    let after: Author | undefined
    const statements = await bed.statementsDuring(async () => {
      await db.using('s1', () =>
        transactional(async () => {
          await db.getRepository(Post).insert({ title: 'new', author: { id: 1 } as never })
          const ana = await captured.authors.findOneByOrFail({ id: 1 })
          expect(await ana.posts).to.have.length(3)
          after = await captured.authors.findOneByOrFail({ id: 1 })
          // Found before the transaction: not in it.
          if (bed.engineOf('s1') !== 'sqljs') expect(await before.posts).to.have.length(2)
        }),
      )
      expect(await after!.posts).to.have.length(3)
    })
    expect(Object.keys(statements)).to.deep.equal(['s1'])
  }),

  rule('BaseEntity’s instances are saved, reloaded and removed in the transaction', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(() =>
      db.using('s1', () =>
        transactional(async () => {
          const account = await Account.findOneByOrFail({ id: 1 })
          await Object.assign(account, { holder: 'Di' }).save()
          await account.reload()
          expect(account.holder).to.equal('Di')
          await account.remove()
        }),
      ),
    )
    const found = ['select account', 'select account']
    expect(statements).to.deep.equal({
      s1: ['begin', ...found, 'update account', ...found, 'delete account', 'commit'],
    })
  }),
]

/** A data source whose only connected shard is the default one. */
const withUnconnected = async (
  bed: Bed,
  work: (db: ReturnType<Bed['wrapAgain']>) => Promise<unknown>,
): Promise<void> => {
  const db = bed.wrapAgain([ProductSchema])
  await db.initialize()
  addTransactionalDataSource({ name: 'fresh', dataSource: db })
  try {
    await work(db)
  } finally {
    deleteDataSourceByName('fresh')
    await db.destroy()
  }
}

const first: readonly [string, (db: { manager: EntityManager }) => Promise<unknown>][] = [
  ['alone', ({ manager }) => manager.getRepository(ProductSchema).insert({ sku: 'new', stock: 1 })],
  [
    'in a transaction',
    ({ manager }) =>
      transactional(() => manager.getRepository(ProductSchema).insert({ sku: 'new', stock: 1 }), {
        connectionName: 'fresh',
      }),
  ],
]

const connecting = first.map(([title, insert]) =>
  rule(
    `the first insert on a shard, ${title}, learns the values that the server makes`,
    (bed) =>
      withUnconnected(bed, async (db) => {
        const { generatedMaps } = (await db.using('s2', () => insert(db))) as {
          generatedMaps: { createdAt?: Date }[]
        }
        expect(generatedMaps[0]?.createdAt).to.be.instanceOf(Date)
      }),
    onServers,
  ),
)

/** Homes and guards. */
export const entityRules: readonly Scenario[] = [...guards, ...homes, ...connecting]

import { expect } from 'chai'
import { Author, Invoice, Place, Post } from '../../support/entities/index.js'
import type { Bed, Statements } from './bed.js'
import { type Scenario, scenario } from './scenario.js'

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

/** The statements of both replicas as those of one: which of them serves a read is chosen by turns
 *  that go on from one scenario to the next. */
const replicasAsOne = (bed: Bed, statements: Statements): Statements => {
  const { replicaNames } = bed
  const others = Object.entries(statements).filter(([name]) => !replicaNames.includes(name))
  const onReplicas = replicaNames.flatMap((name) => statements[name] ?? [])
  return { ...Object.fromEntries(others), replicas: onReplicas.toSorted() }
}

/** Shard s3, which has two replicas. */
export const replication: readonly Scenario[] = [
  scenario(25, 'plain reads take turns on the replicas', async (bed) => {
    const authors = bed.db.shard('s3').getRepository(Author)
    const statements = await bed.statementsDuring(async () => {
      for (let turn = 0; turn < 10; turn += 1) {
        expect(await authors.findOneByOrFail({ id: 1 })).to.include({ name: 'Ana of s3' })
        await bed.db.using('s3', () => bed.captured.authors.count())
      }
    })
    expect(replicasAsOne(bed, statements)).to.deep.equal({
      replicas: Array<string>(20).fill('select author'),
    })
    for (const name of bed.replicaNames) expect(statements[name]).to.have.length.within(9, 11)
  }),

  scenario(25, 'writes, transactions and raw SQL stay on the primary', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      const s3 = db.shard('s3')
      await s3.manager.insert(Author, { name: 'inserted' })
      await s3.manager.save(Author, { id: 1, name: 'renamed' })
      await s3.manager.update(Author, { id: 1 }, { name: 'again' })
      await s3.manager.delete(Author, { id: 2 })
      await s3.query('SELECT name FROM author')
      await s3.sql`SELECT name FROM author WHERE id = ${1}`
      await s3.transaction(async (manager) => {
        await manager.find(Author)
        await manager.preload(Author, { id: 1, name: 'preloaded' })
      })
      await s3.manager.preload(Author, { id: 1, name: 'preloaded' })
      await s3.createQueryBuilder().relation(Post, 'tags').of(2).add(1)
      const runner = s3.createQueryRunner()
      await runner.manager.find(Author)
      await runner.release()
    })
    expect(statements).to.deep.equal({
      s3: [
        'insert author',
        ['select author', 'begin', 'update author', 'commit'],
        'update author',
        'delete author',
        ['select author', 'select author'],
        ['begin', 'select author', 'select author', 'commit'],
        'select author',
        'insert post_tag',
        'select author',
      ].flat(),
    })
  }),

  scenario(25, 'reads beside the manager of a transaction go to its primary', async (bed) => {
    // SQLite has but one connection: there the read joins the transaction.
    const { db } = bed
    const statements = await bed.statementsDuring(() =>
      db.using('s3', () =>
        db.transaction(async (manager) => {
          await manager.find(Author)
          await db.manager.find(Author)
          await db.using('s1', () => db.manager.find(Author))
        }),
      ),
    )
    expect(statements).to.deep.equal({
      s3: ['begin', 'select author', 'select author', 'commit'],
      s1: ['select author'],
    })
  }),

  scenario(25, 'lazy relations, trees and raw rows are read from replicas', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      const author = await db.using('s3', () => db.manager.findOneByOrFail(Author, { id: 1 }))
      const posts = await author.posts
      expect(posts.map(({ title }) => title)).to.include('First of s3')
      await db.using('s3', () => bed.captured.places.findTrees())
      await db.using('s3', () => db.createQueryBuilder(Place, 'place').getRawMany())
    })
    expect(replicasAsOne(bed, statements)).to.deep.equal({
      replicas: ['select author', 'select place', 'select place', 'select place', 'select post'],
    })
  }),

  scenario(25, 'a request reads its own writes from the primary', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(() =>
      db.octopus.scope(async () => {
        await db.using('s3', () => db.manager.insert(Author, { name: 'new' }))
        await db.using('s3', () => db.manager.findOneByOrFail(Author, { name: 'new' }))
        await db.shard('s3').getRepository(Author).count()
      }),
    )
    expect(statements).to.deep.equal({ s3: ['insert author', 'select author', 'select author'] })
  }),

  scenario(25, 'a pinned role is kept by all that runs inside', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(() =>
      db.using('s3', async () => {
        await db.usingPrimary(() => db.manager.find(Author))
        await db.usingReplica(async () => {
          await db.manager.find(Author)
          for (const write of [
            () => db.manager.insert(Author, { name: 'lost' }),
            () => db.manager.save(Author, { name: 'lost' }),
            () => db.query("INSERT INTO author (name) VALUES ('lost')"),
            () => db.manager.getRepository(Author).clear(),
          ])
            expect(await failure(write())).to.have.property('code', 'read-only-scope')
          await db.query('SELECT name FROM author')
          await db.transaction((manager) => manager.find(Author))
        })
      }),
    )
    const begin = bed.engineOf('s3') === 'sqljs' ? 'begin' : 'begin read only'
    expect(replicasAsOne(bed, statements)).to.deep.equal({
      s3: ['select author'],
      replicas: [begin, 'commit', 'select author', 'select author', 'select author'],
    })
    expect(await bed.added('author', 'name')).to.deep.equal({})
  }),

  scenario(
    25,
    'a query runner in replica mode reads from a replica and saves nothing',
    async (bed) => {
      const runner = bed.db.using('s3', () => bed.db.createQueryRunner('slave'))
      try {
        const statements = await bed.statementsDuring(async () => {
          expect(await runner.manager.count(Author)).to.equal(2)
          for (const write of [
            () => runner.manager.save(Author, { name: 'lost' }),
            () => runner.manager.insert(Author, { name: 'lost' }),
            () => runner.manager.clear(Author),
          ])
            expect(await failure(write())).to.have.property('code', 'read-only-scope')
        })
        expect(replicasAsOne(bed, statements)).to.deep.equal({ replicas: ['select author'] })
      } finally {
        await runner.release()
      }
    },
  ),

  scenario(25, 'schema work and migrations are refused on replicas', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(() =>
      db.using('s3', () =>
        db.usingReplica(async () => {
          for (const work of [
            () => db.synchronize(),
            () => db.dropDatabase(),
            () => db.runMigrations(),
            () => db.undoLastMigration(),
            () => db.showMigrations(),
          ])
            expect(await failure(work())).to.have.property('code', 'read-only-scope')
        }),
      ),
    )
    expect(statements).to.deep.equal({})
  }),

  scenario(
    25,
    'a schema builder on a replica is refused before it changes anything',
    async (bed) => {
      const { db } = bed
      await bed.endpoint('s3').sql('DROP TABLE note')
      await bed.replicate()
      const statements = await bed.statementsDuring(async () => {
        const work = db.using('s3', () =>
          db.usingReplica(() => db.driver.createSchemaBuilder().build()),
        )
        expect(await failure(work)).to.have.property('code', 'read-only-scope')
      })
      const sent = Object.values(statements).flat()
      expect(
        sent.filter((words) => /^(?:create|insert|update|delete|alter)/i.test(words)),
      ).to.deep.equal([])
      await db.shard('s3').synchronize()
    },
  ),

  scenario(25, 'a subscriber reads what is being saved from the primary', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(() =>
      db.using('s3', () => db.manager.save(Invoice, { total: 8 })),
    )
    expect(statements).to.deep.equal({
      s3: ['begin', 'insert invoice', 'insert note', 'select note', 'insert note', 'commit'],
    })
  }),

  scenario(
    26,
    'a find with a lock, or in a transaction of its own, goes to the primary',
    async (bed) => {
      const { db } = bed
      const statements = await bed.statementsDuring(() =>
        db.using('s3', async () => {
          await bed.captured.authors.find({ transaction: true })
          await bed.captured.authors.find({
            transaction: true,
            where: { id: 1 },
            lock: { mode: 'pessimistic_write' },
          })
          await db.transaction((manager) =>
            manager
              .createQueryBuilder(Author, 'author')
              .setLock('pessimistic_write')
              .where({ id: 1 })
              .getOne(),
          )
        }),
      )
      expect(statements).to.deep.equal({
        s3: [
          ['begin', 'select author', 'commit'],
          ['begin', 'lock author', 'commit'],
          ['begin', 'lock author', 'commit'],
        ].flat(),
      })
    },
    ({ s3 }) => s3 !== 'sqljs',
  ),

  scenario(
    26,
    'a find in a transaction of its own goes to the primary; SQLite has no row locks',
    async (bed) => {
      const { authors } = bed.captured
      const statements = await bed.statementsDuring(() =>
        bed.db.using('s3', async () => {
          await authors.find({ transaction: true })
          const locked = authors.find({ transaction: true, lock: { mode: 'pessimistic_write' } })
          expect(await failure(locked)).to.have.property(
            'name',
            'LockNotSupportedOnGivenDriverError',
          )
        }),
      )
      expect(Object.keys(statements)).to.deep.equal(['s3'])
      expect(statements['s3']?.slice(0, 3)).to.deep.equal(['begin', 'select author', 'commit'])
    },
    ({ s3 }) => s3 === 'sqljs',
  ),
]

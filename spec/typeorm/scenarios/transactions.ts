import { expect } from 'chai'
import { Author, Invoice, Note, Post, lastAudit } from '../../support/entities/index.js'
import { type Scenario, scenario } from './scenario.js'

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

/** Transactions, query runners and subscribers. */
export const transactions: readonly Scenario[] = [
  scenario(17, 'a transaction commits and rolls back on the shard of the scope', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      await db.using('s1', () =>
        db.transaction(async (manager) => {
          await manager.save(Author, { name: 'kept' })
          await manager.withRepository(bed.captured.authors).update({ id: 1 }, { name: 'renamed' })
        }),
      )
      const error = await failure(
        db.using('s2', () =>
          bed.captured.manager.transaction(async (manager) => {
            await manager.insert(Author, { name: 'lost' })
            throw new Error('changed my mind')
          }),
        ),
      )
      expect(error).to.have.property('message', 'changed my mind')
    })
    expect(statements).to.deep.equal({
      s1: ['begin', 'insert author', 'update author', 'commit'],
      s2: ['begin', 'insert author', 'rollback'],
    })
    expect(await bed.added('author', 'name')).to.deep.equal({ s1: ['kept'] })
    expect(await bed.column('s1', 'SELECT name FROM author WHERE id = 1')).to.deep.equal([
      'renamed',
    ])
  }),

  scenario(
    17,
    'a transaction inside a transaction is a savepoint on its connection',
    async (bed) => {
      const { db } = bed
      const statements = await bed.statementsDuring(() =>
        db.using('s1', () =>
          db.transaction(async (manager) => {
            await manager.insert(Author, { name: 'outer' })
            const inner = manager.transaction(async (nested) => {
              await nested.insert(Author, { name: 'inner' })
              throw new Error('only the inner')
            })
            expect(await failure(inner)).to.be.instanceOf(Error)
          }),
        ),
      )
      expect(statements).to.deep.equal({
        s1: [
          ['begin', 'insert author'],
          ['savepoint', 'insert author', 'rollback to savepoint'],
          'commit',
        ].flat(),
      })
      expect(await bed.added('author', 'name')).to.deep.equal({ s1: ['outer'] })
    },
  ),

  scenario(18, 'a transaction inside an older scope stays on its shard', async (bed) => {
    const { db } = bed
    let id: number | undefined
    const statements = await bed.statementsDuring(() =>
      db.using('s2', () =>
        db.shard('s1').transaction(async (manager) => {
          ;({ id } = await manager.save(Author, { name: 'saved' }))
          await manager.withRepository(bed.captured.authors).insert({ name: 'inserted' })
          await manager.createQueryBuilder().delete().from(Author).where({ id: 2 }).execute()
          await manager.query("INSERT INTO tag (label) VALUES ('raw')")
        }),
      ),
    )
    expect(statements).to.deep.equal({
      s1: ['begin', 'insert author', 'insert author', 'delete author', 'insert tag', 'commit'],
    })
    expect(await bed.added('author', 'name')).to.deep.equal({ s1: ['saved', 'inserted'] })
    expect(await bed.added('author', 'id'))
      .to.deep.property('s1')
      .with.property('0', id)
  }),

  scenario(18, 'a transaction is refused inside a younger scope of another shard', async (bed) => {
    const { db, captured } = bed
    const refused: [string, (manager: typeof db.manager) => Promise<unknown>][] = [
      ['save', (manager) => manager.save(Author, { name: 'lost' })],
      ['find', (manager) => manager.find(Author)],
      ['withRepository', (manager) => manager.withRepository(captured.authors).count()],
      ['builder', (manager) => manager.createQueryBuilder(Author, 'author').getMany()],
      ['query', (manager) => manager.query('SELECT 1')],
      ['its runner', ({ queryRunner }) => queryRunner!.query('SELECT 1')],
    ]
    for (const [title, work] of refused) {
      const statements = await bed.statementsDuring(async () => {
        const error = await failure(
          db.using('s1', () =>
            db.transaction(async (manager) => {
              await manager.insert(Author, { name: 'before' })
              await db.using('s2', () => work(manager))
            }),
          ),
        )
        expect(error, title).to.have.property('code', 'cross-shard')
      })
      expect(statements, title).to.deep.equal({ s1: ['begin', 'insert author', 'rollback'] })
    }
    expect(await bed.added('author', 'name')).to.deep.equal({})
  }),

  scenario(18, 'another shard is reached by the data source inside a transaction', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(() =>
      db.using('s1', () =>
        db.transaction(async (manager) => {
          await manager.insert(Author, { name: 'here' })
          await db.using('s2', () => db.getRepository(Author).insert({ name: 'there' }))
          await db.using('s1', () => manager.insert(Author, { name: 'again' }))
        }),
      ),
    )
    expect(statements).to.deep.equal({
      s1: ['begin', 'insert author', 'insert author', 'commit'],
      s2: ['insert author'],
    })
    expect(await bed.added('author', 'name')).to.deep.equal({
      s1: ['here', 'again'],
      s2: ['there'],
    })
  }),

  scenario(19, "a transaction's preload and lazy relations stay on its shard", async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      const author = await db.using('s2', () =>
        db.shard('s1').transaction(async (manager) => {
          await manager.update(Author, { id: 1 }, { name: 'not committed yet' })
          const preloaded = await manager.preload(Author, { id: 1 })
          expect(preloaded).to.include({ name: 'not committed yet' })
          await manager.save(Object.assign(preloaded!, { name: 'renamed' }))
          const found = await manager.findOneByOrFail(Author, { id: 1 })
          expect((await found.posts).map(({ title }) => title)).to.include('First of s1')
          return manager.findOneByOrFail(Author, { id: 1 })
        }),
      )
      const posts = await db.using('s2', () => author.posts)
      expect(posts.map(({ title }) => title)).to.include('First of s1')
    })
    expect(statements).to.deep.equal({
      s1: [
        ['begin', 'update author', 'select author', 'select author', 'update author'],
        ['select author', 'select post', 'select author', 'commit'],
        'select post',
      ].flat(),
    })
    expect(await bed.column('s1', 'SELECT name FROM author WHERE id = 1')).to.deep.equal([
      'renamed',
    ])
  }),

  scenario(
    19,
    'a relation is read in its transaction, also inside a younger scope',
    async (bed) => {
      const { db } = bed
      const statements = await bed.statementsDuring(() =>
        db.using('s1', () =>
          db.transaction(async (manager) => {
            await manager.insert(Post, { title: 'not committed yet', author: { id: 1 } as never })
            const author = await manager.findOneByOrFail(Author, { id: 1 })
            const posts = await db.using('s2', () => author.posts)
            expect(posts.map(({ title }) => title)).to.include('not committed yet')
            expect(await db.using('s2', () => posts[0]!.author)).to.include({ name: 'Ana of s1' })
          }),
        ),
      )
      expect(statements).to.deep.equal({
        s1: ['begin', 'insert post', 'select author', 'select post', 'select author', 'commit'],
      })
    },
  ),

  scenario(24, 'what a subscriber writes lands on the shard of its event', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      await db.using('s1', () => db.manager.save(Invoice, { total: 5 }))
      expect(lastAudit.dataSource).to.equal(db.shard('s1'))
      await db.shard('s2').getRepository(Invoice).insert({ total: 6 })
      expect(lastAudit.dataSource).to.equal(db.shard('s2'))
    })
    const noted = ['insert note', 'select note', 'insert note']
    expect(statements).to.deep.equal({
      s1: ['begin', 'insert invoice', ...noted, 'commit'],
      s2: ['insert invoice', ...noted],
    })
    // In the transaction of save(), the data source's own connection cannot see the first note yet.
    const seen = bed.engineOf('s1') === 'sqljs' ? 1 : 0
    expect(await bed.added('note', 'text')).to.deep.equal({
      s1: ['by manager: 5', `by data source: 5 (${seen})`],
      s2: ['by manager: 6', 'by data source: 6 (1)'],
    })
  }),

  scenario(24, 'a subscriber writes where an entity is at home, not in the scope', async (bed) => {
    const { db } = bed
    const invoice = db.using('s1', () => db.manager.create(Invoice, { total: 7 }))
    const statements = await bed.statementsDuring(() =>
      db.using('s2', () => db.manager.save(invoice)),
    )
    expect(Object.keys(statements)).to.deep.equal(['s1'])
    const seen = bed.engineOf('s1') === 'sqljs' ? 1 : 0
    expect(await bed.added('note', 'text')).to.deep.equal({
      s1: ['by manager: 7', `by data source: 7 (${seen})`],
    })
    expect(await bed.added('invoice', 'total')).to.deep.equal({ s1: [7] })
    expect(await bed.db.using('s2', () => bed.db.getRepository(Note).count())).to.equal(0)
  }),

  scenario(31, 'a query runner from a scope keeps its shard outside', async (bed) => {
    const { db } = bed
    const runner = db.using('s1', () => db.createQueryRunner())
    try {
      const statements = await bed.statementsDuring(async () => {
        await runner.connect()
        await runner.startTransaction()
        await runner.manager.save(Author, { name: 'saved' })
        expect(await runner.query('SELECT name FROM author WHERE id = 1')).to.deep.equal([
          { name: 'Ana of s1' },
        ])
        await runner.manager.getRepository(Post).update({ id: 1 }, { title: 'new title' })
        await runner.commitTransaction()
        await db.using('s2', () => runner.manager.insert(Author, { name: 'inserted' }))
        expect(await db.createQueryBuilder(Author, 'author', runner).getCount()).to.equal(4)
        expect(await runner.hasTable('author')).to.equal(true)
      })
      expect(Object.keys(statements)).to.deep.equal(['s1'])
      expect(statements['s1']?.slice(0, 7)).to.deep.equal(
        [
          ['begin', 'insert author', 'select author', 'update post', 'commit'],
          ['insert author', 'select author'],
        ].flat(),
      )
    } finally {
      await runner.release()
      await runner.release()
    }
    expect(await bed.added('author', 'name')).to.deep.equal({ s1: ['saved', 'inserted'] })
    expect(await bed.column('s1', 'SELECT title FROM post WHERE id = 1')).to.deep.equal([
      'new title',
    ])
  }),
]

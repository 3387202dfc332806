import { expect } from 'chai'
import type { EntityManager, QueryRunner } from 'typeorm'
import { Entry, begun, describeTransactions, failureOf } from './transactions/stage.js'

const insert = 'insert entry'
const select = 'select entry'

describeTransactions('a transaction', (stage) => {
  const using = <R>(shard: string, work: () => R): R => stage().db.using(shard, work)
  const add = (manager: EntityManager, text: string) => manager.insert(Entry, { text })

  /** Begins, does `work` with a manager and commits; rolls back what fails. */
  const ways: Record<string, (work: (manager: EntityManager) => Promise<unknown>) => unknown> = {
    'db.transaction': (work) => using('brazil', () => stage().db.transaction(work)),
    'manager.transaction': (work) => using('brazil', () => stage().db.manager.transaction(work)),
    'a repository’s manager': (work) =>
      using('brazil', () => stage().entries.manager.transaction(work)),
    'a handle': (work) => using('canada', () => stage().db.shard('brazil').transaction(work)),
    'a handle’s query runner': (work) =>
      withRunner(stage().db.shard('brazil').createQueryRunner(), work),
    'a query runner by hand': (work) =>
      using('brazil', () => withRunner(stage().db.createQueryRunner(), work)),
  }

  const withRunner = async (
    runner: QueryRunner,
    work: (manager: EntityManager) => Promise<unknown>,
  ): Promise<void> => {
    try {
      await runner.startTransaction()
      await work(runner.manager)
      await runner.commitTransaction()
    } catch (error) {
      await runner.rollbackTransaction()
      throw error
    } finally {
      await runner.release()
    }
  }

  for (const [title, way] of Object.entries(ways)) {
    it(`by ${title} begins, works and commits on one connection to the primary`, async () => {
      const sent = await stage().sentDuring(() =>
        way(async (manager) => {
          await add(manager, 'inserted')
          const saved = await manager.save(Object.assign(new Entry(), { text: 'saved' }))
          await manager.withRepository(stage().entries).update(saved.id, { text: 'changed' })
          await manager.query('SELECT id FROM entry')
          expect(await manager.createQueryBuilder(Entry, 'entry').getCount()).to.equal(2)
          await manager.remove(saved)
        }),
      )
      expect(sent).to.deep.equal({
        brazil: [begun(insert, insert, 'update entry', select, select, select, 'delete entry')],
      })
      expect(await stage().committed('brazil')).to.deep.equal(['inserted'])
    })

    it(`by ${title} is rolled back whole, on its connection`, async () => {
      const sent = await stage().sentDuring(async () => {
        const failure = await failureOf(() =>
          way(async (manager) => {
            await add(manager, 'lost')
            throw new Error('changed my mind')
          }),
        )
        expect(failure).to.have.property('message', 'changed my mind')
      })
      expect(sent).to.deep.equal({ brazil: [['begin', insert, 'rollback']] })
      expect(await stage().committed('brazil')).to.deep.equal([])
    })
  }

  it('keeps savepoints at any depth on its connection', async () => {
    const sent = await stage().sentDuring(() =>
      using('brazil', () =>
        stage().db.transaction(async (manager) => {
          await add(manager, 'outer')
          await manager.transaction(async (inner) => {
            await add(inner, 'inner')
            await failureOf(() =>
              inner.transaction(async (innermost) => {
                await add(innermost, 'lost')
                throw new Error('changed my mind')
              }),
            )
          })
        }),
      ),
    )
    const innermost = ['savepoint', insert, 'rollback to savepoint']
    expect(sent).to.deep.equal({
      brazil: [begun(insert, 'savepoint', insert, ...innermost, 'release savepoint')],
    })
    expect(await stage().committed('brazil')).to.deep.equal(['outer', 'inner'])
  })

  const levels = ['READ UNCOMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const
  for (const level of levels)
    it(`begins with ${level} on its shard's server`, async () => {
      const byHand = async (): Promise<void> => {
        const runner = stage().db.createQueryRunner()
        await runner.startTransaction(level)
        await runner.query('SELECT 1')
        await runner.commitTransaction()
        await runner.release()
      }
      const set = `SET TRANSACTION ISOLATION LEVEL ${level}`
      const begin = ['START TRANSACTION', set]
      const expected = [...(stage().engine === 'mariadb' ? begin.reverse() : begin), 'SELECT 1']
      for (const begins of [
        () => stage().db.transaction(level, (manager) => manager.query('SELECT 1')),
        byHand,
      ]) {
        const sent = await stage().sentDuring(() => using('brazil', begins), false)
        expect(sent).to.deep.equal({ brazil: [[...expected, 'COMMIT']] })
      }
    })

  it('begins with the isolation level of its shard’s configuration', async () => {
    const set = 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE'
    const read = (shard: string) =>
      using(shard, () => stage().db.transaction((manager) => manager.query('SELECT 1')))
    const { brazil, canada } = await stage().sentDuring(async () => {
      await read('brazil')
      await read('canada')
    }, false)
    expect(canada?.flat()).to.include(set)
    expect(brazil?.flat()).not.to.include(set)
  })

  it('is over at its end: its manager sends nothing more', async () => {
    const { db } = stage()
    let kept: EntityManager | undefined
    await using('brazil', () =>
      db.transaction((manager) => {
        kept = manager
        return add(manager, 'in time')
      }),
    )
    const sent = await stage().sentDuring(async () => {
      for (const use of [
        (manager: EntityManager) => add(manager, 'late'),
        (manager: EntityManager) => manager.save(Entry, { text: 'late' }),
        (manager: EntityManager) => manager.find(Entry),
        (manager: EntityManager) => manager.query('SELECT 1'),
        (manager: EntityManager) => manager.transaction((inner) => add(inner, 'late')),
      ])
        expect(await failureOf(() => use(kept!))).to.be.instanceOf(Error)
    })
    expect(sent).to.deep.equal({})
    expect(await stage().committed('brazil')).to.deep.equal(['in time'])
  })

  it('gives its connection back when it cannot begin', async () => {
    const { db } = stage()
    const failure = await failureOf(() =>
      using('brazil', () => db.transaction('CHAOS' as never, () => Promise.resolve())),
    )
    expect(failure).to.be.instanceOf(Error)
    expect(db.octopus.pools().every(({ active }) => active === 0)).to.equal(true)
  })
})

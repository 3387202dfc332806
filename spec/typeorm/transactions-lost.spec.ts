import { expect } from 'chai'
import type { EntityManager, QueryRunner } from 'typeorm'
import { until } from '../support/until.js'
import { Entry, type Stage, describeTransactions, failureOf } from './transactions/stage.js'

type Lose = (stage: Stage, connection: number) => Promise<void>

/** Ways in which the server ends a connection. */
const losses: Record<string, Lose> = {
  'is killed by an administrator': (stage, connection) => stage.kill('brazil', connection),
  'dies with its server, which is back at once': async (stage) => {
    await stage.node('brazil').kill9()
    await stage.node('brazil').restart()
  },
  'dies with its server': (stage) => stage.node('brazil').kill9(),
}

/** Everything that can be done with a transaction's manager. */
const uses: Record<string, (manager: EntityManager, stage: Stage) => Promise<unknown>> = {
  find: (manager) => manager.find(Entry),
  insert: (manager) => manager.insert(Entry, { text: 'lost' }),
  save: (manager) => manager.save(Entry, { text: 'lost' }),
  'a builder': (manager) => manager.createQueryBuilder(Entry, 'entry').getMany(),
  withRepository: (manager, { entries }) => manager.withRepository(entries).count(),
  query: (manager) => manager.query('SELECT 1'),
  'a transaction inside it': (manager) => manager.transaction((inner) => inner.find(Entry)),
  'its runner': ({ queryRunner }) => queryRunner!.query('SELECT 1'),
}

describeTransactions('a transaction whose connection', (stage) => {
  const connectionOf = async (manager: EntityManager): Promise<number> => {
    const [row] = await manager.query<{ id: number | string }[]>(stage().whoAmI)
    return Number(row?.id)
  }
  const onBrazil = <R>(work: (manager: EntityManager) => Promise<R>): Promise<R> =>
    stage().db.using('brazil', () => stage().db.transaction(work))
  const lease = () =>
    stage()
      .db.octopus.pools()
      .filter(({ active }) => active > 0)

  const upAgain = async (): Promise<void> => {
    const { db, entries } = stage()
    if (!stage().node('brazil').isRunning) await stage().node('brazil').restart()
    // A replica tries its primary once a second.
    await stage().caughtUp()
    // Connections that the restart has ended leave the pool when the driver hears of it.
    await until(
      () =>
        db.using('brazil', () =>
          db.query('SELECT 1').then(
            () => true,
            () => false,
          ),
        ),
      {
        what: 'the shard to answer again',
      },
    )
    await db.using('brazil', () => db.usingReplica(() => entries.count()))
  }
  afterEach('the shard is there again', async function () {
    this.timeout(30_000)
    await upAgain()
  })

  for (const [loss, lose] of Object.entries(losses)) {
    it(`${loss} fails to its end, and uses no other connection`, async function () {
      this.timeout(30_000)
      const others = await stage().openConnections('brazil')
      const failures: Record<string, unknown> = {}
      let after: unknown
      const failure = await failureOf(() =>
        onBrazil(async (manager) => {
          await manager.insert(Entry, { text: 'before' })
          await lose(stage(), await connectionOf(manager))
          after = await stage().sentDuring(async () => {
            for (const [title, use] of Object.entries(uses))
              failures[title] = await failureOf(() => use(manager, stage()))
          })
          // What it returns is of no account: there is nothing left to commit.
          return 'done'
        }),
      )
      expect(failure).to.be.instanceOf(Error)
      expect(Object.keys(failures)).to.deep.equal(Object.keys(uses))
      for (const [title, error] of Object.entries(failures))
        expect(error, title).to.be.instanceOf(Error)
      expect(after, 'sent after the loss').to.deep.equal({})
      expect(lease(), 'leases').to.deep.equal([])
      await upAgain()
      expect(await stage().openConnections('brazil')).to.be.at.most(others + 1)
      expect(await stage().committed('brazil')).to.deep.equal([])
      await onBrazil((manager) => manager.insert(Entry, { text: 'a new one' }))
      expect(await stage().committed('brazil')).to.deep.equal(['a new one'])
    })

    it(`${loss} fails by hand too, until its runner is released`, async function () {
      this.timeout(30_000)
      const runner = stage().db.shard('brazil').createQueryRunner()
      await runner.startTransaction()
      await runner.manager.insert(Entry, { text: 'before' })
      await lose(stage(), await connectionOf(runner.manager))
      const steps: ((runner: QueryRunner) => Promise<unknown>)[] = [
        ({ manager }) => manager.find(Entry),
        (own) => own.query('SELECT 1'),
        (own) => own.commitTransaction(),
        (own) => own.rollbackTransaction(),
        (own) => own.query('SELECT 1'),
        ({ manager }) => manager.insert(Entry, { text: 'after' }),
        (own) => own.startTransaction(),
      ]
      const after = await stage().sentDuring(async () => {
        for (const step of steps)
          expect(await failureOf(() => step(runner))).to.be.instanceOf(Error)
      })
      expect(after).to.deep.equal({})
      await runner.release()
      expect(lease()).to.deep.equal([])
      await upAgain()
      expect(await stage().committed('brazil')).to.deep.equal([])
    })
  }

  it('is killed during a statement fails with it', async () => {
    const { engine } = stage()
    const sleep = engine === 'mariadb' ? 'SELECT SLEEP(20)' : 'SELECT pg_sleep(20)'
    let swallowed: unknown
    const failure = await failureOf(() =>
      onBrazil(async (manager) => {
        await manager.insert(Entry, { text: 'before' })
        const id = await connectionOf(manager)
        const sleeping = failureOf(() => manager.query(sleep))
        await until(() => stage().isRunningOn('brazil', id, 'sleep'), {
          what: 'the statement to run',
        })
        await stage().kill('brazil', id)
        swallowed = await sleeping
      }),
    )
    expect(swallowed).to.be.instanceOf(Error)
    expect(failure, 'the commit').to.be.instanceOf(Error)
    expect(lease()).to.deep.equal([])
    expect(await stage().committed('brazil')).to.deep.equal([])
  })

  it('is killed inside a savepoint is lost as a whole', async () => {
    const failure = await failureOf(() =>
      onBrazil(async (manager) => {
        await manager.insert(Entry, { text: 'outer' })
        await failureOf(() =>
          manager.transaction(async (inner) => {
            await stage().kill('brazil', await connectionOf(inner))
            await inner.insert(Entry, { text: 'inner' })
          }),
        )
        await manager.insert(Entry, { text: 'outer again' })
      }),
    )
    expect(failure).to.be.instanceOf(Error)
    expect(lease()).to.deep.equal([])
    expect(await stage().committed('brazil')).to.deep.equal([])
  })

  it('is killed leaves others at the same time alone', async () => {
    const { db } = stage()
    const outcomes = await Promise.allSettled(
      [0, 1, 2, 3].map((index) =>
        db.using(index === 3 ? 'canada' : 'brazil', () =>
          db.transaction('READ COMMITTED', async (manager) => {
            await manager.insert(Entry, { text: `first ${index}` })
            if (index === 1) await stage().kill('brazil', await connectionOf(manager))
            await manager.insert(Entry, { text: `second ${index}` })
          }),
        ),
      ),
    )
    const statuses = outcomes.map(({ status }) => status)
    expect(statuses).to.deep.equal(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    const both = (index: number) => [`first ${index}`, `second ${index}`]
    expect(await stage().committed('brazil')).to.have.members([...both(0), ...both(2)])
    expect(await stage().committed('canada')).to.deep.equal(both(3))
  })
})

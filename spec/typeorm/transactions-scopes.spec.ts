import { expect } from 'chai'
import type { EntityManager } from 'typeorm'
import { Entry, begun, describeTransactions, failureOf } from './transactions/stage.js'

const insert = 'insert entry'
const select = 'select entry'

describeTransactions('a transaction among scopes', (stage) => {
  const using = <R>(shard: string, work: () => R): R => stage().db.using(shard, work)
  const add = (manager: EntityManager, text: string) => manager.insert(Entry, { text })

  it('stays on its shard in a scope that is older, and in younger ones of its shard', async () => {
    const sent = await stage().sentDuring(() =>
      using('canada', () =>
        stage()
          .db.shard('brazil')
          .transaction(async (manager) => {
            await add(manager, 'first')
            await using('brazil', () => add(manager, 'second'))
          }),
      ),
    )
    expect(sent).to.deep.equal({ brazil: [begun(insert, insert)] })
  })

  it('is refused in a younger scope of another shard, and goes on after it', async () => {
    const { db, entries } = stage()
    const sent = await stage().sentDuring(() =>
      using('brazil', () =>
        db.transaction(async (manager) => {
          for (const work of [
            () => add(manager, 'lost'),
            () => manager.save(Entry, { text: 'lost' }),
            () => manager.find(Entry),
            () => manager.withRepository(entries).count(),
            () => manager.query('SELECT 1'),
            () => manager.transaction((inner) => add(inner, 'lost')),
          ])
            expect(await failureOf(() => using('canada', work))).to.have.property(
              'code',
              'cross-shard',
            )
          await add(manager, 'kept')
        }),
      ),
    )
    // What the refused transaction inside it began, it also ended.
    const savepoint = ['savepoint', 'rollback to savepoint']
    expect(sent).to.deep.equal({ brazil: [begun(...savepoint, insert)] })
    expect(await stage().committed('brazil')).to.deep.equal(['kept'])
  })

  it('is not taken into a younger scope by SQL that looks like its beginning', async () => {
    const { db, engine } = stage()
    const sent = await stage().sentDuring(() =>
      using('brazil', () =>
        db.transaction(async (manager) => {
          await using('canada', async () => {
            // MariaDB would commit at a second START TRANSACTION.
            if (engine === 'postgres') await manager.query('START TRANSACTION')
            await manager
              .query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED')
              .catch(() => undefined)
            expect(await failureOf(() => add(manager, 'lost'))).to.have.property(
              'code',
              'cross-shard',
            )
          })
        }),
      ),
    )
    expect(sent.brazil?.flat()).not.to.include(insert)
  })

  it('leaves what does not use it to other connections, on its shard’s primary', async () => {
    const { db, entries } = stage()
    const sent = await stage().sentDuring(() =>
      using('brazil', () =>
        db.transaction('READ COMMITTED', async (manager) => {
          await add(manager, 'not committed yet')
          expect(await entries.count()).to.equal(0)
          expect(await manager.transaction(() => entries.count())).to.equal(0)
          await db.shard('brazil').manager.find(Entry)
          await failureOf(async () => {
            await entries.insert({ text: 'kept' })
            throw new Error('changed my mind')
          })
          expect(await manager.count(Entry)).to.equal(2)
          throw new Error('changed my mind')
        }),
      ).catch(() => undefined),
    )
    expect(Object.keys(sent)).to.deep.equal(['brazil'])
    const [its, ...others] = sent.brazil ?? []
    expect(its).to.deep.equal([
      'begin',
      insert,
      'savepoint',
      'release savepoint',
      select,
      'rollback',
    ])
    expect(others.flat()).to.deep.equal([select, select, select, insert])
    expect(await stage().committed('brazil')).to.deep.equal(['kept'])
  })

  it('marks its callback too where a runner’s manager begins it', async () => {
    const { db, entries } = stage()
    const runner = db.shard('brazil').createQueryRunner()
    const sent = await stage().sentDuring(async () => {
      await runner.manager.transaction('READ COMMITTED', async (manager) => {
        await add(manager, 'not committed yet')
        expect(await using('brazil', () => entries.count())).to.equal(0)
      })
      await runner.release()
    })
    expect(sent).to.deep.equal({ brazil: [begun(insert), [select]] })
  })

  it('reaches other shards only beside it, where reads go to replicas as ever', async () => {
    const { db, entries } = stage()
    const { events } = await db.octopus.withTrace(() =>
      using('canada', () =>
        db.transaction(async (manager) => {
          await add(manager, 'here')
          await using('brazil', () => entries.find())
          await entries.find()
        }),
      ),
    )
    const told = events.map(({ shard, role, reason }) => `${shard} ${role}: ${reason}`)
    const its = 'canada primary: transaction'
    const begins = Array.from({ length: 3 }, () => its)
    expect(told).to.deep.equal([
      ...begins,
      'brazil replica: read outside a transaction',
      'canada primary: no replicas',
      its,
    ])
  })

  it('does not mix with others at the same time, on its shard and on another', async () => {
    const { db } = stage()
    const shards = ['brazil', 'canada', 'brazil', 'canada', 'brazil', 'canada'] as const
    let waiting = 0
    let goOn = (): void => undefined
    const allBegun = new Promise<void>((resolve) => (goOn = resolve))
    const sent = await stage().sentDuring(() =>
      Promise.all(
        shards.map((shard, index) =>
          using(shard, () =>
            db
              .transaction('READ COMMITTED', async (manager) => {
                const first = `${shard} ${index} first`
                await add(manager, first)
                if ((waiting += 1) === shards.length) goOn()
                await allBegun
                expect(await manager.countBy(Entry, { text: first })).to.equal(1)
                await add(manager, `${shard} ${index} second`)
                if (index > 3) throw new Error('changed my mind')
              })
              .catch(() => undefined),
          ),
        ),
      ),
    )
    const kept = begun(insert, select, insert)
    const lost = ['begin', insert, select, insert, 'rollback']
    for (const shard of ['brazil', 'canada'] as const) {
      expect(sent[shard]).to.have.deep.members([kept, kept, lost])
      const indexes = shard === 'brazil' ? [0, 2] : [1, 3]
      const texts = indexes.flatMap((at) => [`${shard} ${at} first`, `${shard} ${at} second`])
      expect(await stage().committed(shard)).to.have.members(texts)
    }
    expect(Object.keys(sent)).to.have.members(['brazil', 'canada'])
  })

  it('is seen by the reads of its scope from its commit on', async () => {
    const { db, entries } = stage()
    const sent = await stage().sentDuring(() =>
      db.octopus.scope(async () => {
        await using('brazil', () => db.transaction((manager) => add(manager, 'new')))
        expect(await using('brazil', () => entries.count())).to.equal(1)
      }),
    )
    expect(Object.keys(sent)).to.deep.equal(['brazil'])
    const after = await stage().sentDuring(() => using('brazil', () => entries.count()))
    expect(Object.keys(after)).to.deep.equal(['brazil replica'])
  })
})

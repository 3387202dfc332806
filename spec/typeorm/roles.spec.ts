import { expect } from 'chai'
import { EventSubscriber } from 'typeorm'
import {
  type OctopusOptions,
  CrossShardError,
  NoReplicaError,
  ReadOnlyScopeError,
} from '../../lib/index.js'
import { refusals } from './roles/refusals.js'
import { scenarios } from './roles/scenarios.js'
import {
  type Actors,
  Account,
  Draft,
  type Stage,
  actorsOf,
  byRole,
  freshId,
  mariadbStage,
  sqlJsStage,
} from './roles/stage.js'

const none = { p: '', r1: '', r2: '' }
const writing = /INSERT|UPDATE|DELETE|CREATE|DROP|ALTER/

/** A scope that settles what it throws. */
const refusalOf = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
    return undefined
  } catch (error) {
    return error
  }
}

const describeRoles = (stage: Stage): void => {
  describe(`roles on ${stage.engine}`, function () {
    this.timeout(30_000)
    const opened: Actors[] = []
    let plain: Actors

    const open = async (options?: OctopusOptions, more?: object): Promise<Actors> => {
      const actors = actorsOf(await stage.open(options, more))
      opened.push(actors)
      return actors
    }
    const sent = (work: (actors: Actors) => unknown, actors = plain) =>
      stage.sent(actors.db, () => work(actors))
    const roles = async (work: (actors: Actors) => unknown, actors = plain) =>
      byRole(await sent(work, actors))

    before(async () => {
      await stage.start()
      plain = await open()
    })
    after(async () => {
      for (const { db } of opened) {
        expect(db.octopus.pools().filter(({ active }) => active > 0)).to.deep.equal([])
        await db.destroy()
      }
      await stage.stop()
    })

    for (const [title, work, primary, replica] of scenarios)
      it(`${title}: ${[primary && `${primary} on the primary`, replica && `${replica} on a replica`].filter(Boolean).join(', ')}`, async () => {
        expect(await roles(work)).to.deep.equal({ primary, replica })
      })

    it('usingReplica of a group reads that group only', async () => {
      const counts = await sent(({ db, accounts }) =>
        db.usingReplica({ group: 'reports' }, async () => {
          for (let turn = 0; turn < 6; turn += 1) await accounts.find()
        }),
      )
      expect(counts).to.deep.equal({ ...none, r2: Array(6).fill('SELECT').join(' ') })
    })

    it('plain reads take the replicas in turn', async () => {
      const { p, r1, r2 } = await sent(async ({ accounts }) => {
        for (let turn = 0; turn < 8; turn += 1) await accounts.find()
      })
      expect(p).to.equal('')
      // A round of both may have begun before and may end after.
      expect(Math.abs(r1.split(' ').length - r2.split(' ').length)).to.be.at.most(2)
    })

    describe('a replica scope', () => {
      for (const [title, work] of refusals)
        it(`refuses ${title} before it writes`, async () => {
          let error: unknown
          const counts = await sent(async (actors) => {
            error = await refusalOf(() => actors.db.usingReplica(() => work(actors)))
          })
          expect(error).to.be.instanceOf(ReadOnlyScopeError)
          expect(counts.p).to.equal('')
          expect(Object.values(counts).join(' ')).to.not.match(writing)
        })

      it('refuses writes on a shard without replicas too', async () => {
        const alone = await open({ replicas: [] })
        expect(
          await roles(({ db, accounts }) => db.usingReplica(() => accounts.find()), alone),
        ).to.deep.equal({ primary: 'SELECT', replica: '' })
        const error = await refusalOf(() => alone.db.usingReplica(() => alone.accounts.delete(1)))
        expect(error).to.be.instanceOf(ReadOnlyScopeError)
      })

      it('cannot be opened on such a shard where onNoReplica is error', async () => {
        const { db, accounts } = await open({ replicas: [], onNoReplica: 'error' })
        expect(() => db.usingReplica(() => 1)).to.throw(NoReplicaError)
        expect(await accounts.existsBy({ id: 1 })).to.equal(true)
      })

      it('keeps a transaction on one replica', async () => {
        const counts = await sent(({ db }) =>
          db.usingReplica({ group: 'reports' }, () =>
            db.transaction(async (manager) => {
              await manager.find(Account)
              await manager.find(Draft)
            }),
          ),
        )
        const begin = stage.engine === 'MariaDB' ? 'BEGIN READ ONLY' : 'BEGIN'
        expect(counts).to.deep.equal({ ...none, r2: `${begin} SELECT SELECT COMMIT` })
      })
    })

    it('refuses a save through a runner in replica mode', async () => {
      const runner = plain.db.createQueryRunner('slave')
      for (const work of [
        () => runner.manager.save(Account, { id: freshId(), name: 'x' }),
        () => runner.manager.insert(Account, { id: freshId(), name: 'x' }),
        () => runner.manager.delete(Account, 99),
      ])
        expect(await refusalOf(work)).to.be.instanceOf(ReadOnlyScopeError)
      await runner.release()
    })

    it('remembers a write for windowMs only', async () => {
      const forgetful = await open({ readYourWrites: { windowMs: 0 } })
      const counts = await roles(
        ({ db, accounts }) =>
          db.octopus.scope(async () => {
            await accounts.insert({ id: freshId(), name: 'x' })
            await accounts.find()
          }),
        forgetful,
      )
      expect(counts).to.deep.equal({ primary: 'INSERT', replica: 'SELECT' })
    })

    it('remembers a write of its own shard only', async () => {
      const counts = await roles(({ db, accounts }) =>
        db.octopus.scope(async () => {
          await db.using('brazil', () => accounts.insert({ id: freshId(), name: 'x' }))
          await db.using('master', () => accounts.find())
        }),
      )
      expect(counts).to.deep.equal({ primary: 'INSERT', replica: 'SELECT' })
    })

    for (const [title, options] of [
      ['marked @Replicated', {}],
      ['listed by its name', { replicated: ['Draft'] }],
      ['listed by its class', { replicated: [Draft] }],
    ] as const)
      it(`with fullyReplicated: false reads from replicas only what is ${title}`, async () => {
        const partly = await open({ fullyReplicated: false, ...options })
        const isListed = 'replicated' in options
        expect(await roles(({ accounts }) => accounts.find(), partly)).to.deep.equal({
          primary: '',
          replica: 'SELECT',
        })
        expect(await roles(({ drafts }) => drafts.find(), partly)).to.deep.equal(
          isListed ? { primary: '', replica: 'SELECT' } : { primary: 'SELECT', replica: '' },
        )
      })

    it('with reads: primary reads replicas inside usingReplica only', async () => {
      const sober = await open({ reads: 'primary' })
      expect(await roles(({ accounts }) => accounts.find(), sober)).to.deep.equal({
        primary: 'SELECT',
        replica: '',
      })
      expect(
        await roles(({ db, accounts }) => db.usingReplica(() => accounts.find()), sober),
      ).to.deep.equal({ primary: '', replica: 'SELECT' })
    })

    it('lets a shard say reads: primary for itself', async () => {
      const { db, accounts, drafts } = await open({ shards: { brazil: { reads: 'primary' } } })
      const actors = { db, accounts, drafts }
      expect(await roles(() => db.using('brazil', () => accounts.find()), actors)).to.deep.equal({
        primary: 'SELECT',
        replica: '',
      })
      expect(await roles(() => accounts.find(), actors)).to.deep.equal({
        primary: '',
        replica: 'SELECT',
      })
    })

    it('sends what subscribers and listeners read while persisting to the primary', async () => {
      const subscribing: { read?: () => Promise<unknown> } = {}
      @EventSubscriber()
      class Subscriber {
        listenTo() {
          return Account
        }
        beforeInsert() {
          return subscribing.read?.()
        }
      }
      const actors = await open({}, { subscribers: [Subscriber] })
      subscribing.read = () => actors.drafts.find()
      const counts = await roles(
        ({ accounts }) => accounts.save({ id: freshId(), name: 'x' }),
        actors,
      )
      expect(counts).to.deep.equal({ primary: 'SELECT BEGIN SELECT INSERT COMMIT', replica: '' })
    })

    it('explains a lock and a writing common table expression as work for the primary', () => {
      const { db, accounts } = plain
      const builder = () => accounts.createQueryBuilder('a')
      for (const [query, reason] of [
        [builder().setLock('pessimistic_write'), 'lock'],
        [builder().setLock('pessimistic_read'), 'lock'],
        [builder().useTransaction(true), 'lock'],
        [builder().setLock('optimistic', 1), 'lock'],
        [builder().addCommonTableExpression('DELETE FROM account RETURNING id', 'gone'), 'write'],
        [builder().addCommonTableExpression('SELECT cleanup()', 'unknown'), 'write'],
        [builder().addCommonTableExpression('SELECT 1', 'one'), 'read outside a transaction'],
      ] as const)
        expect(db.octopus.explain(query).reason).to.equal(reason)
    })

    if (stage.engine === 'MariaDB')
      for (const [title, work] of [
        [
          'find with a lock',
          ({ accounts }: Actors) =>
            accounts.findOne({
              where: { id: 1 },
              lock: { mode: 'pessimistic_write' },
              transaction: true,
            }),
        ],
        [
          'a builder with a lock',
          ({ accounts }: Actors) =>
            accounts
              .createQueryBuilder('a')
              .setLock('pessimistic_read')
              .useTransaction(true)
              .getMany(),
        ],
      ] as const)
        it(`${title}: BEGIN SELECT COMMIT on the primary`, async () => {
          expect(await roles(work)).to.deep.equal({ primary: 'BEGIN SELECT COMMIT', replica: '' })
        })

    describe('a transaction’s manager', () => {
      it('throws in a scope of another shard that was entered later', async () => {
        let error: unknown
        const counts = await sent(({ db }) =>
          db.using('master', () =>
            db.transaction(async (manager) => {
              error = await refusalOf(() => db.using('brazil', () => manager.find(Account)))
            }),
          ),
        )
        expect(error).to.be.instanceOf(CrossShardError)
        expect(error).to.have.deep.property('shards', ['master', 'brazil'])
        expect(counts).to.deep.equal({ ...none, p: 'BEGIN COMMIT' })
      })

      it('stays on its shard in an older scope, and in a later one of the same shard', async () => {
        const { db } = plain
        await db.using('brazil', () =>
          db.shard('master').transaction(async (manager) => {
            await manager.find(Account)
            await db.using('master', () => manager.find(Account))
          }),
        )
      })
    })
  })
}

describeRoles(sqlJsStage())
describeRoles(mariadbStage())

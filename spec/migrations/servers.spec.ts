import { expect } from 'chai'
import { Entity, type MigrationInterface, PrimaryColumn, type QueryRunner } from 'typeorm'
import {
  type ConnectionProxy,
  type MigrationLockError,
  type RouteEvent,
  octopusOf,
} from '../../lib/index.js'
import { runChild } from '../connections/children.js'
import { until } from '../support/until.js'
import { failureOf } from '../typeorm/compat/support.js'
import {
  AddGuests1700000000003,
  AddStays1700000000002,
  AddVisits1700000000001,
  names,
} from './programs.js'
import { SlowStays1700000000002, slowVariable } from './slow.js'
import {
  type ShardName,
  Stage,
  inSchema,
  latch,
  listening,
  outcomes,
  reportOf,
  shardNames,
} from './stage.js'

@Entity('visits')
class Visit {
  @PrimaryColumn() id!: number
}

const all = [AddVisits1700000000001, AddStays1700000000002, AddGuests1700000000003]
const [visits, stays, guests] = names(...all) as [string, string, string]

describe('migrations over MariaDB and PostgreSQL shards', function () {
  this.timeout(30_000)
  let stage: Stage

  before(async function () {
    this.timeout(90_000)
    stage = await Stage.start()
  })
  after(() => stage?.stop())
  afterEach(() => stage.reset())

  it('plan without a change on any server', async () => {
    const db = await stage.application(all)
    const plan = await db.octopus.migrations.plan()
    expect(plan).to.include({ pending: 15, isUpToDate: false })
    expect(plan.shards.map(({ shard }) => shard)).to.deep.equal([...shardNames])
    const dry = await db.octopus.migrations.run({ dryRun: true })
    expect(dry.outcome).to.equal('planned')
    expect(dry.shards.map(({ left }) => left?.length)).to.deep.equal([3, 3, 3, 3, 3])
    for (const shard of shardNames) expect(await stage.tables(shard)).to.deep.equal([])
  })

  it('run, are up to date, and are reverted, on every primary, and say nothing to a replica', async () => {
    const db = await stage.application(all)
    const marks = stage.replicas.map((node) => ({ node, mark: node.mark() }))
    const report = await db.octopus.migrations.run({ transaction: 'each' })
    expect(report.outcome).to.equal('done')
    for (const shard of shardNames) {
      expect(await stage.tables(shard)).to.include.members(['guests', 'rooms', 'stays', 'visits'])
      expect(await stage.versions(shard)).to.deep.equal([visits, stays, guests])
    }
    expect(await db.octopus.migrations.plan()).to.include({ pending: 0, isUpToDate: true })
    const again = await db.octopus.migrations.run()
    expect(new Set(Object.values(outcomes(again)))).to.deep.equal(new Set(['up to date']))
    await db.octopus.migrations.revert()
    const { shards } = await db.octopus.migrations.status()
    for (const { last, pending } of shards) expect([last, pending]).to.deep.equal([stays, [guests]])
    expect(stage.replicas).to.have.length(5)
    for (const { node, mark } of marks)
      expect(await node.statementsSince(mark), node.name).to.deep.equal([])
  })

  it('read on the primary what is not managed, and move rows between shards of two engines', async () => {
    let db: ConnectionProxy | undefined
    class Move1700000000008 implements MigrationInterface {
      static readonly migrateOn = { shard: 'brazil' }
      async up(runner: QueryRunner): Promise<void> {
        await runner.manager.insert(Visit, { id: 7 })
        const spain = octopusOf(runner).shard('spain')
        for (const { id } of await runner.manager.findBy(Visit, { id: 7 })) {
          await spain.manager.insert(Visit, { id })
          await runner.manager.delete(Visit, { id })
        }
        await db?.getRepository(Visit).find()
        await db?.using('canada', () => db?.getRepository(Visit).find())
      }
      down = (): Promise<void> => Promise.resolve()
    }
    const visitsTable = await stage.application([AddVisits1700000000001])
    await visitsTable.octopus.migrations.run()
    db = await stage.application([Move1700000000008], {}, { entities: [Visit] })
    const marks = stage.replicas.map((node) => ({ node, mark: node.mark() }))
    const { shards } = await db.octopus.migrations.run()
    for (const { node, mark } of marks)
      expect(await node.statementsSince(mark), node.name).to.deep.equal([])
    expect(shards.map(({ shard }) => shard)).to.deep.equal(['brazil'])
    const effects = shards[0]?.finished[0]?.effects.map(({ shard }) => shard)
    expect(effects).to.have.members(['brazil', 'spain', 'canada'])
    const ids = async (shard: ShardName): Promise<number[]> => {
      const rows = await stage
        .primary(shard)
        .sql<{ id: number }>(`SELECT id FROM ${inSchema(shard, 'visits')} ORDER BY id`)
      return rows.map(({ id }) => id)
    }
    expect(await ids('brazil')).to.deep.equal([1])
    expect(await ids('spain')).to.deep.equal([1, 7])
  })

  it('fail half way on one shard, say what is left behind there, and go on from there', async () => {
    const db = await stage.application(all)
    await stage.sql('canada', `CREATE TABLE ${inSchema('canada', 'guests')} (id INT)`)
    await stage.sql('italy', `CREATE TABLE ${inSchema('italy', 'guests')} (id INT)`)
    await stage.sql('italy', `GRANT ALL ON ${inSchema('italy', 'guests')} TO app`)
    const { types, onEvent } = listening()
    const report = await reportOf(() =>
      db.octopus.migrations.run({ transaction: 'each', onError: 'continue', onEvent }),
    )
    expect(outcomes(report)).to.deep.equal({
      master: 'done',
      brazil: 'done',
      canada: 'failed',
      spain: 'done',
      italy: 'failed',
    })
    const of = (shard: ShardName) => report.shards.find((each) => each.shard === shard)
    for (const shard of ['canada', 'italy'] as const) {
      expect(of(shard)?.left).to.deep.equal([guests])
      expect(of(shard)?.finished.map(({ migration }) => migration)).to.deep.equal([visits, stays])
      expect(of(shard)?.failure).to.include({ migration: guests })
      expect(types(shard).slice(-2)).to.deep.equal(['migration-failed', 'shard-finished'])
    }
    // MySQL commits with each change of the schema; PostgreSQL rolls it back.
    expect(of('canada')?.failure?.leftBehind).to.deep.equal([
      { shard: 'canada', statements: ['INSERT', 'CREATE TABLE rooms'] },
    ])
    expect(await stage.tables('canada')).to.include('rooms')
    expect(of('italy')?.failure?.leftBehind).to.deep.equal([])
    expect(await stage.tables('italy')).not.to.include('rooms')

    await stage.sql('canada', `DROP TABLE ${inSchema('canada', 'guests')}`)
    await stage.sql('canada', `DROP TABLE ${inSchema('canada', 'rooms')}`)
    await stage.sql('canada', `DELETE FROM ${inSchema('canada', 'visits')} WHERE id = 2`)
    await stage.sql('italy', `DROP TABLE ${inSchema('italy', 'guests')}`)
    const resumed = await db.octopus.migrations.run({ transaction: 'each' })
    expect(outcomes(resumed)).to.deep.equal({
      master: 'up to date',
      brazil: 'up to date',
      canada: 'done',
      spain: 'up to date',
      italy: 'done',
    })
  })

  it('begin nothing anywhere after a failure, unless told to go on', async () => {
    await stage.sql('master', `CREATE TABLE ${inSchema('master', 'visits')} (id INT)`)
    const db = await stage.application(all)
    const report = await reportOf(() => db.octopus.migrations.run({ concurrency: 1 }))
    expect(outcomes(report)).to.deep.equal({
      master: 'failed',
      brazil: 'not begun',
      canada: 'not begun',
      spain: 'not begun',
      italy: 'not begun',
    })
    expect(await stage.versions('brazil')).to.deep.equal([])
  })

  it('tell of what MySQL has committed of one transaction for all', async () => {
    await stage.sql('canada', `CREATE TABLE ${inSchema('canada', 'stays')} (id INT)`)
    const db = await stage.application(all)
    const report = await reportOf(() =>
      db.octopus.migrations.run({ transaction: 'all', shards: ['canada'] }),
    )
    const [canada] = report.shards
    // Rolled back for the client, and committed with the table for the server.
    expect(canada?.finished.map(({ migration }) => migration)).to.deep.equal([visits])
    expect(canada?.left).to.deep.equal([stays, guests])
    expect(await stage.versions('canada')).to.deep.equal([visits])
  })

  for (const shard of ['brazil', 'spain'] as const)
    it(`wait for another runner on ${shard}, which is named, and find nothing to do`, async () => {
      const working = latch()
      const goOn = latch()
      class Slow1700000000009 implements MigrationInterface {
        async up(runner: QueryRunner): Promise<void> {
          working.open()
          await goOn.opened
          await runner.query('CREATE TABLE visits (id INT PRIMARY KEY)')
        }
        down = (): Promise<void> => Promise.resolve()
      }
      const [one, other] = [
        await stage.application([Slow1700000000009]),
        await stage.application([Slow1700000000009]),
      ]
      const shards = [shard]
      const first = one.octopus.migrations.run({ shards })
      await working.opened
      const error = await reportOf(() => other.octopus.migrations.run({ shards, lockTimeoutMs: 0 }))
      const failure = error.shards[0]?.failure?.error
      expect(failure).to.include({ code: 'migration-lock', failure: 'timeout' })
      expect(failure)
        .to.have.property('message')
        .that.matches(/\d+, user app.* at 127\.0\.0\.1/)

      const { events, onEvent } = listening()
      const second = other.octopus.migrations.run({ shards, onEvent })
      await until(() => events.some(({ type }) => type === 'lock-waiting'), {
        what: 'the second runner to wait',
      })
      goOn.open()
      expect(outcomes(await first)).to.deep.equal({ [shard]: 'done' })
      expect(outcomes(await second)).to.deep.equal({ [shard]: 'up to date' })
      expect(await stage.versions(shard)).to.have.length(1)
    })

  it('go on after a runner that was killed, once the server has ended its last statement', async () => {
    stage.leaveUnaudited()
    const shards = ['brazil', 'spain'] as const
    const asleep = new Set<string>()
    const areAsleep = async (): Promise<boolean> => {
      const found = await Promise.all(shards.map((shard) => stage.sleepers(shard)))
      return found.every(({ length }) => length === 1)
    }
    const killed = await runChild(
      '../migrations/runner.child.js',
      { ...stage.options({ migrations: { default: 'all' } }), shards },
      {
        env: { [slowVariable]: '60' },
        timeoutMs: 25_000,
        onMessage(message, _answer, kill) {
          const { type, migration, shard } = message as Record<string, string>
          if (type === 'migration-started' && migration === 'SlowStays1700000000002')
            asleep.add(shard ?? '')
          if (asleep.size === shards.length)
            void until(areAsleep, { what: 'both servers to be asleep' }).then(kill)
        },
      },
    )
    expect(killed.code, 'killed').to.equal(null)
    const db = await stage.application([AddVisits1700000000001, SlowStays1700000000002])
    for (const shard of shards) expect(await stage.versions(shard), shard).to.deep.equal([visits])

    // The servers know nothing of the killed process yet: they work for it, and are not disturbed.
    const refused = await until(
      async () => {
        const report = await reportOf(() =>
          db.octopus.migrations.run({ shards, lockTimeoutMs: 0, onError: 'continue' }),
        )
        const errors = report.shards.map(({ failure }) => failure?.error as MigrationLockError)
        return errors.every(({ lock }) => lock === 'work') && errors
      },
      { what: 'the locks of the killed runner to be those of its last statements' },
    )
    for (const { message } of refused) expect(message).to.match(/\d+, user app/)

    for (const shard of shards)
      for (const id of await stage.sleepers(shard)) await stage.endConnection(shard, id)
    const report = await db.octopus.migrations.run({ shards, transaction: 'each' })
    expect(outcomes(report)).to.deep.equal({ brazil: 'done', spain: 'done' })
    for (const { finished } of report.shards)
      expect(finished.map(({ migration }) => migration)).to.deep.equal(
        names(SlowStays1700000000002),
      )
  })

  it('begin no other migration on a shard whose lock was lost with its connection', async () => {
    stage.leaveUnaudited()
    for (const shard of ['brazil', 'spain'] as const) {
      const kill =
        shard === 'spain'
          ? () =>
              stage.sql(
                shard,
                `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = ${0x6f63746f}`,
              )
          : async () => {
              const [row] = await stage
                .primary(shard)
                .sql<{ id: number }>(
                  `SELECT IS_USED_LOCK('octopus.migrations.app.migrations') AS id`,
                )
              await stage.sql(shard, `KILL ${row?.id}`)
            }
      class LosesLock1700000000000 implements MigrationInterface {
        up = kill
        down = (): Promise<void> => Promise.resolve()
      }
      const db = await stage.application([LosesLock1700000000000, AddVisits1700000000001])
      const report = await reportOf(() =>
        db.octopus.migrations.run({ shards: [shard], transaction: 'each' }),
      )
      expect(report.shards[0]?.failure?.error).to.include({
        code: 'migration-lock',
        failure: 'lost',
      })
      expect(await stage.versions(shard)).to.deep.equal(names(LosesLock1700000000000))
      expect(await stage.tables(shard)).to.deep.equal(['migrations'])
    }
  })

  it('finish what is under way when the signal comes, and begin no other', async () => {
    const controller = new AbortController()
    class Last1700000000000 implements MigrationInterface {
      async up(runner: QueryRunner): Promise<void> {
        controller.abort()
        await runner.query('CREATE TABLE rooms (id INT PRIMARY KEY)')
      }
      down = (): Promise<void> => Promise.resolve()
    }
    const db = await stage.application([Last1700000000000, AddVisits1700000000001])
    const { signal } = controller
    const report = await reportOf(() =>
      db.octopus.migrations.run({ signal, transaction: 'each', concurrency: 1 }),
    )
    expect(report.outcome).to.equal('interrupted')
    expect(outcomes(report)).to.include({ master: 'stopped', brazil: 'not begun' })
    expect(await stage.versions('master')).to.deep.equal(names(Last1700000000000))
    expect(await stage.tables('master')).to.deep.equal(['migrations', 'rooms'])
    const resumed = await db.octopus.migrations.run({ shards: ['master'] })
    expect(resumed.shards[0]?.finished).to.have.length(1)
  })

  it('undo one transaction for all when the signal comes in its middle', async () => {
    const controller = new AbortController()
    class Last1700000000000 implements MigrationInterface {
      up = (): Promise<void> => Promise.resolve(controller.abort())
      down = this.up
    }
    const db = await stage.application([Last1700000000000, AddVisits1700000000001])
    const { signal } = controller
    const report = await reportOf(() =>
      db.octopus.migrations.run({ signal, transaction: 'all', shards: ['italy'] }),
    )
    expect(outcomes(report)).to.deep.equal({ italy: 'stopped' })
    expect(report.shards[0]?.left).to.have.length(2)
    expect(await stage.versions('italy')).to.deep.equal([])
  })

  it('need one connection of each pool, and one beside it', async () => {
    const migrations = { default: 'all', transaction: 'each' } as const
    const settings = { acquireTimeoutMs: 2000, migrations }
    const db = await stage.application(all, settings, { poolSize: 1 })
    const { outcome } = await db.octopus.migrations.run()
    expect(outcome).to.equal('done')
  })

  it('are not done where a transaction begun in SQL took their version with it', async () => {
    class Opens1700000000007 implements MigrationInterface {
      async up(runner: QueryRunner): Promise<void> {
        await runner.query('BEGIN')
        await runner.query('INSERT INTO visits VALUES (7)')
      }
      down = (): Promise<void> => Promise.resolve()
    }
    const shards = ['brazil', 'spain'] as const
    const db = await stage.application([AddVisits1700000000001, Opens1700000000007])
    const report = await reportOf(() =>
      db.octopus.migrations.run({ shards, transaction: 'none', onError: 'continue' }),
    )
    for (const { shard, finished, left, failure } of report.shards) {
      expect(
        finished.map(({ migration }) => migration),
        shard,
      ).to.deep.equal([visits])
      expect(left, shard).to.deep.equal(names(Opens1700000000007))
      expect(failure?.error.message, shard).to.match(/was not ended.*: Opens1700000000007/)
    }
    for (const shard of shards) expect(await stage.versions(shard), shard).to.deep.equal([visits])
  })

  it('leave nothing on a connection for who comes next, not even if they release it themselves', async () => {
    class Sets1700000000007 implements MigrationInterface {
      readonly transaction = false
      async up(runner: QueryRunner): Promise<void> {
        const { type } = runner.dataSource.options
        await runner.query(
          type === 'postgres' ? `SET lock_timeout = '7s'` : 'SET SESSION lock_wait_timeout = 7',
        )
      }
      async down(runner: QueryRunner): Promise<void> {
        await this.up(runner)
        await runner.release()
      }
    }
    const shards = ['brazil', 'spain'] as const
    const settings = { acquireTimeoutMs: 2000, migrations: { default: 'all' } } as const
    const db = await stage.application([Sets1700000000007], settings, { poolSize: 1 })
    const left = async (): Promise<unknown[]> => [
      await db.shard('brazil').query('SELECT @@lock_wait_timeout = 7 AS isLeft'),
      await db.shard('spain').query(`SELECT current_setting('lock_timeout') = '7s' AS "isLeft"`),
    ]
    await db.octopus.migrations.run({ shards, transaction: 'each' })
    expect(await left()).to.deep.equal([[{ isLeft: 0 }], [{ isLeft: false }]])
    const report = await reportOf(() =>
      db.octopus.migrations.revert({ shards, onError: 'continue' }),
    )
    expect(outcomes(report)).to.deep.equal({ brazil: 'failed', spain: 'failed' })
    expect(await left()).to.deep.equal([[{ isLeft: 0 }], [{ isLeft: false }]])
    // Nor does the lock of the work stay there.
    const again = await reportOf(() =>
      db.octopus.migrations.revert({ shards, onError: 'continue', lockTimeoutMs: 0 }),
    )
    for (const { failure } of again.shards)
      expect(failure?.error.message).to.match(/already released/)
  })

  it('have as much time as they need, whatever other statements have', async () => {
    class Long1700000000007 implements MigrationInterface {
      up = (runner: QueryRunner): Promise<void> => runner.query('SELECT SLEEP(2)')
      down = this.up
    }
    const settings = { queryTimeoutMs: 1500, migrations: { default: 'brazil' } } as const
    const db = await stage.application([Long1700000000007], settings)
    expect(outcomes(await db.octopus.migrations.run())).to.deep.equal({ brazil: 'done' })
  })

  it('tell of a shard that cannot be reached, and do the others where that is wanted', async () => {
    stage.leaveUnaudited()
    const db = await stage.application([AddStays1700000000002])
    await stage.primary('canada').stop()
    try {
      const plan = await db.octopus.migrations.plan()
      expect(plan.shards.map(({ shard, kind }) => [shard, kind])).to.deep.include([
        'canada',
        'unreadable',
      ])
      const report = await reportOf(() => db.octopus.migrations.run({ onError: 'continue' }))
      expect(outcomes(report)).to.include({ brazil: 'done', canada: 'failed', italy: 'done' })
      const canada = report.shards.find(({ shard }) => shard === 'canada')
      expect(canada).to.include({ left: undefined })
      expect(canada?.failure?.error).to.have.property('code', 'ECONNREFUSED')
    } finally {
      await stage.primary('canada').start()
    }
    // The replica finds its primary again by itself, before the next spec changes tables there.
    await stage.mariadb.waitUntilCaughtUp(stage.mariadb.shard(2), 30_000)
  })

  it('send what the lock needs as internal statements, and the rest as bypasses', async () => {
    const db = await stage.application([AddStays1700000000002])
    const events: RouteEvent[] = []
    const stop = db.octopus.onRoute((event) => events.push(event), { internal: true, sql: true })
    await db.octopus.migrations.run({ shards: ['brazil', 'spain'] })
    stop()
    const locks = events.filter(({ operation }) => operation === 'migration lock')
    expect(new Set(locks.map(({ kind }) => kind))).to.deep.equal(new Set(['internal']))
    expect(new Set(locks.map(({ shard }) => shard))).to.deep.equal(new Set(['brazil', 'spain']))
    const work = events.filter(({ operation }) => operation === 'migrations')
    expect(work.filter(({ sql }) => sql?.startsWith('CREATE TABLE stays'))).to.have.length(2)
    expect(new Set(work.map(({ kind, role }) => `${kind} ${role}`))).to.deep.equal(
      new Set(['bypass primary']),
    )
  })

  it('revert nothing where the last that was done is in no code', async () => {
    await (await stage.application([AddVisits1700000000001])).octopus.migrations.run()
    const db = await stage.application([AddStays1700000000002])
    const error = await failureOf(() => db.octopus.migrations.revert())
    expect(error).to.have.property('code', 'migration-plan')
    const { shards } = await db.octopus.migrations.status()
    expect(shards[0]).to.deep.include({ unknown: [visits], pending: [stays], state: 'pending' })
  })
})

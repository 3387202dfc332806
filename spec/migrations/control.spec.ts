import { expect } from 'chai'
import type { MigrationInterface, QueryRunner } from 'typeorm'
import {
  type ConnectionProxy,
  type OctopusOptions,
  UnknownGroupError,
  UnknownShardError,
  octopusOf,
} from '../../lib/index.js'
import { until } from '../support/until.js'
import { failureOf } from '../typeorm/compat/support.js'
import { applications, tablesOf } from './embedded.js'
import {
  AddStays1700000000002,
  AddVisits1700000000001,
  Fails1700000000009,
  names,
} from './programs.js'
import { latch, listening, outcomes, reportOf } from './stage.js'

const both = [AddVisits1700000000001, AddStays1700000000002]
const [visits, stays] = names(...both) as [string, string]

describe('db.octopus.migrations', () => {
  const openWith = applications()
  const open = (
    migrations: readonly Function[],
    settings: OctopusOptions['migrations'] = { default: 'all' },
  ): Promise<ConnectionProxy> => openWith(migrations, settings)

  it('tells what happens as plain data, shard by shard in order', async () => {
    const db = await open(both)
    const { events, onEvent, types } = listening()
    await db.octopus.migrations.run({ onEvent, transaction: 'each' })
    expect(JSON.parse(JSON.stringify(events))).to.deep.equal(
      events.map((event) =>
        Object.fromEntries(Object.entries(event).filter(([, v]) => v !== undefined)),
      ),
    )
    expect(types('brazil')).to.deep.equal([
      'shard-started',
      'migration-started',
      'migration-finished',
      'migration-started',
      'migration-finished',
      'shard-finished',
    ])
    expect(events[0]).to.include({ type: 'run-started', direction: 'up' })
    expect(events.at(-1)).to.include({ type: 'run-finished', outcome: 'done' })
  })

  it('tells that migrations are done once one transaction for all is committed', async () => {
    const db = await open(both)
    const { onEvent, types } = listening()
    await db.octopus.migrations.run({ onEvent, transaction: 'all', shards: ['brazil'] })
    expect(types('brazil')).to.deep.equal([
      'shard-started',
      'migration-started',
      'migration-started',
      'migration-finished',
      'migration-finished',
      'shard-finished',
    ])
  })

  for (const way of ['fails', 'is interrupted'] as const)
    it(`tells what one transaction for all has left on another shard when it ${way}`, async () => {
      const controller = new AbortController()
      class Reaches1700000000003 implements MigrationInterface {
        async up(runner: QueryRunner): Promise<void> {
          await octopusOf(runner).shard('canada').query('CREATE TABLE rooms (id INT)')
          if (way === 'is interrupted') controller.abort()
        }
        down = (): Promise<void> => Promise.resolve()
      }
      const db = await open([Reaches1700000000003, Fails1700000000009])
      const { events, onEvent } = listening()
      const { signal } = controller
      const report = await reportOf(() =>
        db.octopus.migrations.run({ shards: ['brazil'], transaction: 'all', signal, onEvent }),
      )
      expect(report.shards[0]).to.have.deep.property('left', [
        'Reaches1700000000003',
        'Fails1700000000009',
      ])
      if (way === 'fails')
        expect(report.shards[0]?.failure?.leftBehind).to.deep.equal([
          { shard: 'canada', statements: ['CREATE TABLE rooms'] },
        ])
      else
        expect(events.find(({ type }) => type === 'warning')).to.include({
          message: 'Reaches1700000000003 was rolled back, but not on canada: CREATE TABLE rooms',
        })
      expect((await tablesOf(db))['canada']).to.deep.equal(['rooms'])
    })

  it('goes on when a listener throws', async () => {
    const db = await open(both)
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    const onEvent = (): void => {
      throw new Error('in the listener')
    }
    const report = await db.octopus.migrations.run({ onEvent, shards: ['brazil'] })
    await until(() => warnings.length > 0, { what: 'a warning' })
    process.removeListener('warning', note)
    expect(report.outcome).to.equal('done')
    expect(warnings[0]?.message).to.equal('in the listener')
  })

  it('does a first shard, and the others if its report is accepted', async () => {
    const db = await open(both)
    const { migrations } = db.octopus
    const declined = await migrations.run({
      first: 'brazil',
      confirm: ({ finished }) => finished.length !== 2,
    })
    expect(declined.outcome).to.equal('declined')
    expect(outcomes(declined)).to.deep.equal({
      master: 'not begun',
      brazil: 'done',
      canada: 'not begun',
      spain: 'not begun',
    })
    const rest = await migrations.run({ first: 'brazil', confirm: () => true })
    expect(outcomes(rest)).to.include({ brazil: 'up to date', spain: 'done' })
  })

  it('tells of a shard that was removed before its turn, and knows those that were added later', async () => {
    const goOn = latch()
    class Waits1700000000000 implements MigrationInterface {
      up = (): Promise<void> => goOn.opened
      down = this.up
    }
    const db = await open([Waits1700000000000])
    const { events, onEvent } = listening()
    const { migrations } = db.octopus
    const failing = reportOf(() => migrations.run({ concurrency: 1, onError: 'continue', onEvent }))
    await until(() => events.some(({ type }) => type === 'migration-started'), {
      what: 'the first shard to be at work',
    })
    await db.octopus.removeShard('canada')
    await db.octopus.addShard('peru', {})
    goOn.open()
    const report = await failing
    expect(outcomes(report)).to.deep.equal({
      master: 'done',
      brazil: 'done',
      canada: 'failed',
      spain: 'done',
    })
    const canada = report.shards.find(({ shard }) => shard === 'canada')
    expect(canada).to.deep.include({ finished: [], left: undefined })
    expect(canada?.failure?.error).to.be.instanceOf(UnknownShardError)
    expect(events.filter((event) => 'shard' in event && event.shard === 'canada')).to.have.length(1)
    expect(events.at(-1)).to.include({ type: 'run-finished', outcome: 'failed' })
    expect(outcomes(await migrations.run())).to.include({ spain: 'up to date', peru: 'done' })
  })

  it('keeps to shards and groups that are named, also in a scope of another shard', async () => {
    const db = await open(both)
    const { migrations } = db.octopus
    await db.using('spain', () => migrations.run({ groups: ['americas'] }))
    expect(
      Object.entries(await tablesOf(db)).filter(([, tables]) => tables.length > 0),
    ).to.have.length(2)
    const inScope = await db.using('spain', () => migrations.plan())
    expect(inScope.shards.map(({ shard }) => shard)).to.deep.equal(['spain'])
    expect(await failureOf(() => migrations.plan({ shards: ['peru'] }))).to.be.instanceOf(
      UnknownShardError,
    )
    expect(await failureOf(() => migrations.plan({ groups: ['asia'] }))).to.be.instanceOf(
      UnknownGroupError,
    )
  })

  it('reverts no other than the one that is named, however often it is asked to', async () => {
    const db = await open(both)
    const { migrations } = db.octopus
    await migrations.run()
    const announced = await migrations.revert({ dryRun: true })
    const [migration] = announced.shards[0]?.left ?? []
    expect(migration).to.equal(stays)
    expect(new Set(Object.values(outcomes(await migrations.revert({ migration }))))).to.deep.equal(
      new Set(['done']),
    )
    // Somebody else was faster: what is last now was not announced.
    const late = await migrations.revert({ migration })
    expect(late).to.deep.include({ outcome: 'done', shards: [] })
    expect((await migrations.revert({ migration, dryRun: true })).shards[0]?.left).to.deep.equal([])
    expect((await migrations.status()).shards[0]?.last).to.equal(visits)
    const error = await failureOf(() => migrations.revert({ migration: 'Nosuch1700000000009' }))
    expect(error).to.have.property('code', 'migration-plan')
  })

  it('goes by the configuration where the call says nothing', async () => {
    const db = await open([AddVisits1700000000001, Fails1700000000009], {
      default: 'all',
      onError: 'continue',
      concurrency: 1,
      transaction: 'each',
    })
    const report = await reportOf(() => db.octopus.migrations.run())
    expect(new Set(Object.values(outcomes(report)))).to.deep.equal(new Set(['failed']))
    for (const { finished } of report.shards)
      expect(finished.map(({ migration }) => migration)).to.deep.equal([visits])
    const stopped = await reportOf(() => db.octopus.migrations.run({ onError: 'stop' }))
    expect(outcomes(stopped)).to.include({ master: 'failed', spain: 'not begun' })
  })

  it('warns of what is done and unknown, and of what is older than what is done', async () => {
    const early = await open([AddStays1700000000002])
    await early.octopus.migrations.run({ shards: ['brazil'] })
    const { events, onEvent } = listening()
    await early.shard('brazil').query(`UPDATE migrations SET name = 'Gone1600000000000'`)
    await early.octopus.migrations.baseline({ shards: ['brazil'] })
    const late = early.shard('brazil').migrations
    late.push(new AddVisits1700000000001())
    await early.octopus.migrations.run({ shards: ['brazil'], onEvent })
    const warnings = events.filter(({ type }) => type === 'warning')
    expect(warnings.map((event) => 'message' in event && event.message)).to.deep.equal([
      'Gone1600000000000: done on the shard, and not in the code',
      'AddVisits1700000000001: older than what is done on the shard; run all the same',
    ])
  })

  it('lets a second run in the same process wait for the first', async () => {
    let goOn = (): void => undefined
    const gate = new Promise<void>((resolve) => (goOn = resolve))
    let runs = 0
    class Slow1700000000000 implements MigrationInterface {
      async up(): Promise<void> {
        runs += 1
        await gate
      }
      down = (): Promise<void> => Promise.resolve()
    }
    const db = await open([Slow1700000000000])
    const shards = ['brazil']
    const first = db.octopus.migrations.run({ shards, transaction: 'none' })
    await until(() => runs === 1, { what: 'the first run to be at work' })
    const { events, onEvent } = listening()
    const second = db.octopus.migrations.run({ shards, transaction: 'none', onEvent })
    await until(() => events.some(({ type }) => type === 'lock-waiting'), {
      what: 'the second to wait',
    })
    goOn()
    expect(outcomes(await first)).to.deep.equal({ brazil: 'done' })
    expect(outcomes(await second)).to.deep.equal({ brazil: 'up to date' })
    expect(runs).to.equal(1)
  })

  it('refuses a number of shards at a time that cannot be, before anything runs', async () => {
    const db = await open(both)
    for (const concurrency of [0, 1.5])
      expect(
        await failureOf(() => db.octopus.migrations.run({ concurrency, first: 'brazil' })),
      ).to.have.property('code', 'invalid-scope')
    expect(Object.values(await tablesOf(db)).flat()).to.deep.equal([])
  })

  it('refuses to run where replicas only are asked for', async () => {
    const db = await open(both)
    const error = await failureOf(() => db.usingReplica(() => db.octopus.migrations.run()))
    expect(error).to.have.property('code', 'read-only-scope')
  })
})

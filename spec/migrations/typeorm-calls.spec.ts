import { expect } from 'chai'
import {
  CannotExecuteNotConnectedError,
  ForbiddenTransactionModeOverrideError,
  type MigrationInterface,
  type QueryRunner,
} from 'typeorm'
import { MigrateOn, MigrationRunError, ShardMigration, shardVariable } from '../../lib/index.js'
import { failureOf, proxies } from '../typeorm/compat/support.js'
import { applications, fourShards, tablesOf, withMigrations } from './embedded.js'
import { AddStays1700000000002, AddVisits1700000000001, Fails1700000000009 } from './programs.js'

@MigrateOn({ groups: ['americas'] })
class AddRooms1700000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE rooms (id INT PRIMARY KEY)')
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE rooms')
  }
}

describe("TypeORM's own calls about migrations", () => {
  const { wrap } = proxies()
  const open = applications()

  const ran = (migrations: readonly unknown[]): string[] =>
    migrations.map((each) => {
      expect(each).to.be.instanceOf(ShardMigration)
      const { shard, name } = each as ShardMigration
      return `${shard}: ${name}`
    })

  it('run each migration where it runs, and say where it did', async () => {
    const db = await open([AddVisits1700000000001, AddRooms1700000000003], { default: 'default' })
    expect(ran(await db.runMigrations())).to.deep.equal([
      'master: AddVisits1700000000001',
      'brazil: AddRooms1700000000003',
      'canada: AddRooms1700000000003',
    ])
    expect(await tablesOf(db)).to.deep.equal({
      master: ['migrations', 'visits'],
      brazil: ['migrations', 'rooms'],
      canada: ['migrations', 'rooms'],
      spain: [],
    })
    expect(await db.runMigrations()).to.deep.equal([])
  })

  it('revert where it ran what ran last, and mark as done or not without running', async () => {
    const db = await open([AddVisits1700000000001, AddRooms1700000000003], { default: 'all' })
    await db.runMigrations()
    await db.undoLastMigration()
    expect((await tablesOf(db))['brazil']).to.deep.equal(['migrations', 'visits'])
    expect((await tablesOf(db))['spain']).to.deep.equal(['migrations', 'visits'])
    expect(ran(await db.runMigrations({ fake: true }))).to.deep.equal([
      'brazil: AddRooms1700000000003',
      'canada: AddRooms1700000000003',
    ])
    await db.undoLastMigration({ fake: true })
    expect(await db.showMigrations()).to.equal(true)
    expect((await tablesOf(db))['brazil']).to.deep.equal(['migrations', 'visits'])
    await db.undoLastMigration()
    for (const tables of Object.values(await tablesOf(db)))
      expect(tables).to.deep.equal(['migrations'])
  })

  it('show what is pending anywhere, and make no table for it', async () => {
    const db = await open([AddRooms1700000000003], undefined)
    expect(await db.showMigrations()).to.equal(true)
    expect(Object.values(await tablesOf(db)).flat()).to.deep.equal([])
    await db.using('brazil', () => db.runMigrations())
    expect(await db.using('brazil', () => db.showMigrations())).to.equal(false)
    expect(await db.showMigrations()).to.equal(true)
    expect(await db.shard('canada').showMigrations()).to.equal(true)
    expect(await db.shard('spain').showMigrations(), 'nothing is for it').to.equal(false)
  })

  it('go by a handle, a scope or the environment: there also what names no shard, and no other', async () => {
    const migrations = [AddVisits1700000000001, AddRooms1700000000003]
    const db = await open(migrations, undefined)
    expect(ran(await db.shard('spain').runMigrations())).to.deep.equal([
      'spain: AddVisits1700000000001',
    ])
    const all = await db.usingAll(() => db.runMigrations())
    expect(all.map(({ value }) => value.length)).to.deep.equal([1, 2, 2, 0])
    process.env[shardVariable] = 'canada'
    try {
      const chosen = await open(migrations, undefined)
      expect(ran(await chosen.runMigrations())).to.deep.equal([
        'canada: AddVisits1700000000001',
        'canada: AddRooms1700000000003',
      ])
    } finally {
      Reflect.deleteProperty(process.env, shardVariable)
    }
  })

  it('throw what the migration threw on one shard, and tell where on several', async () => {
    const db = await open([Fails1700000000009], { default: 'all' })
    expect(await failureOf(() => db.shard('brazil').runMigrations())).to.be.instanceOf(RangeError)
    const error = await failureOf(() => db.runMigrations())
    expect(error).to.be.instanceOf(MigrationRunError)
    expect((error as Error).message).to.match(/- brazil: (failed in Fails|not begun|stopped)/)
    expect((error as Error).cause).to.be.instanceOf(RangeError)
  })

  it('refuse a transaction of its own in one for all, and keep to it where each has one', async () => {
    class Alone1700000000000 implements MigrationInterface {
      readonly transaction = false
      async up(runner: QueryRunner): Promise<void> {
        expect(runner.isTransactionActive).to.equal(false)
        await runner.query('CREATE TABLE visits (id INT)')
      }
      down = (): Promise<void> => Promise.resolve()
    }
    const db = await open([Alone1700000000000], { default: 'default' })
    expect(await failureOf(() => db.runMigrations())).to.be.instanceOf(
      ForbiddenTransactionModeOverrideError,
    )
    expect(await db.runMigrations({ transaction: 'each' })).to.have.length(1)
  })

  it('go by the transaction mode of the call, the configuration, the DataSource, in this order', async () => {
    const modes: boolean[] = []
    class Notes1700000000000 implements MigrationInterface {
      up = (runner: QueryRunner): Promise<void> =>
        Promise.resolve(void modes.push(runner.isTransactionActive))
      down = this.up
    }
    const none = { migrationsTransactionMode: 'none' }
    for (const [configured, options, call] of [
      [{}, {}, {}],
      [{}, none, {}],
      [{ transaction: 'each' }, none, {}],
      [{ transaction: 'each' }, {}, { transaction: 'none' }],
    ] as const) {
      const settings = { default: 'default', ...configured }
      const db = await open([Notes1700000000000], settings, { source: options })
      await db.runMigrations(call)
      await db.destroy()
    }
    expect(modes).to.deep.equal([true, false, true, false])
  })

  it('throw as TypeORM does before initialize()', async () => {
    const source = withMigrations([AddStays1700000000002])
    const db = wrap(source, fourShards)
    for (const call of ['runMigrations', 'undoLastMigration', 'showMigrations'] as const)
      expect(await failureOf(() => db[call]())).to.be.instanceOf(CannotExecuteNotConnectedError)
  })

  it('run once on the wrapped DataSource where octopus is disabled', async () => {
    const migrations = [AddStays1700000000002, AddRooms1700000000003]
    const db = await open(migrations, { default: 'all' }, { octopus: { enabled: false } })
    expect(await db.runMigrations()).to.have.length(2)
    const { shards } = await db.octopus.migrations.status()
    expect(shards.map(({ shard, state }) => [shard, state])).to.deep.equal([
      ['master', 'up to date'],
    ])
  })

  it('run at the start where the DataSource asks for it', async () => {
    const db = await open(
      [AddStays1700000000002],
      { default: 'americas' },
      { source: { migrationsRun: true } },
    )
    expect(await tablesOf(db)).to.deep.equal({
      master: [],
      brazil: ['migrations', 'stays'],
      canada: ['migrations', 'stays'],
      spain: [],
    })
  })
})

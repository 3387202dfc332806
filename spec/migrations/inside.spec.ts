import { expect } from 'chai'
import {
  Column,
  Entity,
  EventSubscriber,
  type EntitySubscriberInterface,
  type InsertEvent,
  type MigrationInterface,
  PrimaryGeneratedColumn,
  type QueryRunner,
} from 'typeorm'
import {
  type ConnectionProxy,
  CrossShardError,
  InvalidScopeError,
  type MigrationReport,
  UnknownShardError,
  octopusOf,
} from '../../lib/index.js'
import { failureOf, proxies } from '../typeorm/compat/support.js'
import { fourShards, withMigrations } from './embedded.js'
import { reportOf } from './stage.js'

@Entity()
class Guest {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

const inserted: string[] = []

@EventSubscriber()
class Inserts implements EntitySubscriberInterface {
  afterInsert({ dataSource, queryRunner }: InsertEvent<unknown>): void {
    inserted.push(queryRunner.dataSource === dataSource ? 'on its shard' : 'elsewhere')
  }
}

type Up = (runner: QueryRunner) => Promise<unknown>

describe('inside a migration', () => {
  const { wrap } = proxies()
  let db: ConnectionProxy

  /** Runs one migration on a shard; every shard has the table of guests. */
  const migrate = async (
    up: Up,
    shard = 'brazil',
    transaction?: false,
  ): Promise<MigrationReport> => {
    class Given1700000000000 implements MigrationInterface {
      // Only where it is given: TypeORM refuses it in one transaction for all.
      readonly transaction?: boolean
      constructor() {
        if (transaction !== undefined) this.transaction = transaction
      }
      async up(runner: QueryRunner): Promise<void> {
        await up(runner)
      }
      down = (): Promise<void> => Promise.resolve()
    }
    const source = withMigrations([Given1700000000000], {
      entities: [Guest],
      subscribers: [Inserts],
      synchronize: true,
    })
    db = wrap(source, fourShards) as ConnectionProxy
    await db.initialize()
    await db.usingAll(() => db.synchronize())
    return db.octopus.migrations.run({ shards: [shard], transaction: 'each' })
  }
  const guests = async (): Promise<Record<string, string[]>> => {
    const found = await db.usingAll(() => db.getRepository(Guest).find())
    return Object.fromEntries(
      found.map(({ shard, value }) => [shard, value.map(({ name }) => name)]),
    )
  }
  const nobody = { master: [], brazil: [], canada: [], spain: [] }
  const effectsOf = ({ shards }: MigrationReport): string[] =>
    shards[0]?.finished[0]?.effects.map(({ shard }) => shard) ?? []

  it('runners, managers and what is not managed work on the shard that is migrated', async () => {
    const homes: (string | undefined)[] = []
    inserted.length = 0
    const report = await migrate(async (runner) => {
      await runner.query(`INSERT INTO guest (name) VALUES ('by runner')`)
      await runner.manager.insert(Guest, { name: 'by manager' })
      const saved = await db.getRepository(Guest).save({ name: 'by repository' })
      homes.push(db.octopus.currentShard(), db.octopus.shardOf(saved))
    })
    expect(await guests()).to.deep.equal({
      ...nobody,
      brazil: ['by runner', 'by manager', 'by repository'],
    })
    expect(homes).to.deep.equal(['brazil', 'brazil'])
    expect(inserted).to.deep.equal(['on its shard', 'on its shard'])
    expect(effectsOf(report)).to.deep.equal(['brazil'])
  })

  it('octopusOf(queryRunner) gives runners of other shards, which the report tells', async () => {
    let other: QueryRunner | undefined
    const report = await migrate(async (runner) => {
      const shards = octopusOf(runner)
      expect(shards.shardName).to.equal('brazil')
      expect(shards.shard('brazil')).to.equal(runner)
      other = shards.shard('canada')
      expect(shards.shard('canada')).to.equal(other)
      await other.manager.insert(Guest, { name: 'Claire' })
      const [moved] = await other.manager.find(Guest)
      await runner.manager.insert(Guest, { name: moved?.name ?? '' })
      await other.query('DELETE FROM guest')
    })
    expect(await guests()).to.deep.equal({ ...nobody, brazil: ['Claire'] })
    expect(effectsOf(report)).to.have.members(['brazil', 'canada'])
    expect(report.shards[0]?.finished[0]?.effects).to.deep.include({
      shard: 'canada',
      statements: 3,
    })
  })

  it('a transaction on another shard is one of its own, and must be ended in the migration', async () => {
    const report = await reportOf(() =>
      migrate(async (runner) => {
        await runner.manager.insert(Guest, { name: 'Ana' })
        const canada = octopusOf(runner).shard('canada')
        const spain = octopusOf(runner).shard('spain')
        await canada.startTransaction()
        await canada.manager.insert(Guest, { name: 'Claire' })
        await canada.commitTransaction()
        await spain.startTransaction()
        await spain.manager.insert(Guest, { name: 'Sol' })
      }),
    )
    const failure = report.shards[0]?.failure
    expect(failure?.error).to.be.instanceOf(InvalidScopeError)
    expect(failure?.error.message).to.match(/left a transaction open on shard "spain"/)
    expect(failure?.leftBehind).to.deep.equal([{ shard: 'canada', statements: ['INSERT'] }])
    expect(await guests()).to.deep.equal({ ...nobody, canada: ['Claire'] })
  })

  for (const transaction of [undefined, false] as const)
    it(`a transaction that it leaves open fails it and is rolled back${transaction === false ? ', outside transactions too' : ''}`, async () => {
      const report = await reportOf(() =>
        migrate(
          async (runner) => {
            await runner.startTransaction()
            await runner.manager.insert(Guest, { name: 'lost' })
          },
          'brazil',
          transaction,
        ),
      )
      const [brazil] = report.shards
      expect(brazil?.failure?.error).to.be.instanceOf(InvalidScopeError)
      expect(brazil?.failure?.error.message).to.match(/Given1700000000000 left a transaction open/)
      expect(brazil?.left).to.deep.equal(['Given1700000000000'])
      expect(await guests()).to.deep.equal(nobody)
    })

  for (const end of ['commitTransaction', 'rollbackTransaction'] as const)
    it(`${end}() of the transaction that it runs in fails it, and it is not done`, async () => {
      const report = await reportOf(() =>
        migrate(async (runner) => {
          await runner.manager.insert(Guest, { name: 'Ana' })
          await runner[end]()
        }),
      )
      const [brazil] = report.shards
      expect(brazil?.failure?.error).to.be.instanceOf(InvalidScopeError)
      expect(brazil).to.deep.include({ finished: [], left: ['Given1700000000000'] })
      const isKept = end === 'commitTransaction'
      expect(brazil?.failure?.leftBehind).to.deep.equal(
        isKept ? [{ shard: 'brazil', statements: ['INSERT'] }] : [],
      )
      expect(await guests()).to.deep.equal({ ...nobody, brazil: isKept ? ['Ana'] : [] })
    })

  it('a failure in a transaction within the transaction undoes both', async () => {
    const report = await reportOf(() =>
      migrate(async (runner) => {
        await runner.manager.insert(Guest, { name: 'lost' })
        await runner.startTransaction()
        throw new RangeError('as it wants')
      }),
    )
    expect(report.shards[0]?.failure?.error).to.be.instanceOf(RangeError)
    expect(await guests()).to.deep.equal(nobody)
    // Nothing is open on the connection that SQLite's runners share.
    await db.shard('brazil').transaction((manager) => manager.insert(Guest, { name: 'Bia' }))
    expect(await guests()).to.deep.equal({ ...nobody, brazil: ['Bia'] })
  })

  it('each shard has an instance of its own, whatever it keeps', async () => {
    const kept: Record<string, number[]> = {}
    class Keeps1700000000000 implements MigrationInterface {
      static readonly migrateOn = { shard: 'all' }
      readonly #rows: number[] = []
      async up(runner: QueryRunner): Promise<void> {
        for (const each of [1, 2]) {
          this.#rows.push(each)
          await runner.query('SELECT 1')
        }
        kept[octopusOf(runner).shardName] = this.#rows
      }
      down = (): Promise<void> => Promise.resolve()
    }
    db = wrap(withMigrations([Keeps1700000000000]), fourShards) as ConnectionProxy
    await db.initialize()
    await db.octopus.migrations.run({ concurrency: 4 })
    const rows = [1, 2]
    expect(kept).to.deep.equal({ master: rows, brazil: rows, canada: rows, spain: rows })
  })

  it('using works for what is not managed, and the report tells', async () => {
    const report = await migrate(() =>
      db.using('canada', () => db.getRepository(Guest).save({ name: 'Claire' })),
    )
    expect(await guests()).to.deep.equal({ ...nobody, canada: ['Claire'] })
    expect(effectsOf(report)).to.deep.equal(['canada'])
  })

  for (const transaction of [undefined, false] as const)
    it(`the given runner throws in a scope of another shard${transaction === false ? ', outside transactions too' : ''}`, async () => {
      const report = await reportOf(() =>
        migrate(
          (runner) =>
            db.using('canada', () => runner.query(`INSERT INTO guest (name) VALUES ('lost')`)),
          'brazil',
          transaction,
        ),
      )
      const error = report.shards[0]?.failure?.error
      expect(error).to.be.instanceOf(CrossShardError)
      expect(error).to.have.deep.property('shards', ['brazil', 'canada'])
      expect(await guests()).to.deep.equal(nobody)
    })

  it('scopes that were there before, and those of the same shard, do not disturb the runner', async () => {
    const up: Up = (runner) =>
      db.using('brazil', () => runner.manager.insert(Guest, { name: 'Ana' }))
    // In a scope of spain, with options that name another shard.
    await migrate(() => Promise.resolve(), 'spain')
    const first = db
    await first.using('spain', () => migrate(up))
    expect(await guests()).to.deep.equal({ ...nobody, brazil: ['Ana'] })
  })

  it('octopusOf knows no shard that does not exist', async () => {
    const report = await reportOf(() =>
      migrate((runner) => Promise.resolve(octopusOf(runner).shard('peru'))),
    )
    expect(report.shards[0]?.failure?.error).to.be.instanceOf(UnknownShardError)
  })

  it('octopusOf takes the runner of a migration only, and only while that runs', async () => {
    let late: ReturnType<typeof octopusOf> | undefined
    let runner: QueryRunner | undefined
    await migrate((given) => {
      runner = given
      late = octopusOf(given)
      return Promise.resolve()
    })
    expect(await failureOf(() => late?.shard('canada'))).to.be.instanceOf(InvalidScopeError)
    expect(await failureOf(() => octopusOf(runner!))).to.be.instanceOf(InvalidScopeError)
    const plain = db.createQueryRunner()
    expect(await failureOf(() => octopusOf(plain))).to.be.instanceOf(InvalidScopeError)
    await plain.release()
  })
})

import { expect } from 'chai'
import { DataSource, type DataSourceOptions } from 'typeorm'
import {
  type ConnectionProxy,
  FanOutError,
  InvalidScopeError,
  PendingMigrationsError,
  ReadOnlyScopeError,
  type Seed,
  UnknownShardError,
  octopus,
} from '../../lib/index.js'
import { describeOnEachEngine } from '../support/three-shards.js'
import { Country, MakeLedger1700000000002, MakeTables1700000000000 } from './entities.js'
import { failureOf } from './support.js'

describeOnEachEngine('db.octopus.seed()', (shards) => {
  let db: ConnectionProxy

  before(async () => {
    const { connection, brazil, canada } = shards()
    const options = {
      ...connection,
      entities: [Country],
      migrations: [MakeTables1700000000000, MakeLedger1700000000002],
    } as DataSourceOptions
    db = octopus(new DataSource(options), {
      shards: { brazil, canada },
      groups: { americas: ['brazil', 'canada'] },
    })
    await db.initialize()
    await db.octopus.schema.sync({ dryRun: false })
  })

  after(async () => {
    expect(db.octopus.pools().reduce((sum, { active }) => sum + active, 0)).to.equal(0)
    await db.destroy()
  })

  const names = async (shard: string): Promise<string[]> =>
    (
      await db
        .shard(shard)
        .getRepository(Country)
        .find({ order: { id: 'ASC' } })
    ).map(({ name }) => name)

  const country: Seed = (manager, shard) => manager.insert(Country, { name: `${shard} 1` })

  it('runs nothing while migrations are pending, naming them by shard', async () => {
    await db.shard('brazil').runMigrations()
    const refused = await failureOf(() => db.octopus.seed(country, { groups: ['americas'] }))
    expect(refused).to.be.instanceOf(PendingMigrationsError)
    expect((refused as PendingMigrationsError).pending).to.deep.equal([
      { shard: 'canada', migrations: ['MakeTables1700000000000'] },
    ])
    expect(await names('brazil')).to.deep.equal([])
    await db.shard('canada').runMigrations()
  })

  it('runs on each shard that is named, in its scope and on its primary', async () => {
    const ambient: string[] = []
    const more: Seed = (manager, shard) => {
      ambient.push(db.octopus.currentShard())
      return manager.getRepository(Country).save({ name: `${shard} 2` })
    }
    const done = await db.octopus.seed([country, more], { groups: ['americas'] })
    expect(done).to.deep.equal([
      { shard: 'brazil', value: 2 },
      { shard: 'canada', value: 2 },
    ])
    expect(ambient).to.have.members(['brazil', 'canada'])
    expect(await names('brazil')).to.deep.equal(['brazil 1', 'brazil 2'])
    expect(await names('canada')).to.deep.equal(['canada 1', 'canada 2'])
    expect(await names('master')).to.deep.equal([])
  })

  it('undoes what a seed did that fails, and goes on with the other shards', async () => {
    const failing: Seed = async (manager, shard) => {
      await manager.insert(Country, { name: `${shard} 3` })
      if (shard === 'brazil') throw new Error('no more')
    }
    const failure = await failureOf(() =>
      db.octopus.seed(failing, { shards: ['canada', 'brazil'] }),
    )
    expect(failure).to.be.instanceOf(FanOutError)
    expect((failure as FanOutError).succeeded).to.deep.equal(['canada'])
    expect(await names('brazil')).to.deep.equal(['brazil 1', 'brazil 2'])
    expect(await names('canada')).to.deep.equal(['canada 1', 'canada 2', 'canada 3'])
  })

  it('goes past pending migrations where that is allowed, and to all shards where that is said', async () => {
    const done = await db.octopus.seed(() => undefined, { all: true, allowPending: true })
    expect(done.map(({ shard }) => shard)).to.deep.equal(['master', 'brazil', 'canada'])
  })

  it('refuses to guess the shards, names that it does not know, and a scope of replicas', async () => {
    const refused = async (work: () => Promise<unknown>) => failureOf(work)
    expect(await refused(() => db.octopus.seed(country))).to.be.instanceOf(InvalidScopeError)
    expect(
      await refused(() => db.octopus.seed(country, { all: true, shards: ['brazil'] })),
    ).to.be.instanceOf(InvalidScopeError)
    expect(await refused(() => db.octopus.seed(country, { shards: ['brasil'] }))).to.be.instanceOf(
      UnknownShardError,
    )
    expect(
      await refused(() => db.usingReplica(() => db.octopus.seed(country, { all: true }))),
    ).to.be.instanceOf(ReadOnlyScopeError)
  })
})

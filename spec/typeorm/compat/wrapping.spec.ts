import { expect } from 'chai'
import {
  BaseEntity,
  Column,
  DataSource,
  Entity,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm'
import {
  type ConnectionProxy,
  ConfigError,
  PoolClosedError,
  UnknownShardError,
  octopus,
} from '../../../lib/index.js'
import { Item, failureOf, itemsOf, memory, proxies, twoShards } from './support.js'

@Entity()
class Country extends BaseEntity {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @OneToMany(() => City, (city) => city.country, { lazy: true }) cities!: Promise<Relation<City>[]>
}

@Entity()
class City extends BaseEntity {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @ManyToOne(() => Country, (country) => country.cities, { lazy: true })
  country!: Promise<Relation<Country>> | Relation<Country>
}

const geography = (): DataSource =>
  new DataSource({ type: 'sqljs', entities: [Country, City], synchronize: true })

/** Saves a country of that name with one city on each shard, by the classes themselves. */
const populate = (db: { usingAll: ReturnType<typeof octopus>['usingAll'] }): Promise<unknown> =>
  db.usingAll(async (shard) => {
    const country = await Country.create({ name: shard }).save()
    await City.create({ name: `${shard} city`, country }).save()
  })

describe('wrapping before and after initialize()', () => {
  const { wrap, start } = proxies()

  for (const isLate of [false, true])
    it(`routes ${isLate ? 'an initialised' : 'a new'} DataSource: entity classes, lazy relations, repositories`, async () => {
      const source = geography()
      if (isLate) await source.initialize()
      const db = wrap(source, { shards: { brazil: {}, canada: {} } })
      if (!isLate) await db.initialize()
      await db.usingAll(() => db.synchronize())
      await populate(db)
      for (const shard of db.octopus.shardNames) {
        const { country, cities } = await db.using(shard, async () => ({
          country: await Country.findOneByOrFail({ id: 1 }),
          cities: db.getRepository(City),
        }))
        expect(country.name).to.equal(shard)
        expect(
          (await country.cities).map(({ name }) => name),
          'read outside the scope',
        ).to.deep.equal([`${shard} city`])
        const [city] = await db.using(shard, () => cities.find())
        expect((await city!.country).name, 'read outside the scope').to.equal(shard)
        const made = Object.assign(new Country(), { id: 1 })
        const found = await db.using(shard, () => made.cities)
        expect(
          found.map(({ name }) => name),
          'by the getter of the class',
        ).to.deep.equal([`${shard} city`])
      }
      expect((await Country.find()).map(({ name }) => name)).to.deep.equal(['master'])
    })

  it('never leaves out in silence the schema work that a shard asks for', async () => {
    const source = await memory().initialize()
    let db: ConnectionProxy
    try {
      db = wrap(source, { shards: { brazil: { synchronize: true } } })
    } catch (error) {
      expect(error).to.be.instanceOf(ConfigError)
      return
    }
    await db.using('brazil', () => db.getRepository(Item).save({ name: 'Ana' }))
    expect(await itemsOf(db)).to.deep.equal({ master: [], brazil: ['Ana'] })
  })

  it('leaves what was made before on the default shard', async () => {
    const source = await memory().initialize()
    const { manager } = source
    const items = source.getRepository(Item)
    const runner = source.createQueryRunner()
    const db = wrap(source, { shards: { brazil: {} } })
    await db.using('brazil', () => db.synchronize())
    await db.using('brazil', async () => {
      await items.save({ name: 'repository' })
      await manager.save(Item, { name: 'manager' })
      await runner.query(`INSERT INTO item (name) VALUES ('runner')`)
      await db.getRepository(Item).save({ name: 'proxy' })
    })
    expect(await itemsOf(db)).to.deep.equal({
      master: ['repository', 'manager', 'runner'],
      brazil: ['proxy'],
    })
  })

  it('refuses shards of another engine on an initialised DataSource, and leaves it as it was', async () => {
    const source = await memory().initialize()
    const { manager, relationLoader } = source
    const error = await failureOf(() =>
      octopus(source, { shards: { brazil: { type: 'mysql', host: 'br-1', database: 'app' } } }),
    )
    expect(error).to.be.instanceOf(ConfigError)
    expect(String(error)).to.match(/mysql.*before it is initialized/)
    expect([source.manager, source.relationLoader]).to.deep.equal([manager, relationLoader])
    const db = wrap(source, { shards: { brazil: {} } })
    await db.getRepository(Item).save({ name: 'still works' })
    expect(await db.getRepository(Item).count()).to.equal(1)
  })

  it('leaves the DataSource as it was when the package of a shard’s driver is missing', async () => {
    const source = memory()
    const { manager } = source
    const missing = {
      shards: { brazil: { type: 'better-sqlite3', database: ':memory:' } },
    } as const
    expect(await failureOf(() => octopus(source, missing))).to.have.property(
      'name',
      'DriverPackageNotInstalledError',
    )
    expect(source.manager).to.equal(manager)
    expect((await start({}, source)).isInitialized).to.equal(true)
  })
})

describe('the life of a wrapped DataSource', () => {
  const { wrap, start } = proxies()

  it('gives PoolClosedError before initialize() and after destroy()', async () => {
    const db = wrap(memory(), twoShards)
    const queries = [
      () => db.query('SELECT 1'),
      () => db.using('brazil', () => db.query('SELECT 1')),
      () => db.shard('brazil').query('SELECT 1'),
      () => db.transaction(() => Promise.resolve()),
      () => db.createQueryRunner().query('SELECT 1'),
    ]
    const expectClosed = async (): Promise<void> => {
      for (const query of queries)
        expect(await failureOf(query), String(query)).to.be.instanceOf(PoolClosedError)
      expect(db.octopus.pools().map(({ state }) => state)).not.to.include('open')
    }
    await expectClosed()
    await db.initialize()
    for (const query of queries) await query()
    await db.destroy()
    await expectClosed()
    expect(await failureOf(() => db.getRepository(Item).find())).to.be.instanceOf(PoolClosedError)
  })

  it('starts anew after destroy()', async () => {
    const db = await start(twoShards)
    await db.using('brazil', () => db.getRepository(Item).save({ name: 'first life' }))
    await db.destroy()
    expect(db.isInitialized).to.equal(false)
    expect(db.octopus.pools().map(({ state }) => state)).not.to.include('open')
    await db.initialize()
    await db.using('brazil', () => db.getRepository(Item).save({ name: 'second life' }))
    expect(await itemsOf(db)).to.deep.equal({ master: [], brazil: ['second life'], canada: [] })
  })

  it('refuses to start twice, and goes on', async () => {
    const db = await start(twoShards)
    await db.getRepository(Item).save({ name: 'kept' })
    expect(await failureOf(() => db.initialize())).to.have.property(
      'name',
      'CannotConnectAlreadyConnectedError',
    )
    expect(db.isInitialized).to.equal(true)
    expect(await db.getRepository(Item).count()).to.equal(1)
  })

  it('closes what it opened when the start fails after connecting', async () => {
    const nothing = (): Promise<void> => Promise.resolve()
    const failing = {
      connect: () => Promise.reject(new Error('no cache')),
      disconnect: nothing,
      synchronize: nothing,
      getFromCache: nothing,
      storeInCache: nothing,
      isExpired: () => true,
      clear: nothing,
      remove: nothing,
    }
    const db = wrap(memory({ cache: { provider: () => failing as never } }), twoShards)
    expect(await failureOf(() => db.initialize())).to.have.property('message', 'no cache')
    expect(db.isInitialized).to.equal(false)
    expect(db.octopus.pools().map(({ state }) => state)).not.to.include('open')
    expect(await failureOf(() => db.query('SELECT 1'))).to.be.instanceOf(PoolClosedError)
  })

  it('gives up the start when the schema work of a shard fails', async () => {
    class Broken1700000000000 {
      up = () => Promise.reject(new Error('broken migration'))
      down = () => Promise.resolve()
    }
    const db = wrap(memory({ migrations: [Broken1700000000000], logger: 'debug' }), {
      shards: { brazil: { migrationsRun: true } },
    })
    expect(await failureOf(() => db.initialize())).to.have.property('message', 'broken migration')
    expect(db.isInitialized).to.equal(false)
    expect(db.octopus.pools().map(({ state }) => state)).not.to.include('open')
  })

  it('ends once', async () => {
    const db = await start(twoShards)
    await db.destroy()
    const again = await failureOf(() => db.destroy())
    expect(again).to.have.property('name', 'CannotExecuteNotConnectedError')
  })

  it('starts in a scope as outside, and checks every name in it', async () => {
    const db = wrap(memory(), twoShards)
    await db.using('brazil', () => db.initialize())
    expect(Object.keys(await itemsOf(db))).to.deep.equal(['master', 'brazil', 'canada'])
    expect(await failureOf(() => db.using('peru', () => 0))).to.be.instanceOf(UnknownShardError)
    expect(await failureOf(() => db.shard('peru'))).to.be.instanceOf(UnknownShardError)
    await db.using('canada', () => db.destroy())
    expect(db.isInitialized).to.equal(false)
  })
})

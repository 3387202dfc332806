import { expect } from 'chai'
import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  JoinColumn,
  ManyToMany,
  JoinTable,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm'
import {
  ConfigError,
  type ConnectionProxy,
  CrossShardError,
  type OctopusOptions,
  Unsharded,
  UnknownShardError,
  octopus,
} from '../../lib/index.js'
import { describeOnEachEngine } from '../support/three-shards.js'

@Unsharded()
@Entity()
class Country {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @OneToMany('Purchase', 'country') purchases?: Relation<Purchase>[]
}

@Entity()
class Island extends Country {
  @Column({ default: 0 }) beaches!: number
}

/** Lives on canada, and on brazil where that is said. */
@Unsharded('canada', { allowShard: ['brazil'] })
@Entity()
class Rate {
  @PrimaryGeneratedColumn() id!: number
  @Column() value!: number
}

@Unsharded('canada', { strict: true })
@Entity()
class Secret {
  @PrimaryGeneratedColumn() id!: number
  @Column() value!: string
}

@Entity()
class Purchase {
  @PrimaryGeneratedColumn() id!: number
  @Column() total!: number
  @Column({ nullable: true }) countryId?: number
  @ManyToOne(() => Country, (country) => country.purchases, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'countryId' })
  country?: Relation<Country>
  @ManyToOne(() => Rate, { cascade: true, createForeignKeyConstraints: false })
  rate?: Relation<Rate>
  @ManyToMany(() => Country, { createForeignKeyConstraints: false })
  @JoinTable()
  visited?: Relation<Country>[]
}

@Entity()
class Plain {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

const entities = [Country, Island, Rate, Secret, Purchase, Plain]

const named = <E extends object>(entity: new () => E, fields: Partial<E>): E =>
  Object.assign(new entity(), fields)

describeOnEachEngine('an entity outside sharding', (shards) => {
  let db: ConnectionProxy

  const wrapped = async (options: OctopusOptions = {}): Promise<ConnectionProxy> => {
    const { connection, brazil, canada } = shards()
    const db = octopus(new DataSource({ ...connection, entities } as DataSourceOptions), {
      ...options,
      shards: { brazil, canada },
    })
    try {
      await db.initialize()
    } catch (error) {
      if (db.isInitialized) await db.destroy()
      throw error
    }
    return db
  }

  before(async () => {
    db = await wrapped()
    await db.usingAll(() => db.synchronize())
  })
  after(() => db.destroy())

  /** Where statements of `work` went, and why: `brazil unsharded`. */
  const routes = async (work: () => unknown): Promise<readonly string[]> => {
    const { events } = await db.octopus.withTrace(async () => void (await work()))
    return [...new Set(events.map(({ shard, shardReason }) => `${shard} ${shardReason}`))]
  }

  it('is read and written on its shard, whatever the scope or handle', async () => {
    const onBrazil = db.shard('brazil').getRepository(Country)
    const inBrazil = <R>(work: () => R): R => db.using('brazil', work)
    for (const work of [
      () => db.manager.find(Country),
      () => inBrazil(() => db.manager.count(Country)),
      () => inBrazil(() => db.manager.save(named(Country, { name: 'Peru' }))),
      () => inBrazil(() => db.manager.insert(Country, { name: 'Chile' })),
      () => inBrazil(() => db.manager.update(Country, { id: 1 }, { name: 'Perú' })),
      () => inBrazil(() => db.createQueryBuilder(Country, 'c').getMany()),
      () => inBrazil(() => db.createQueryBuilder().delete().from(Country).execute()),
      () => inBrazil(() => db.manager.clear(Country)),
      () => onBrazil.find(),
      () => onBrazil.save({ name: 'Peru' }),
      () => onBrazil.createQueryBuilder('c').getCount(),
    ])
      expect(await routes(work), String(work)).to.deep.equal(['master unsharded'])
  })

  it('passes it on to the classes that extend it', async () => {
    expect(await routes(() => db.using('brazil', () => db.manager.find(Island)))).to.deep.equal([
      'master unsharded',
    ])
  })

  it('goes where it runs when its builder was made elsewhere', async () => {
    const query = db.createQueryBuilder(Rate, 'rate')
    expect(await routes(() => query.getMany())).to.deep.equal(['canada unsharded'])
    expect(await routes(() => db.using('brazil', () => query.getMany()))).to.deep.equal([
      'brazil scope',
    ])
    expect(await routes(() => query.getMany())).to.deep.equal(['canada unsharded'])
  })

  it('follows a scope or handle that names a shard it is allowed on', async () => {
    expect(await routes(() => db.using('brazil', () => db.manager.find(Rate)))).to.deep.equal([
      'brazil scope',
    ])
    expect(await routes(() => db.shard('brazil').manager.find(Rate))).to.deep.equal([
      'brazil handle',
    ])
    expect(await routes(() => db.using('master', () => db.manager.find(Rate)))).to.deep.equal([
      'canada unsharded',
    ])
  })

  it('is saved where it came from, if that is one of its shards', async () => {
    const rate = await db.using('brazil', () => db.manager.save(named(Rate, { value: 1 })))
    rate.value = 2
    expect(await routes(() => db.manager.save(rate))).to.deep.equal(['brazil home'])
    expect(await routes(() => db.manager.save(named(Rate, { value: 3 })))).to.deep.equal([
      'canada unsharded',
    ])
  })

  it('leaves other entities in the scope where they belong', async () => {
    await db.using('brazil', async () => {
      expect(await routes(() => db.manager.find(Country))).to.deep.equal(['master unsharded'])
      expect(await routes(() => db.manager.find(Plain))).to.deep.equal(['brazil scope'])
    })
  })

  it('follows a transaction, which has one connection', async () => {
    const work = (): Promise<unknown> =>
      db.shard('brazil').transaction((manager) => manager.find(Country))
    expect(await routes(work)).to.deep.equal(['brazil handle'])
  })

  describe('when strict', () => {
    const refused = async (work: () => Promise<unknown>): Promise<void> => {
      const { value, events } = await db.octopus.withTrace(() => work().catch((error) => error))
      expect(events.filter(({ entity }) => entity === 'Secret')).to.deep.equal([])
      expect(value).to.be.instanceOf(CrossShardError)
      expect(value).to.have.property('message').that.includes('Secret').and.includes('"canada"')
    }

    it('refuses a scope, handle or transaction of another shard', async () => {
      await refused(() => db.using('brazil', () => db.manager.find(Secret)))
      await refused(() => db.using('brazil', () => db.manager.save(named(Secret, { value: 'x' }))))
      await refused(() => db.using('brazil', () => db.manager.clear(Secret)))
      await refused(() => db.shard('brazil').manager.count(Secret))
      await refused(() => db.transaction((manager) => manager.find(Secret)))
    })

    it('works outside every scope, and where its own shard is named', async () => {
      expect(await routes(() => db.manager.find(Secret))).to.deep.equal(['canada unsharded'])
      expect(await routes(() => db.using('canada', () => db.manager.find(Secret)))).to.deep.equal([
        'canada unsharded',
      ])
    })
  })

  describe('beside a sharded one', () => {
    const country = (): Promise<Country> => db.manager.save(named(Country, { name: 'Peru' }))
    const refused = async (work: () => Promise<unknown>): Promise<CrossShardError> => {
      const { value, events } = await db.octopus.withTrace(() => work().catch((error) => error))
      expect(events.map(({ statement }) => statement)).to.deep.equal([])
      expect(value).to.be.instanceOf(CrossShardError)
      return value as CrossShardError
    }

    it('may be named by its id, as a value or as the entity itself', async () => {
      const peru = await country()
      await db.using('brazil', async () => {
        const byId = await db.manager.save(named(Purchase, { total: 1, countryId: peru.id }))
        const byEntity = await db.manager.save(named(Purchase, { total: 2, country: peru }))
        expect(db.octopus.shardOf(byEntity)).to.equal('brazil')
        const found = await db.manager.findBy(Purchase, { countryId: peru.id })
        expect(found.map(({ total }) => total)).to.deep.equal([byId.total, byEntity.total])
        const owner = await db.manager.findOneOrFail(Purchase, {
          where: { id: byId.id },
          loadRelationIds: { relations: ['country'] },
        })
        expect(owner.country).to.equal(peru.id)
        await db.createQueryBuilder().relation(Purchase, 'country').of(byId).set(peru)
      })
      expect(await db.manager.countBy(Purchase, { countryId: peru.id })).to.equal(0)
      // TypeORM joins the relation here.
      await refused(() => db.manager.countBy(Purchase, { country: peru }))
    })

    it('is not joined with it, on any shard', async () => {
      const joined = (): Promise<unknown> =>
        db.manager.find(Purchase, { relations: { country: true } })
      const error = await refused(joined)
      expect(error.message)
        .to.include('Purchase, which is sharded')
        .and.include('Country, which lives on shard "master"')
        .and.include('by its id')
      await refused(() => db.using('brazil', joined))
      await refused(() => db.manager.find(Country, { relations: { purchases: true } }))
      await refused(() =>
        db.createQueryBuilder(Purchase, 'p').innerJoin('p.country', 'c').getMany(),
      )
      await refused(() =>
        db.manager.find(Country, { loadRelationIds: { relations: ['purchases'] } }),
      )
    })

    it('is not put into a subquery of the other, nor the other way round', async () => {
      await refused(async () =>
        db
          .createQueryBuilder(Purchase, 'p')
          .where((query) => {
            const found = query.subQuery().select('c.id').from(Country, 'c').getQuery()
            return `p.countryId IN ${found}`
          })
          .getMany(),
      )
    })

    it('may be joined where a scope of its allowShard makes it a sharded one', async () => {
      const joined = (): Promise<unknown> =>
        db.manager.find(Purchase, { relations: { rate: true } })
      expect(await routes(() => db.using('brazil', joined))).to.deep.equal(['brazil scope'])
      await refused(() => db.using('canada', joined))
    })

    it('is not written together with it', async () => {
      const rate = await db.manager.save(named(Rate, { value: 1 }))
      const peru = await country()
      const purchase = await db.using('brazil', () =>
        db.manager.save(named(Purchase, { total: 1 })),
      )
      await refused(() => db.manager.save(named(Purchase, { total: 2, rate })))
      await refused(() => db.manager.save(named(Country, { name: 'X', purchases: [purchase] })))
      await refused(() => db.manager.save([peru, purchase]))
      await refused(() => db.manager.save(named(Purchase, { total: 3, visited: [peru] })))
      await refused(() =>
        db.createQueryBuilder().relation(Country, 'purchases').of(peru).add(purchase),
      )
    })
  })

  it('can be listed in the configuration, by name, class or with settings', async () => {
    const other = await wrapped({
      unsharded: ['Plain', { entity: Purchase, shard: 'brazil', allowShard: ['canada'] }],
      strict: true,
    })
    try {
      await other.usingAll(() => other.synchronize())
      const { events } = await other.octopus.withTrace(async () => {
        await other.manager.find(Plain)
        await other.using('canada', () => other.manager.find(Purchase))
        await other.manager.find(Purchase)
      })
      expect(events.map(({ shard, shardReason }) => `${shard} ${shardReason}`)).to.deep.equal([
        'master unsharded',
        'canada scope',
        'brazil unsharded',
      ])
      const error: unknown = await other
        .using('canada', () => other.manager.find(Plain))
        .catch((reason: unknown) => reason)
      expect(error).to.be.instanceOf(CrossShardError)
    } finally {
      await other.destroy()
    }
  })

  it('must be an entity, on a shard that exists', async () => {
    const failure = (options: OctopusOptions): Promise<unknown> =>
      wrapped(options).then(
        () => undefined,
        (error: unknown) => error,
      )
    expect(await failure({ unsharded: ['Nobody'] }))
      .to.be.instanceOf(ConfigError)
      .with.property('message')
      .that.includes('"Nobody"')
    expect(await failure({ unsharded: [{ entity: 'Plain', shard: 'brasil' }] }))
      .to.be.instanceOf(ConfigError)
      .with.property('message')
      .that.includes('unknown shard "brasil"')

    @Unsharded('atlantis')
    @Entity()
    class Myth {
      @PrimaryGeneratedColumn() id!: number
    }
    const lost = octopus(new DataSource({ type: 'sqljs', entities: [Myth] }))
    const error: unknown = await lost.initialize().catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(UnknownShardError)
    expect(error).to.have.property('message').that.includes('Myth')
  })
})

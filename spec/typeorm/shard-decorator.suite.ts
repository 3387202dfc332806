import { expect } from 'chai'
import {
  BaseEntity,
  Column,
  DataSource,
  Entity,
  EntitySchema,
  PrimaryColumn,
  Repository,
} from 'typeorm'
import {
  type ConnectionProxy,
  InvalidDecoratorError,
  NoDataSourceError,
  Shard,
  UnknownShardError,
  octopus,
} from '../../lib/index.js'

@Entity()
class User extends BaseEntity {
  @PrimaryColumn() id!: number
  /** The shard that the row is on. */
  @Column() shard!: string
}

@Shard('canada')
@Entity()
class Pet extends BaseEntity {
  @PrimaryColumn() id!: number
  @Column() shard!: string
}

interface City {
  id: number
  shard: string
}
const City = new EntitySchema<City>({
  name: 'City',
  columns: { id: { type: Number, primary: true }, shard: { type: String } },
})

const shardNames = ['master', 'brazil', 'canada']

/** A wrapped data source whose shards each have a row that names them. */
const open = async (
  entities: readonly (typeof User | typeof Pet | typeof City)[],
): Promise<ConnectionProxy> => {
  const source = new DataSource({ type: 'sqljs', entities: [...entities] })
  const db = octopus(source, { shards: { brazil: {}, canada: {} } })
  await db.initialize()
  await db.usingAll(async (shard) => {
    await db.synchronize()
    for (const entity of entities) await db.manager.insert(entity, { id: 1, shard })
  })
  return db
}

// Run by `shard-decorator.spec.ts` in a process of its own: there is one wrapped data source.
describe('@Shard', () => {
  let db: ConnectionProxy
  before(async () => {
    db = await open([User, Pet, City])
  })
  after(() => db.destroy())

  const where = async (): Promise<string> => (await User.findOneByOrFail({ id: 1 })).shard

  describe('on a class', () => {
    @Shard('brazil')
    class BrazilUsers extends Repository<User> {
      async own(): Promise<string> {
        return (await this.findOneByOrFail({ id: 1 })).shard
      }
      builder() {
        return this.createQueryBuilder('user')
      }
    }

    @Shard('canada')
    class Service {
      static where(): Promise<string> {
        return where()
      }
      current(): string {
        return db.octopus.currentShard()
      }
      async later(): Promise<string> {
        await Promise.resolve()
        return this.current()
      }
      @Shard('brazil')
      elsewhere(): string {
        return db.octopus.currentShard()
      }
      [Symbol.toPrimitive](): string {
        return db.octopus.currentShard()
      }
      field = (): string => db.octopus.currentShard()
      get accessor(): string {
        return db.octopus.currentShard()
      }
    }

    it('runs the own and the inherited methods of a repository on the shard', async () => {
      const users = new BrazilUsers(User, db.manager)
      expect(await users.own()).to.equal('brazil')
      expect((await users.findOneByOrFail({ id: 1 })).shard).to.equal('brazil')
      expect(await users.countBy({ shard: 'brazil' })).to.equal(1)
      const user = await users.save({ id: 2, shard: 'brazil' })
      expect(db.octopus.shardOf(user)).to.equal('brazil')
      expect(await db.getRepository(User).existsBy({ id: 2 })).to.equal(false)
      await users.delete(2)
    })

    it('binds a builder of such a repository to the shard, wherever it runs', async () => {
      const builder = new BrazilUsers(User, db.manager).builder()
      const user = await db.using('canada', () => builder.getOneOrFail())
      expect(user.shard).to.equal('brazil')
    })

    it('leaves a repository what it is', () => {
      const users = new BrazilUsers(User, db.manager)
      expect(users).to.be.instanceOf(Repository)
      expect([users.target, BrazilUsers.name]).to.deep.equal([User, 'BrazilUsers'])
      expect([users.own.name, users.findBy.length]).to.deep.equal(['own', 1])
      expect(Object.hasOwn(Repository.prototype, 'own')).to.equal(false)
      expect(db.getRepository(User).constructor).to.equal(Repository)
    })

    it('runs methods, static ones too, of any class on the shard', async () => {
      const service = new Service()
      expect(service.current()).to.equal('canada')
      expect(await service.later()).to.equal('canada')
      expect(await Service.where()).to.equal('canada')
      expect(service[Symbol.toPrimitive]()).to.equal('canada')
    })

    it('replaces that of the class it extends, also on inherited methods', async () => {
      @Shard('canada')
      class CanadaUsers extends BrazilUsers {}
      const users = new CanadaUsers(User, db.manager)
      expect(await users.own()).to.equal('canada')
      expect((await users.findOneByOrFail({ id: 1 })).shard).to.equal('canada')
      expect(await new BrazilUsers(User, db.manager).own()).to.equal('brazil')
    })

    it('gives way to a nearer @Shard, and to a scope inside', () => {
      const service = new Service()
      expect(service.elsewhere()).to.equal('brazil')
      expect(db.using('brazil', () => service.current())).to.equal('canada')
    })

    it('reaches neither functions in fields nor accessors', () => {
      const service = new Service()
      expect([service.field(), service.accessor]).to.deep.equal(['master', 'master'])
    })
  })

  describe('on a method', () => {
    class Orders {
      constructor(readonly prefix: string) {}

      @Shard((country: string) => country)
      byCountry(country: string, ..._rest: unknown[]): string {
        return `${this.prefix} ${country} ${db.octopus.currentShard()}`
      }

      @Shard(function (this: Orders) {
        return this.prefix
      })
      byField(): string {
        return db.octopus.currentShard()
      }

      @Shard('canada')
      static where(): Promise<string> {
        return where()
      }

      @Shard((async () => 'brazil') as never)
      promised(): string {
        return 'never'
      }

      @Shard((() => undefined) as never)
      nowhere(): string {
        return 'never'
      }
    }

    it('takes the shard from the arguments or the object of each call', async () => {
      const orders = new Orders('brazil')
      expect(orders.byCountry('canada')).to.equal('brazil canada canada')
      expect(orders.byCountry('brazil', 1)).to.equal('brazil brazil brazil')
      expect(orders.byField()).to.equal('brazil')
      expect(await Orders.where()).to.equal('canada')
    })

    it('throws at the call for a shard that does not exist', () => {
      expect(() => new Orders('x').byCountry('denmark')).to.throw(
        UnknownShardError,
        'Unknown shard "denmark"; configured shards: master, brazil, canada.',
      )
    })

    it('throws for a promise, and for what is no name', () => {
      expect(() => new Orders('x').promised()).to.throw(InvalidDecoratorError, 'a promise')
      expect(() => new Orders('x').nowhere()).to.throw(InvalidDecoratorError, 'undefined')
    })
  })

  describe('as a standard decorator', () => {
    const context = <K extends string>(kind: K, name: string) => ({ kind, name }) as never

    it('decorates a class', () => {
      class Service {
        current(): string {
          return db.octopus.currentShard()
        }
      }
      expect(Shard('brazil')(Service, context('class', 'Service'))).to.equal(undefined)
      expect(new Service().current()).to.equal('brazil')
    })

    it('decorates a method by returning another', () => {
      const current = function (this: unknown, _shard: string): string {
        return db.octopus.currentShard()
      }
      const decorated = Shard((shard: string) => shard)(
        current as never,
        context('method', 'current'),
      ) as unknown as typeof current
      expect(decorated.call({}, 'canada')).to.equal('canada')
      expect([decorated.name, decorated.length]).to.deep.equal(['current', 1])
    })

    for (const kind of ['field', 'getter', 'setter', 'accessor'])
      it(`refuses a ${kind}`, () => {
        expect(() => Shard('brazil')(undefined as never, context(kind, 'x'))).to.throw(
          InvalidDecoratorError,
          `@Shard stands on a ${kind}; it goes on a class or a method.`,
        )
      })
  })

  it('refuses a property and an accessor as a legacy decorator', () => {
    const decorate = Shard('brazil') as (...args: unknown[]) => unknown
    expect(() => decorate({}, 'name')).to.throw(InvalidDecoratorError, '@Shard on name')
    const accessor = { get: () => 1, configurable: true }
    expect(() => decorate({}, 'name', accessor)).to.throw(InvalidDecoratorError, 'accessor')
  })

  describe('beside the other ways to name a shard', () => {
    it('scopes move what repository.extend() made', async () => {
      const users = db.getRepository(User).extend({
        async first(): Promise<string> {
          return (await this.findOneByOrFail({ id: 1 })).shard
        },
      })
      for (const shard of shardNames)
        expect(await db.using(shard, () => users.first())).to.equal(shard)
    })

    it('scopes move the statics and the methods of BaseEntity', async () => {
      for (const shard of shardNames) {
        expect(await db.using(shard, where)).to.equal(shard)
        const user = await db.using(shard, async () => {
          const created = User.create({ id: 9, shard })
          return created.save()
        })
        expect(db.octopus.shardOf(user)).to.equal(shard)
        await user.remove()
        expect(await db.using(shard, () => User.countBy({ id: 9 }))).to.equal(0)
      }
    })

    it('scopes move entities that a schema describes', async () => {
      for (const shard of shardNames) {
        const city = await db.using(shard, () => db.getRepository(City).findOneByOrFail({ id: 1 }))
        expect([city.shard, db.octopus.shardOf(city)]).to.deep.equal([shard, shard])
      }
    })
  })

  it('asks the data source of an entity class where there are several', async () => {
    const other = await open([City])
    try {
      expect((await Pet.findOneByOrFail({ id: 1 })).shard).to.equal('canada')
    } finally {
      await other.destroy()
    }
  })

  it('asks the data source of a repository where there are several', async () => {
    @Shard('brazil')
    class BrazilCities extends Repository<City> {}
    class Plain {
      @Shard('brazil')
      where(): number {
        return 1
      }
    }
    const other = await open([City])
    try {
      const cities = new BrazilCities(City, other.manager)
      expect((await cities.findOneByOrFail({ id: 1 })).shard).to.equal('brazil')
      expect(() => new Plain().where()).to.throw(NoDataSourceError, '@Shard found 2')
    } finally {
      await other.destroy()
    }
  })
})

// Repositories and services that know their shard. Each shard is an SQLite database in memory.
import {
  Column,
  DataSource,
  Entity,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
  Repository,
} from 'typeorm'
// In a project of your own:  from 'typeorm-octopus'
import { Shard, octopus, using } from '../../lib/index.js'

const shards = { BR: 'brazil', CA: 'canada' } as const
type Country = keyof typeof shards

@Entity()
class User {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) name!: string
  @Column({ type: String }) country!: Country
  @OneToMany(() => Order, (order) => order.user, { cascade: ['insert'] })
  orders!: Relation<Order>[]
}

@Entity()
class Order {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) item!: string
  // Relation<> instead of a bare User: ES modules could not load two entities that name each other.
  @ManyToOne(() => User, (user) => user.orders)
  user!: Relation<User>
}

const db = octopus(new DataSource({ type: 'sqljs', entities: [User, Order] }), {
  shards: { brazil: {}, canada: {} },
})

// 1. On a repository: every method runs on brazil, those of TypeORM's Repository too.
@Shard('brazil')
class BrazilUsers extends Repository<User> {
  named(name: string): Promise<User | null> {
    return this.findOne({ where: { name }, relations: { orders: true } })
  }
}

// 2. On a method of any class: the function names the shard, at once, from the call's arguments.
class Customers {
  readonly #users = db.getRepository(User)

  @Shard((country: Country) => shards[country])
  add(country: Country, name: string, ...items: string[]): Promise<User> {
    return this.#users.save({ name, country, orders: items.map((item) => ({ item })) })
  }

  @Shard((country: Country) => shards[country])
  count(country: Country): Promise<number> {
    return this.#users.countBy({ country })
  }
}

await db.initialize()
await db.usingAll(() => db.synchronize())

const customers = new Customers()
const ana = await customers.add('BR', 'Ana', 'coffee', 'honey')
await customers.add('BR', 'Bruno')
await customers.add('CA', 'Claire', 'maple syrup')
console.log(
  `brazil has ${await customers.count('BR')} users, canada ${await customers.count('CA')}`,
)
console.log(`Ana is at home on ${db.octopus.shardOf(ana)}`)

const brazilUsers = new BrazilUsers(User, db.manager)
console.log(`BrazilUsers counts ${await brazilUsers.count()}, without a scope`)
const found = await brazilUsers.named('Ana')
console.log(`BrazilUsers.named('Ana') has ${found?.orders.map(({ item }) => item).join(' and ')}`)

// 3. TypeORM's own extend() needs nothing: such a repository goes where it is called …
const users = db.getRepository(User).extend({
  names(this: Repository<User>): Promise<string[]> {
    return this.find({ order: { name: 'ASC' } }).then((found) => found.map(({ name }) => name))
  },
})
console.log(`in a scope: ${(await using('canada', () => users.names())).join(', ')}`)

// … stays where it is bound …
const canadians = db.shard('canada').getRepository(User).extend({})
console.log(`on a handle: ${await canadians.count()}`)

// … and joins a transaction with withRepository(), on the transaction's shard and connection.
const renamed = await db.shard('brazil').transaction(async (manager) => {
  await manager.update(User, { name: 'Bruno' }, { name: 'Bento' })
  return manager.withRepository(users).names()
})
console.log(`in a transaction on brazil: ${renamed.join(', ')}`)

await db.destroy()

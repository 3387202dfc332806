// Shards that drift apart, and one more shard. In memory, with sql.js.
import {
  Column,
  DataSource,
  Entity,
  Index,
  type MigrationInterface,
  PrimaryGeneratedColumn,
  type QueryRunner,
} from 'typeorm'
// In a project of your own:  from 'typeorm-octopus'
import { SchemaDropsError, octopus } from '../../lib/index.js'

@Entity()
class Product {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) @Index('product_by_name') name!: string
}

class MakeProducts1700000000000 implements MigrationInterface {
  readonly name = 'MakeProducts1700000000000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE TABLE product (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, name varchar NOT NULL)',
    )
    await runner.query('CREATE INDEX product_by_name ON product (name)')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE product')
  }
}

const db = octopus(
  new DataSource({
    type: 'sqljs',
    entities: [Product],
    migrations: [MakeProducts1700000000000],
  }),
  {
    defaultShard: 'brazil',
    shards: { canada: {}, chile: {} },
    groups: { americas: ['brazil', 'canada', 'chile'] },
  },
)

const print = (line: string): void => console.log(`   ${line}`)
const step = (title: string): void => console.log(`\n${title}`)

await db.initialize()
await db.usingAll(() => db.runMigrations())

step('1. Somebody works on canada by hand. What is different there?')
await db.shard('canada').query('DROP INDEX product_by_name')
await db.shard('canada').query('ALTER TABLE product ADD COLUMN price int')
const drift = await db.octopus.schema.diff()
for (const each of drift.shards) {
  print(`${each.shard}: ${each.status}`)
  if (each.status === 'different') for (const { text } of each.differences) print(`  ${text}`)
}

step('2. What would make canada as the entities say? Nothing that drops something is run.')
const asked = await db.octopus.schema
  .sync({ dryRun: false, shards: ['canada'] })
  .catch((error: unknown) => error)
if (asked instanceof SchemaDropsError)
  for (const { shard, statements } of asked.drops)
    for (const sql of statements) print(`refused on ${shard}: ${sql}`)

step('3. It is repaired. Nothing is different any more.')
await db.shard('canada').query('ALTER TABLE product DROP COLUMN price')
await db.shard('canada').query('CREATE INDEX product_by_name ON product (name)')
print(`same: ${(await db.octopus.schema.diff()).isSame}`)

step('4. A new shard, made by its migrations, and one that is a copy.')
for (const [name, via] of [
  ['peru', 'migrations'],
  ['bolivia', 'copy'],
] as const) {
  await db.octopus.addShard(name, {}, { groups: ['americas'] })
  const { reference, tables } = await db.octopus.schema.bootstrap(name, { via })
  print(`${name}: ${tables.join(', ')}, as ${reference}`)
}

step('5. Each of the new ones gets its first rows.')
const seeded = await db.octopus.seed(
  (manager, shard) => manager.insert(Product, { name: `Coffee of ${shard}` }),
  { shards: ['peru', 'bolivia'] },
)
for (const { shard } of seeded) {
  const [product] = await db.shard(shard).getRepository(Product).find()
  print(`${shard}: ${product?.name}`)
}

await db.destroy()

// Migrations across shards: say where each runs, look at the plan, run, go on after a failure.
import { AbstractLogger, DataSource, type MigrationInterface, type QueryRunner } from 'typeorm'
// In a project of your own:  from 'typeorm-octopus'
import {
  type MigrationReport,
  MigrateOn,
  MigrationRunError,
  octopus,
  octopusOf,
} from '../../lib/index.js'

/** Says nothing where it runs: on the shards of migrations.default. */
class AddCustomers1700000000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE TABLE customers (name VARCHAR(20), country VARCHAR(20))')
    // The application has kept all of them in one place so far.
    if (octopusOf(queryRunner).shardName === 'brazil')
      await queryRunner.query("INSERT INTO customers VALUES ('Ana', 'brazil'), ('Zoe', 'canada')")
  }
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE customers')
  }
}

@MigrateOn({ groups: ['americas'] })
class AddOrders1700000000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE TABLE orders (id INT)')
    await queryRunner.query('CREATE TABLE items (id INT)')
  }
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE items')
    await queryRunner.query('DROP TABLE orders')
  }
}

/** Moves the customers of Canada to their own shard. */
@MigrateOn({ shards: ['brazil'] })
class MoveCanadians1700000000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const canada = octopusOf(queryRunner).shard('canada')
    const found: { name: string }[] = await queryRunner.query(
      "SELECT name FROM customers WHERE country = 'canada'",
    )
    // Each shard commits for itself: first there, then here, so that a failure loses nobody.
    await canada.startTransaction()
    for (const { name } of found)
      await canada.query('INSERT INTO customers VALUES (?, ?)', [name, 'canada'])
    await canada.commitTransaction()
    await queryRunner.query("DELETE FROM customers WHERE country = 'canada'")
  }
  down = (): Promise<void> => Promise.resolve()
}

/** TypeORM's own log would tell of the failure below. */
class NoLog extends AbstractLogger {
  protected writeLog(): void {}
}

const source = new DataSource({
  type: 'sqljs',
  migrations: [AddCustomers1700000000001, AddOrders1700000000002, MoveCanadians1700000000003],
  logger: new NoLog(),
})
const db = octopus(source, {
  shards: { canada: {}, brazil: {}, spain: {} },
  groups: { americas: ['canada', 'brazil'] },
  // One after the other in this order, since brazil needs the table on canada.
  migrations: { default: 'all', transaction: 'each', concurrency: 1 },
})
await db.initialize()
const { migrations } = db.octopus

const show = ({ shards }: MigrationReport): void => {
  for (const { shard, outcome, finished, left } of shards)
    console.log(`${shard}: ${outcome}, ${finished.length} done, ${left?.length ?? 'unknown'} left`)
}

console.log('1. The plan: every migration on every shard. Nothing is changed.')
const plan = await migrations.plan()
for (const { migration, shards } of plan.migrations) console.log(migration, '→', shards.join(', '))
console.log(`${plan.pending} pending`)

console.log('\n2. A first shard alone, then the others if it went well.')
// Something is in the way on canada.
await db.using('canada', () => db.query('CREATE TABLE items (id INT)'))
try {
  await migrations.run({
    first: 'spain',
    confirm: ({ shard, outcome }) => {
      console.log(`${shard} is ${outcome}: go on`)
      return true
    },
    onError: 'continue',
    onEvent: (event) => {
      if (event.type === 'migration-failed') console.log(`${event.shard}: ${event.error.message}`)
    },
  })
} catch (error) {
  if (!(error instanceof MigrationRunError)) throw error
  show(error.report)
}

console.log('\n3. A second run goes on from there.')
await db.using('canada', () => db.query('DROP TABLE items'))
show(await migrations.run())

console.log('\n4. What was moved.')
const names = (): Promise<{ name: string }[]> => db.query('SELECT name FROM customers')
for (const { shard, value } of await db.usingGroup('americas', names))
  console.log(`${shard}: ${value.map(({ name }) => name).join(', ')}`)

console.log(
  '\n5. The last one is reverted where it was done, and TypeORM’s own call runs it again.',
)
show(await migrations.revert())
const ran = await db.runMigrations()
console.log(ran.map(({ name }) => name).join(', '))

console.log('\n6. A line for each shard.')
for (const { shard, state, done, last } of (await migrations.status()).shards)
  console.log(`${shard}: ${state}, ${done} done, the last ${last}`)
await db.destroy()

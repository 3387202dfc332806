import 'reflect-metadata'
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm'
import { octopus } from '../../lib/index.js'
import { answer } from '../support/child.js'

/** What migrations over embedded shards cost. */
export interface MigrationCost {
  readonly planMs: number
  readonly runMs: number
  /** A run with nothing to do. */
  readonly againMs: number
  /** Statements of a run that were sent to one shard. */
  readonly runStatements: number
  readonly planStatements: number
  /** What the process came to at most, above what it had before the plan. */
  readonly peakBytes: number
}

const [shardCount = 0, migrationCount = 0] = process.argv.slice(2).map(Number)

const migrations = Array.from({ length: migrationCount }, (_, index) => {
  const name = `AddTable${1_700_000_000_000 + index}`
  return class implements MigrationInterface {
    readonly name = name
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(`CREATE TABLE t${index} (id INT PRIMARY KEY, name VARCHAR(20))`)
    }
    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`DROP TABLE t${index}`)
    }
  }
})

const source = new DataSource({ type: 'sqljs', migrations })
const others = Array.from({ length: shardCount - 1 }, (_, index) => [`shard${index}`, {}])
const db = octopus(source, {
  shards: Object.fromEntries(others),
  migrations: { default: 'all' },
})
await db.initialize()
// The databases themselves are sql.js's own cost.
await db.usingAll(() => db.query('SELECT 1'))

let statements = 0
db.octopus.onRoute(() => (statements += 1), { internal: true })

let peak = 0
const { gc } = globalThis
if (gc === undefined) throw new Error('Run this with --expose-gc')
gc()
const before = process.memoryUsage().rss
const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5)

const measured = async (work: () => Promise<unknown>): Promise<[ms: number, sent: number]> => {
  statements = 0
  const started = performance.now()
  await work()
  peak = Math.max(peak, process.memoryUsage().rss)
  return [performance.now() - started, statements]
}

const control = db.octopus.migrations
const [planMs, planned] = await measured(() => control.plan())
const [runMs, ran] = await measured(() => control.run())
const [againMs] = await measured(() => control.run())
clearInterval(watch)
await db.destroy()
const cost: MigrationCost = {
  planMs,
  runMs,
  againMs,
  runStatements: ran / shardCount,
  planStatements: planned / shardCount,
  peakBytes: peak - before,
}
answer(cost)

import { expect } from 'chai'
import type { MigrationInterface, QueryRunner } from 'typeorm'
import type { ConnectionProxy } from '../../lib/index.js'
import { proxies } from '../typeorm/compat/support.js'
import { withMigrations } from './embedded.js'

/** Migrations that make a table each. */
const tables = (count: number): Function[] =>
  Array.from({ length: count }, (_, index) => {
    const name = `AddTable${1_700_000_000_000 + index}`
    return {
      [name]: class implements MigrationInterface {
        readonly name = name
        async up(runner: QueryRunner): Promise<void> {
          await runner.query(`CREATE TABLE t${index} (id INT)`)
        }
        async down(runner: QueryRunner): Promise<void> {
          await runner.query(`DROP TABLE t${index}`)
        }
      },
    }[name] as Function
  })

/** How many statements a program sends. */
const counted = async (db: ConnectionProxy, work: () => Promise<unknown>): Promise<number> => {
  let count = 0
  const stop = db.octopus.onRoute(() => (count += 1), { internal: true })
  await work()
  stop()
  return count
}

/** Statements of a plan, a run and a run without anything to do. */
interface Counts {
  readonly plan: number
  readonly run: number
  readonly again: number
}

describe('the statements of migrations', () => {
  const { wrap } = proxies()

  const countsWith = async (shards: number, migrations: number): Promise<Counts> => {
    const others = Array.from({ length: shards - 1 }, (_, index) => [`shard${index}`, {}])
    const db = wrap(withMigrations(tables(migrations)), {
      shards: Object.fromEntries(others),
      migrations: { default: 'all' },
    }) as ConnectionProxy
    await db.initialize()
    // So that each is connected.
    await db.usingAll(() => db.query('SELECT 1'))
    const { migrations: control } = db.octopus
    return {
      plan: await counted(db, () => control.plan()),
      run: await counted(db, () => control.run()),
      again: await counted(db, () => control.run()),
    }
  }

  it('grow as the shards do, and those of a plan or an empty run not with the migrations', async () => {
    const one = await countsWith(4, 3)
    for (const times of [2, 4])
      expect(await countsWith(4 * times, 3), `${times} ×`).to.deep.equal({
        plan: one.plan * times,
        run: one.run * times,
        again: one.again * times,
      })
    const more = await countsWith(4, 6)
    expect(more).to.include({ plan: one.plan, again: one.again })
    // Two for each: its own statement, and its row in the version table.
    expect(more.run - one.run).to.equal(4 * 3 * 2)
    expect(one).to.include({ plan: 4, again: 8 })
  })
})

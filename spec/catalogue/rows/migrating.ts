import { AbstractLogger, type MigrationInterface, type QueryRunner } from 'typeorm'
import type { ConnectionProxy, MigrationTargets } from '../../../lib/index.js'
import type { World } from '../world.js'

/** Makes one table. */
export class AddVisits1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE repl_visits (id INT PRIMARY KEY)')
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE repl_visits')
  }
}

/** The first migration, with shards of its own. */
export const visitsOn = (migrateOn: MigrationTargets) =>
  class Visits extends AddVisits1700000000000 {
    static readonly migrateOn = migrateOn
    readonly name = 'AddVisits1700000000000'
  }

/** Makes another. */
export class AddStays1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE repl_stays (id INT PRIMARY KEY)')
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE repl_stays')
  }
}

/** The version table is asked for, and read. */
export const look = ['select schema', 'select migrations'] as const
/** The same on a server without one: what only looks makes none. */
export const firstLook = ['select schema'] as const
/** A run looks whether there is anything to do, and once more under the lock. */
const firstRun = [...firstLook, 'select schema', 'create migrations', 'select migrations'] as const
/** The start of the first migration of a server. */
export const visitsFirst = [...firstRun, 'begin', 'create repl_visits'] as const
/** The first migration of a server. */
export const first = [...visitsFirst, 'insert migrations', 'commit'] as const
/** The first migration of a server, marked without running. */
export const marked = [...firstRun, 'begin', 'insert migrations', 'commit'] as const
/** The first migration of a server that has had some, such as one that was reverted. */
export const again = [
  ...look,
  ...look,
  'begin',
  'create repl_visits',
  'insert migrations',
  'commit',
] as const
/** The end of the first migration. */
export const undo = [
  ...look,
  ...look,
  'begin',
  'drop repl_visits',
  'delete migrations',
  'commit',
] as const

const shards = ['master', 'brazil', 'canada', 'russia'] as const
const made = ['repl_visits', 'repl_stays', 'migrations'] as const

/** The shards on which the first migration has run. */
export const migrated = async (world: World): Promise<readonly string[]> => {
  const found = await Promise.all(shards.map((shard) => has(world, shard)))
  return shards.filter((_, index) => found[index])
}

const has = async (world: World, shard: (typeof shards)[number]): Promise<boolean> => {
  const rows = await world.sql(
    shard,
    world.engine === 'sqljs'
      ? "SELECT name FROM sqlite_master WHERE name = 'repl_visits'"
      : "SELECT table_name FROM information_schema.tables WHERE table_name = 'repl_visits'",
  )
  return rows.length > 0
}

/** TypeORM tells every failed migration to the console otherwise. */
class NoLog extends AbstractLogger {
  protected writeLog(): void {}
}

/**
 * Does `work` with a data source that has migrations, the first by default, and leaves the servers as
 * they were.
 *
 * @param byDefault - where migrations run that say nothing
 */
export const withMigrations = async (
  world: World,
  options: object,
  work: (db: ConnectionProxy) => unknown,
  byDefault?: string,
): Promise<void> => {
  const logger = new NoLog()
  const dataSource = { migrations: [AddVisits1700000000000], logger, ...options }
  const octopus = byDefault === undefined ? {} : { migrations: { default: byDefault } }
  try {
    await work(await world.wrap({ dataSource, octopus }))
  } finally {
    await world.aside(async () => {
      for (const shard of shards)
        for (const table of made) await world.sql(shard, `DROP TABLE IF EXISTS ${table}`)
    })
  }
}

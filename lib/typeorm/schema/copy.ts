import type { QueryRunner } from 'typeorm'
import { BootstrapError } from '../../errors.js'
import type { SchemaSnapshot } from '../../schema/snapshot.js'
import type { Shard } from '../shard.js'
import { copyAccounts } from './copy-accounts.js'
import { runScriptOnMysql, scriptOfMysql } from './copy-mysql.js'
import { inSchema, scriptOfPostgres } from './copy-postgres.js'
import { type CopyScript, runInTransaction } from './copy-script.js'
import { scriptOfSqlite } from './copy-sqlite.js'
import { readRows } from './rows.js'
import { readEverything, withRunner } from './read.js'
import { UnshardedTables } from './unsharded-tables.js'

/** What was copied. */
export interface CopiedSchema {
  /** Tables, with those in which TypeORM keeps account of itself. */
  readonly tables: readonly string[]
  /** Names of the migrations that the version table says were run. */
  readonly migrations: readonly string[]
}

/**
 * Copies the schema of a shard to the empty database of another of the same engine, and the rows of
 * TypeORM's version table. Tables of entities outside sharding are copied where they are to be.
 *
 * @throws BootstrapError before anything is made, if there is something that would not be copied
 */
export const copySchema = async (from: Shard, to: Shard): Promise<CopiedSchema> => {
  const everything = await readEverything(from)
  const wanted = new UnshardedTables(from.runtime).commonTo([to.name], everything)
  const script = await withRunner(from, (runner) => scriptOf(from, runner, wanted))
  const obstacles = [...script.obstacles, ...keysTooMany(from, everything, wanted)]
  if (obstacles.length > 0)
    throw new BootstrapError(
      to.name,
      obstacles.map((obstacle) => `"${from.name}" has a ${obstacle}`),
      'These cannot be copied. Make the shard with its migrations, or with the tools of the database.',
    )
  const tables = wanted.tables.map(({ name }) => name)
  const migrations = await withRunner(to, async (runner) => {
    await runScript(to, runner, script.statements, tables)
    return copyAccounts(from, to, runner, tables)
  })
  return { tables, migrations }
}

/** The foreign keys to tables that are not copied. Only PostgreSQL makes keys by statements of their
 *  own, so that they can be left out. */
const keysTooMany = (
  { family }: Shard,
  everything: SchemaSnapshot,
  wanted: SchemaSnapshot,
): string[] => {
  if (family === 'postgres') return []
  const kept = new Map(wanted.tables.map((table) => [table.name, table]))
  return everything.tables.flatMap(({ name, foreignKeys }) =>
    foreignKeys
      .filter((key) => kept.has(name) && kept.get(name)?.foreignKeys.includes(key) === false)
      .map((key) => `foreign key ${key.name} of ${name} to ${key.referencedTable}`),
  )
}

/** The schema that a PostgreSQL shard has its tables in. */
const homeSchema = async ({ view }: Shard, runner: QueryRunner): Promise<string> => {
  const { schema } = view.options as { schema?: string }
  if (schema !== undefined) return schema
  return (await readRows(runner, 'SELECT current_schema() AS name'))[0]?.['name'] ?? 'public'
}

const scriptOf = async (
  shard: Shard,
  runner: QueryRunner,
  snapshot: SchemaSnapshot,
): Promise<CopyScript> => {
  switch (shard.family) {
    case 'mysql':
      return scriptOfMysql(runner, snapshot)
    case 'postgres':
      return scriptOfPostgres(runner, snapshot, await homeSchema(shard, runner))
    case 'sqlite':
      return scriptOfSqlite(runner, snapshot)
    case 'other':
      throw new TypeError('Other engines cannot be read')
    default:
      return shard.family satisfies never
  }
}

const runScript = async (
  shard: Shard,
  runner: QueryRunner,
  statements: readonly string[],
  tables: readonly string[],
): Promise<void> => {
  if (shard.family === 'mysql') return runScriptOnMysql(runner, statements, tables)
  if (shard.family === 'sqlite') return runInTransaction(runner, statements)
  return runInTransaction(runner, inSchema(await homeSchema(shard, runner), statements))
}

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

/** What was copied. */
export interface CopiedSchema {
  /** Tables, with those in which TypeORM keeps account of itself. */
  readonly tables: readonly string[]
  /** Names of the migrations that the version table says were run. */
  readonly migrations: readonly string[]
}

/**
 * Copies the schema of a shard to the empty database of another of the same engine, and the rows of
 * TypeORM's version table.
 *
 * @throws BootstrapError before anything is made, if there is something that would not be copied
 */
export const copySchema = async (from: Shard, to: Shard): Promise<CopiedSchema> => {
  const snapshot = await readEverything(from)
  const script = await withRunner(from, (runner) => scriptOf(from, runner, snapshot))
  if (script.obstacles.length > 0)
    throw new BootstrapError(
      to.name,
      script.obstacles.map((obstacle) => `"${from.name}" has a ${obstacle}`),
      'These cannot be copied. Make the shard with its migrations, or with the tools of the database.',
    )
  const tables = snapshot.tables.map(({ name }) => name)
  const migrations = await withRunner(to, async (runner) => {
    await runScript(to, runner, script.statements, tables)
    return copyAccounts(from, to, runner, tables)
  })
  return { tables, migrations }
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
      return scriptOfSqlite(runner)
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

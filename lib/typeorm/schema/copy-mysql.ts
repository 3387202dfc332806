import type { QueryRunner } from 'typeorm'
import type { SchemaSnapshot } from '../../schema/snapshot.js'
import type { CopyScript } from './copy-script.js'
import { readRows } from './rows.js'

const programs = `SELECT CONCAT(LOWER(ROUTINE_TYPE), ' ', ROUTINE_NAME) AS name FROM information_schema.ROUTINES
    WHERE ROUTINE_SCHEMA = DATABASE()
  UNION ALL SELECT CONCAT('event ', EVENT_NAME) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()`

/** How the tables of a MySQL or MariaDB database are made, by `SHOW CREATE TABLE`. */
export const scriptOfMysql = async (
  runner: QueryRunner,
  { tables, sequences }: SchemaSnapshot,
): Promise<CopyScript> => {
  const statements: string[] = []
  for (const { name, type } of tables)
    if (type === 'table') statements.push(await createTable(runner, name))
  return {
    statements,
    obstacles: [
      ...tables.filter(({ type }) => type === 'view').map(({ name }) => `view ${name}`),
      ...tables.flatMap(({ triggers }) => triggers.map(({ name }) => `trigger ${name}`)),
      ...sequences.map(({ name }) => `sequence ${name}`),
      ...(await readRows(runner, programs)).map(({ name }) => name ?? ''),
    ],
  }
}

const createTable = async (runner: QueryRunner, table: string): Promise<string> => {
  const [row] = await readRows(runner, `SHOW CREATE TABLE \`${table.replaceAll('`', '``')}\``)
  // In the last line, where it tells how far the rows have got.
  return (row?.['Create Table'] ?? '').replace(/^(\).*?) AUTO_INCREMENT=\d+/m, '$1')
}

/** Runs a script. MySQL has no transactions for schemas: what was made before a failure is dropped. */
export const runScriptOnMysql = async (
  runner: QueryRunner,
  statements: readonly string[],
  tables: readonly string[],
): Promise<void> => {
  await runner.query('SET FOREIGN_KEY_CHECKS = 0')
  try {
    for (const statement of statements) await runner.query(statement)
  } catch (error) {
    for (const table of tables)
      await runner.query(`DROP TABLE IF EXISTS \`${table.replaceAll('`', '``')}\``)
    throw error
  } finally {
    await runner.query('SET FOREIGN_KEY_CHECKS = 1')
  }
}

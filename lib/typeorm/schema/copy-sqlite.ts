import type { QueryRunner } from 'typeorm'
import type { SchemaSnapshot } from '../../schema/snapshot.js'
import type { CopyScript } from './copy-script.js'
import { readRows } from './rows.js'

/** How an SQLite database is made: it keeps the statements themselves. Tables come first, then what
 *  is on them. */
export const scriptOfSqlite = async (
  runner: QueryRunner,
  { tables }: SchemaSnapshot,
): Promise<CopyScript> => {
  const rows = await readRows(
    runner,
    `SELECT tbl_name AS table_name, sql FROM sqlite_master
      WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
      ORDER BY CASE type WHEN 'table' THEN 1 WHEN 'index' THEN 2 WHEN 'view' THEN 3 ELSE 4 END, rowid`,
  )
  const names = new Set(tables.map(({ name }) => name))
  const wanted = rows.filter(({ table_name: table }) => names.has(table ?? ''))
  return { statements: wanted.map(({ sql }) => sql ?? ''), obstacles: [] }
}

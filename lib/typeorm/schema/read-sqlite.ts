import type { QueryRunner } from 'typeorm'
import type {
  ColumnSnapshot,
  ForeignKeySnapshot,
  IndexSnapshot,
  SchemaSnapshot,
  TablePart,
  TableSnapshot,
} from '../../schema/snapshot.js'
import { type CatalogueRow, type RowsOf, byTable, groupedBy, readRows, textOf } from './rows.js'
import type { SchemaScope } from './scope.js'
import * as sqlite from './sqlite-definitions.js'

const ofTables = `FROM sqlite_master m JOIN`

const statements = {
  objects: `SELECT type, name, tbl_name AS table_name, sql FROM sqlite_master
    WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`,
  columns: `SELECT m.name AS table_name, p.name, p.type, p."notnull" AS required, p.dflt_value AS value,
      p.pk, p.hidden
    ${ofTables} pragma_table_xinfo(m.name) p WHERE m.type = 'table' ORDER BY m.name, p.cid`,
  indexes: `SELECT m.name AS table_name, i.name, i."unique" AS is_unique, i.origin, c.name AS column_name,
      c."desc" AS descending, c.coll AS collation
    ${ofTables} pragma_index_list(m.name) i JOIN pragma_index_xinfo(i.name) c
    WHERE m.type = 'table' AND c."key" = 1 ORDER BY m.name, i.name, c.seqno`,
  foreignKeys: `SELECT m.name AS table_name, f.id, f."table" AS other_table, f."from" AS column_name,
      f."to" AS other_column, f.on_delete, f.on_update
    ${ofTables} pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq`,
} as const

/** Reads the schema of an SQLite database, in four statements. What no pragma tells (checks, collations,
 *  generating expressions) is read out of the stored CREATE TABLE. */
export const readSqlite = async (
  runner: QueryRunner,
  { bookkeeping }: SchemaScope,
): Promise<SchemaSnapshot> => {
  const objects = await readRows(runner, statements.objects)
  const facts: Facts = {
    columns: byTable(await readRows(runner, statements.columns)),
    indexes: byTable(await readRows(runner, statements.indexes)),
    foreignKeys: byTable(await readRows(runner, statements.foreignKeys)),
    objects: byTable(objects),
  }
  return {
    flavour: 'sqlite',
    collation: undefined,
    tables: objects
      .filter(({ type }) => type === 'table' || type === 'view')
      .filter(({ name }) => !bookkeeping.has(name ?? ''))
      .map((row) => tableFrom(row, facts)),
    enums: [],
    sequences: [],
  }
}

/** What was read, by table. */
interface Facts {
  readonly columns: RowsOf
  readonly indexes: RowsOf
  readonly foreignKeys: RowsOf
  readonly objects: RowsOf
}

const tableFrom = ({ name, type, sql }: CatalogueRow, facts: Facts): TableSnapshot => {
  const table = name ?? ''
  const isView = type === 'view'
  const columns = facts.columns(table)
  const definitions = isView ? [] : sqlite.definitionsIn(sql ?? '')
  const triggers = facts.objects(table).filter((object) => object['type'] === 'trigger')
  return {
    name: table,
    type: isView ? 'view' : 'table',
    engine: undefined,
    collation: undefined,
    options: isView ? undefined : textOf(sqlite.tableOptionsIn(sql ?? '')),
    comment: undefined,
    definition: isView ? textOf(sql) : undefined,
    columns: columns.map((column) => columnFrom(column, definitions)),
    indexes: [
      ...primaryKeyFrom(columns),
      ...indexesFrom(
        facts.indexes(table).filter(({ origin }) => origin !== 'pk'),
        facts.objects(table),
      ),
    ],
    foreignKeys: foreignKeysFrom(facts.foreignKeys(table)),
    checks: definitions.flatMap((definition) => checksFrom(definition, columns)),
    triggers: triggers.map((trigger) => ({
      name: trigger['name'] ?? '',
      isNamedByServer: false,
      columns: [],
      definition: trigger['sql'] ?? '',
    })),
  }
}

const columnFrom = (row: CatalogueRow, definitions: readonly string[]): ColumnSnapshot => {
  const name = row['name'] ?? ''
  const definition = sqlite.definitionOf(definitions, name)
  // 2 and 3 mark generated columns: virtual and stored.
  const isGenerated = row['hidden'] === '2' || row['hidden'] === '3'
  return {
    name,
    type: row['type'] ?? '',
    isNullable: row['required'] === '0',
    default: row['value'] === 'NULL' ? undefined : textOf(row['value']),
    generation: isGenerated
      ? `AS (${sqlite.generatedIn(definition)}) ${row['hidden'] === '3' ? 'STORED' : 'VIRTUAL'}`
      : sqlite.isAutoincrement(definition)
        ? 'AUTOINCREMENT'
        : undefined,
    collation: sqlite.collationIn(definition),
    comment: undefined,
  }
}

/** A key of one whole number has no index of its own, so all are told by their columns. */
const primaryKeyFrom = (columns: readonly CatalogueRow[]): IndexSnapshot[] => {
  const names = columns
    .filter(({ pk }) => pk !== '0')
    .toSorted((one, other) => Number(one['pk']) - Number(other['pk']))
    .map(({ name }) => name ?? '')
  if (names.length === 0) return []
  return [
    {
      name: 'primary key',
      isNamedByServer: true,
      columns: names,
      uniqueness: 'primary',
      method: 'btree',
      definition: `(${names.join(', ')})`,
    },
  ]
}

const indexesFrom = (
  rows: readonly CatalogueRow[],
  objects: readonly CatalogueRow[],
): IndexSnapshot[] =>
  [...groupedBy(rows, ({ name }) => name ?? '')].map(([name, parts]): IndexSnapshot => {
    const [first] = parts
    const sql = objects.find((object) => object['name'] === name)?.['sql'] ?? undefined
    return {
      name,
      isNamedByServer: name.startsWith('sqlite_autoindex_'),
      columns: parts.flatMap((part) => part['column_name'] ?? []),
      uniqueness:
        first?.['is_unique'] !== '1' ? 'none' : first['origin'] === 'u' ? 'constraint' : 'index',
      method: 'btree',
      // Expressions and a condition stand only in the statement that made it.
      definition: sql === undefined ? `(${parts.map(partFrom).join(', ')})` : writtenIn(sql),
    }
  })

const partFrom = (row: CatalogueRow): string =>
  [
    row['column_name'] ?? '',
    row['collation'] === 'BINARY' ? '' : `COLLATE ${row['collation']}`,
    row['descending'] === '1' ? 'DESC' : '',
  ]
    .filter((word) => word !== '')
    .join(' ')

const writtenIn = (sql: string): string =>
  sql
    .slice(Math.max(sql.indexOf('('), 0))
    .replaceAll(/\s+/g, ' ')
    .trim()

const foreignKeysFrom = (rows: readonly CatalogueRow[]): ForeignKeySnapshot[] =>
  [...groupedBy(rows, ({ id }) => id ?? '').values()].map((parts): ForeignKeySnapshot => {
    const [first] = parts
    const columns = parts.map((part) => part['column_name'] ?? '')
    const others = parts.flatMap((part) => part['other_column'] ?? [])
    const referencedTable = first?.['other_table'] ?? ''
    return {
      name: columns.join(', '),
      isNamedByServer: true,
      columns,
      referencedTable,
      definition: `(${columns.join(', ')}) REFERENCES ${referencedTable} (${others.join(', ')}) ON DELETE ${first?.['on_delete']} ON UPDATE ${first?.['on_update']}`,
    }
  })

const checksFrom = (definition: string, columns: readonly CatalogueRow[]): TablePart[] =>
  sqlite.checksIn(definition).map(({ name, expression }) => ({
    name: name ?? expression,
    isNamedByServer: name === undefined,
    columns: columns
      .map((column) => column['name'] ?? '')
      .filter((column) => expression.split(/\W+/).includes(column)),
    definition: expression,
  }))

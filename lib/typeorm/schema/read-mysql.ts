import type { QueryRunner } from 'typeorm'
import type {
  ColumnSnapshot,
  ForeignKeySnapshot,
  IndexSnapshot,
  SchemaFlavour,
  SchemaSnapshot,
  TablePart,
  TableSnapshot,
} from '../../schema/snapshot.js'
import { checksOf, statements } from './catalogue-mysql.js'
import { type CatalogueRow, type RowsOf, byTable, groupedBy, readRows, textOf } from './rows.js'
import type { SchemaScope } from './scope.js'

/**
 * Reads the schema of a MySQL or MariaDB database. TypeORM's `getTables()` does not tell engines,
 * collations of tables, checks, or the order, direction and length of an index's columns, and asks once
 * more for each generated column; this takes nine statements, whatever the number of tables.
 */
export const readMysql = async (
  runner: QueryRunner,
  { own, others, bookkeeping }: SchemaScope,
): Promise<SchemaSnapshot> => {
  const [database] = await readRows(runner, statements.database)
  const flavour = /mariadb/i.test(database?.['version'] ?? '') ? 'mariadb' : 'mysql'
  const home = own ?? database?.['name'] ?? ''
  const read = async (sql: string): Promise<CatalogueRow[]> => {
    const rows = await readRows(runner, sql, [[home, ...others]])
    return rows.map((row) => ({
      ...row,
      table_name: nameFrom(home, row['table_schema'], row['table_name']),
    }))
  }
  const tables = await read(statements.tables)
  const facts: Facts = {
    flavour,
    home,
    views: byTable(await read(statements.views)),
    columns: byTable(await read(statements.columns)),
    indexes: byTable(await read(statements.indexes)),
    foreignKeys: byTable(await read(statements.foreignKeys)),
    checks: byTable(database?.['has_checks'] === '0' ? [] : await read(checksOf[flavour])),
    triggers: byTable(await read(statements.triggers)),
  }
  const isSequence = ({ type }: CatalogueRow): boolean => type === 'SEQUENCE'
  return {
    flavour,
    collation: collationOf(database?.['collation']),
    tables: tables
      .filter((row) => !isSequence(row) && !bookkeeping.has(row['table_name'] ?? ''))
      .map((row) => tableFrom(row, facts)),
    enums: [],
    sequences: tables
      .filter(isSequence)
      .map(({ table_name: name }) => ({ name: name ?? '', definition: 'sequence' })),
  }
}

/** What was read, by table. */
interface Facts {
  readonly flavour: SchemaFlavour
  readonly home: string
  readonly views: RowsOf
  readonly columns: RowsOf
  readonly indexes: RowsOf
  readonly foreignKeys: RowsOf
  readonly checks: RowsOf
  readonly triggers: RowsOf
}

const nameFrom = (
  home: string,
  schema: string | null | undefined,
  table: string | null | undefined,
): string => (schema === home ? (table ?? '') : `${schema}.${table}`)

const tableFrom = (row: CatalogueRow, facts: Facts): TableSnapshot => {
  const name = row['table_name'] ?? ''
  const isView = row['type'] === 'VIEW'
  const checks = facts.checks(name).map((check) => checkFrom(check, name, facts))
  const columns = facts.columns(name).map((column) => columnFrom(column, checks, facts))
  const isJson = new Set(columns.filter(({ type }) => type === 'json').map((each) => each.name))
  return {
    name,
    type: isView ? 'view' : 'table',
    engine: textOf(row['engine']),
    collation: collationOf(row['collation']),
    options: textOf(
      [
        row['type'] === 'SYSTEM VERSIONED' ? 'system versioned' : '',
        withoutDefaults(row['options'] ?? ''),
      ]
        .filter((word) => word !== '')
        .join(' '),
    ),
    comment: isView ? undefined : textOf(row['comment']),
    definition: textOf(facts.views(name)[0]?.['definition']?.replaceAll(`\`${facts.home}\`.`, '')),
    columns,
    indexes: indexesFrom(facts.indexes(name), name),
    foreignKeys: foreignKeysFrom(facts.foreignKeys(name), name, facts.home),
    checks: checks.filter((check) => !(isJson.has(check.name) && isJsonCheck(check))),
    triggers: facts.triggers(name).map((trigger) => ({
      name: trigger['name'] ?? '',
      isNamedByServer: false,
      columns: [],
      definition: trigger['definition'] ?? '',
    })),
  }
}

/** Aria prints what is on by default too, or not, depending on how the table was made. */
const withoutDefaults = (options: string): string =>
  options.replaceAll(/\b(?:page_checksum|transactional)=1\b/gi, '').trim()

/** Versions write `utf8` and `utf8mb3` for the same. */
const collationOf = (name: string | null | undefined): string | undefined =>
  textOf(name)?.replace(/^utf8_/, 'utf8mb3_')

/** Whether MariaDB has put it on a column of type JSON, which is its word for checked text. */
const isJsonCheck = ({ name, definition }: TablePart): boolean =>
  definition === `json_valid(\`${name}\`)`

/** Versions print display widths, which mean nothing but in `tinyint(1)` and with `zerofill`, or not. */
const withoutWidth = (type: string): string =>
  type === 'tinyint(1)' || type.includes('zerofill')
    ? type
    : type.replace(/^((?:tiny|small|medium|big)?int|year)\(\d+\)/, '$1')

const columnFrom = (
  row: CatalogueRow,
  checks: readonly TablePart[],
  { flavour }: Facts,
): ColumnSnapshot => {
  const name = row['name'] ?? ''
  const isJson = checks.some((check) => check.name === name && isJsonCheck(check))
  const extra = row['extra'] ?? ''
  const generation = [
    textOf(row['expression']) && `AS (${row['expression']})`,
    textOf(extra.replace(/DEFAULT_GENERATED/i, '').trim()),
  ].filter((word) => word !== undefined)
  return {
    name,
    type: isJson && row['type'] === 'longtext' ? 'json' : withoutWidth(row['type'] ?? ''),
    isNullable: row['nullable'] === 'YES',
    default: defaultFrom(row['value'] ?? undefined, extra, flavour),
    generation: textOf(generation.map(nowAlike).join(' ')),
    collation: collationOf(row['collation']),
    comment: textOf(row['comment']),
  }
}

/** Versions write the present moment with brackets or without, and in either case. */
const nowAlike = (expression: string): string =>
  expression.replaceAll(/\bcurrent_timestamp\b(?:\((\d*)\))?/gi, (_all, digits?: string) =>
    digits === undefined || digits === '' || digits === '0'
      ? 'current_timestamp()'
      : `current_timestamp(${digits})`,
  )

/** MariaDB prints an expression, MySQL the bare value of a literal. */
const defaultFrom = (
  value: string | undefined,
  extra: string,
  flavour: SchemaFlavour,
): string | undefined => {
  if (value === undefined || (flavour === 'mariadb' && value === 'NULL')) return undefined
  const isExpression = /DEFAULT_GENERATED/i.test(extra) || /^current_timestamp/i.test(value)
  return flavour === 'mariadb' || isExpression ? nowAlike(value) : `'${value}'`
}

const partFrom = (row: CatalogueRow): string => {
  const key = row['EXPRESSION'] ? `(${row['EXPRESSION']})` : (row['COLUMN_NAME'] ?? '')
  const length = row['SUB_PART'] ? `(${row['SUB_PART']})` : ''
  return `${key}${length}${row['COLLATION'] === 'D' ? ' DESC' : ''}`
}

/** Whether it is how the server names an index: after its first column or its foreign key. */
const isMadeUpIndexName = (name: string, table: string, [first]: readonly string[]): boolean =>
  name === 'PRIMARY' ||
  name === first ||
  name.replace(/_\d+$/, '') === first ||
  isMadeUpKeyName(name, table)

/** `orders_ibfk_1`, or only the number. */
const isMadeUpKeyName = (name: string, table: string): boolean =>
  /^\d+$/.test(name.replace(`${table}_ibfk_`, ''))

const indexesFrom = (rows: readonly CatalogueRow[], table: string): IndexSnapshot[] =>
  [...groupedBy(rows, (row) => row['INDEX_NAME'] ?? '')].map(([name, parts]): IndexSnapshot => {
    const [first] = parts
    const isUnique = first?.['NON_UNIQUE'] === '0'
    const isUnused = first?.['IS_VISIBLE'] === 'NO' || first?.['IGNORED'] === 'YES'
    const columns = parts.flatMap((part) => part['COLUMN_NAME'] ?? [])
    return {
      name,
      isNamedByServer: isMadeUpIndexName(name, table, columns),
      columns,
      uniqueness: name === 'PRIMARY' ? 'primary' : isUnique ? 'constraint' : 'none',
      method: (first?.['INDEX_TYPE'] ?? '').toLowerCase(),
      definition: `(${parts.map(partFrom).join(', ')})${isUnused ? ' IGNORED' : ''}`,
    }
  })

const foreignKeysFrom = (
  rows: readonly CatalogueRow[],
  table: string,
  home: string,
): ForeignKeySnapshot[] =>
  [...groupedBy(rows, ({ name }) => name ?? '')].map(([name, parts]): ForeignKeySnapshot => {
    const [first] = parts
    const columns = parts.map((part) => part['column_name'] ?? '')
    const others = parts.map((part) => part['other_column'] ?? '')
    const referencedTable = nameFrom(home, first?.['other_schema'], first?.['other_table'])
    return {
      name,
      isNamedByServer: isMadeUpKeyName(name, table),
      columns,
      referencedTable,
      definition: `(${columns.join(', ')}) REFERENCES ${referencedTable} (${others.join(', ')}) ON DELETE ${ruleOf(first?.['on_delete'])} ON UPDATE ${ruleOf(first?.['on_update'])}`,
    }
  })

/** To these servers it is the same, and versions print the one or the other. */
const ruleOf = (rule: string | null | undefined): string =>
  rule === 'NO ACTION' ? 'RESTRICT' : (rule ?? '')

const checkFrom = (row: CatalogueRow, table: string, { columns }: Facts): TablePart => {
  const name = row['name'] ?? ''
  const definition = row['definition'] ?? ''
  const known = columns(table).map((column) => column['name'] ?? '')
  return {
    name,
    isNamedByServer: /^CONSTRAINT_\d+$/.test(name) || name.startsWith(`${table}_chk_`),
    columns: known.filter((column) => definition.includes(`\`${column}\``)),
    definition,
  }
}

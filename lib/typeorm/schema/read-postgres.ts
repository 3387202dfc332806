import type { QueryRunner } from 'typeorm'
import type {
  ColumnSnapshot,
  ForeignKeySnapshot,
  IndexSnapshot,
  SchemaSnapshot,
  TablePart,
  TableSnapshot,
} from '../../schema/snapshot.js'
import { type CatalogueRow, type RowsOf, byTable, readRows, textOf } from './rows.js'
import type { SchemaScope } from './scope.js'

/** Names relations of other schemas with their schema. */
const named = (relation: string, namespace: string): string =>
  `CASE WHEN ${namespace}.nspname = $2 THEN ${relation}.relname::text ELSE ${namespace}.nspname || '.' || ${relation}.relname END`

/** The relations of the schemas, without those that extensions made. */
const relations = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ANY ($1)
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`

/** The names of the columns with these numbers, in their order, as an array of JSON. */
const columnNames = (numbers: string, relation: string): string =>
  `(SELECT coalesce(json_agg(a.attname ORDER BY k.at), '[]'::json) FROM unnest(${numbers}) WITH ORDINALITY k(number, at)
      JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.number)::text`

// What newer servers only have is read out of a row's JSON, so that older ones are understood too.
const statements = {
  tables: `SELECT ${named('c', 'n')} AS table_name, c.relkind AS kind, c.relpersistence AS persistence,
      coalesce(am.amname, 'heap') AS method, array_to_string(c.reloptions, ', ') AS options,
      CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partitioned,
      pg_get_expr(c.relpartbound, c.oid) AS partition, obj_description(c.oid, 'pg_class') AS comment,
      CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS definition,
      c.relrowsecurity AS security
    FROM ${relations} LEFT JOIN pg_am am ON am.oid = (to_jsonb(c) ->> 'relam')::oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND $2::text IS NOT NULL ORDER BY 1`,
  columns: `SELECT ${named('c', 'n')} AS table_name, a.attname AS name,
      format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
      pg_get_expr(d.adbin, d.adrelid) AS value, to_jsonb(a) ->> 'attidentity' AS identity,
      to_jsonb(a) ->> 'attgenerated' AS generated,
      CASE WHEN a.attcollation = 0 THEN NULL WHEN a.attcollation = t.typcollation THEN 'default' ELSE l.collname::text END AS collation,
      col_description(c.oid, a.attnum) AS comment
    FROM ${relations} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1, a.attnum`,
  // NOT NULL ('n', from version 18 on) is told of the column.
  constraints: `SELECT ${named('c', 'n')} AS table_name, k.conname AS name, k.contype AS kind,
      pg_get_constraintdef(k.oid) AS definition, ${columnNames('k.conkey', 'c.oid')} AS columns,
      am.amname AS method, CASE WHEN f.oid IS NOT NULL THEN ${named('f', 'fn')} END AS other_table
    FROM ${relations} JOIN pg_constraint k ON k.conrelid = c.oid
    LEFT JOIN pg_class i ON i.oid = k.conindid LEFT JOIN pg_am am ON am.oid = i.relam
    LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
    WHERE k.contype IN ('p', 'u', 'x', 'f', 'c') ORDER BY 1, k.conname`,
  indexes: `SELECT ${named('c', 'n')} AS table_name, i.relname AS name, x.indisunique AS is_unique, am.amname AS method,
      pg_get_indexdef(i.oid) AS definition, ${columnNames('x.indkey::int2[]', 'c.oid')} AS columns
    FROM ${relations} JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_am am ON am.oid = i.relam
    WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
    ORDER BY 1, i.relname`,
  triggers: `SELECT ${named('c', 'n')} AS table_name, t.tgname AS name, pg_get_triggerdef(t.oid) AS definition
    FROM ${relations} JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal ORDER BY 1, t.tgname`,
  enums: `SELECT CASE WHEN n.nspname = $2 THEN t.typname::text ELSE n.nspname || '.' || t.typname END AS name,
      string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) AS definition
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND n.nspname = ANY ($1)
    JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY 1 ORDER BY 1`,
  // Without those that belong to a column, whose default or identity tells of them.
  sequences: `SELECT ${named('c', 'n')} AS name,
      format('%s from %s by %s, %s to %s%s', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement,
        s.seqmin, s.seqmax, CASE WHEN s.seqcycle THEN ', cycling' ELSE '' END) AS definition
    FROM ${relations} JOIN pg_sequence s ON s.seqrelid = c.oid
    WHERE NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
      AND d.deptype IN ('a', 'i')) ORDER BY 1`,
} as const

/**
 * Reads the schema of a PostgreSQL database. TypeORM's `getTables()` does not tell persistence, access
 * methods, or the order, expressions and operator classes of indexes, and asks once more for each
 * column of an enum; this takes ten statements in one read-only transaction, whatever the number of
 * tables.
 */
export const readPostgres = async (
  runner: QueryRunner,
  { own, others, bookkeeping }: SchemaScope,
): Promise<SchemaSnapshot> => {
  await runner.startTransaction()
  try {
    const home =
      own ?? (await readRows(runner, 'SELECT current_schema() AS name'))[0]?.['name'] ?? ''
    return await readSchemas(runner, home, others, bookkeeping)
  } finally {
    // Ends `SET LOCAL` too.
    await runner.rollbackTransaction()
  }
}

const readSchemas = async (
  runner: QueryRunner,
  home: string,
  others: readonly string[],
  bookkeeping: ReadonlySet<string>,
): Promise<SchemaSnapshot> => {
  // The server leaves the names of these schemas out of what it prints, so that shards can be compared
  // that have their tables in schemas of different names.
  const [database] = await readRows(
    runner,
    `SELECT set_config('search_path', quote_ident($1) || ', public', true) AS path,
      (SELECT datcollate FROM pg_database WHERE datname = current_database()) AS collation`,
    [home],
  )
  const read = (sql: string): Promise<CatalogueRow[]> =>
    readRows(runner, sql, [[home, ...others], home])
  const tables = await read(statements.tables)
  const facts: Facts = {
    columns: byTable(await read(statements.columns)),
    constraints: byTable(await read(statements.constraints)),
    indexes: byTable(await read(statements.indexes)),
    triggers: byTable(await read(statements.triggers)),
  }
  const objectsFrom = async (sql: string) =>
    (await read(sql)).map(({ name, definition }) => ({
      name: name ?? '',
      definition: definition ?? '',
    }))
  return {
    flavour: 'postgres',
    collation: textOf(database?.['collation']),
    tables: tables
      .filter((row) => !bookkeeping.has(row['table_name'] ?? ''))
      .map((row) => tableFrom(row, facts)),
    enums: await objectsFrom(statements.enums),
    sequences: await objectsFrom(statements.sequences),
  }
}

/** What was read, by table. */
interface Facts {
  readonly columns: RowsOf
  readonly constraints: RowsOf
  readonly indexes: RowsOf
  readonly triggers: RowsOf
}

const isTrue = (value: string | null | undefined): boolean => value === 'true' || value === 't'

const persistenceWords: Readonly<Record<string, string>> = { u: 'unlogged ', t: 'temporary ' }

const engineFrom = ({ kind, persistence, method }: CatalogueRow): string | undefined => {
  if (kind === 'v') return undefined
  if (kind === 'f') return 'foreign table'
  return `${persistenceWords[persistence ?? ''] ?? ''}${method}`
}

const optionsFrom = (row: CatalogueRow): string | undefined =>
  textOf(
    [
      row['kind'] === 'm' ? 'materialized' : undefined,
      textOf(row['options']),
      textOf(row['partitioned']) && `partition by ${row['partitioned']}`,
      textOf(row['partition']) && `partition ${row['partition']}`,
      isTrue(row['security']) ? 'row security' : undefined,
    ]
      .filter((word) => word !== undefined)
      .join(', '),
  )

const tableFrom = (row: CatalogueRow, facts: Facts): TableSnapshot => {
  const name = row['table_name'] ?? ''
  const constraints = facts.constraints(name)
  const ofKinds = (...kinds: readonly string[]): CatalogueRow[] =>
    constraints.filter(({ kind }) => kinds.includes(kind ?? ''))
  return {
    name,
    type: row['kind'] === 'v' || row['kind'] === 'm' ? 'view' : 'table',
    engine: engineFrom(row),
    collation: undefined,
    options: optionsFrom(row),
    comment: textOf(row['comment']),
    definition: textOf(row['definition']),
    columns: facts.columns(name).map(columnFrom),
    indexes: [
      ...ofKinds('p', 'u', 'x').map((each) => constraintFrom(each, name)),
      ...facts.indexes(name).map((each) => indexFrom(each, name)),
    ],
    foreignKeys: ofKinds('f').map((each): ForeignKeySnapshot => ({
      ...partFrom(each, name),
      referencedTable: each['other_table'] ?? '',
    })),
    checks: ofKinds('c').map((each) => partFrom(each, name)),
    triggers: facts.triggers(name).map((each) => ({ ...partFrom(each, name), columns: [] })),
  }
}

const identities: Readonly<Record<string, string>> = {
  a: 'GENERATED ALWAYS AS IDENTITY',
  d: 'GENERATED BY DEFAULT AS IDENTITY',
}

const generationKinds: Readonly<Record<string, string>> = { s: 'STORED', v: 'VIRTUAL' }

const columnFrom = (row: CatalogueRow): ColumnSnapshot => {
  const generated = generationKinds[row['generated'] ?? '']
  return {
    name: row['name'] ?? '',
    type: row['type'] ?? '',
    isNullable: !isTrue(row['required']),
    default: generated === undefined ? textOf(row['value']) : undefined,
    generation:
      generated === undefined
        ? identities[row['identity'] ?? '']
        : `GENERATED ALWAYS AS (${row['value']}) ${generated}`,
    collation: textOf(row['collation']),
    comment: textOf(row['comment']),
  }
}

/** How PostgreSQL names what has no name: after the table, its columns and what it is. Of a long name
 *  it leaves out the ends of both. */
const madeUpName = /_(?:pkey|key|fkey|check|excl|idx)\d*$/

const partFrom = (row: CatalogueRow, table: string): TablePart => {
  const name = row['name'] ?? ''
  return {
    name,
    isNamedByServer: madeUpName.test(name) && name.startsWith(`${table.slice(0, 29)}_`),
    columns: JSON.parse(row['columns'] ?? '[]') as string[],
    definition: row['definition'] ?? '',
  }
}

const constraintFrom = (row: CatalogueRow, table: string): IndexSnapshot => {
  const part = partFrom(row, table)
  return {
    ...part,
    uniqueness: row['kind'] === 'p' ? 'primary' : 'constraint',
    method: row['method'] ?? '',
    definition: part.definition.replace(/^(?:PRIMARY KEY|UNIQUE) /, ''),
  }
}

const indexFrom = (row: CatalogueRow, table: string): IndexSnapshot => {
  const part = partFrom(row, table)
  const using = ` USING ${row['method']} `
  return {
    ...part,
    uniqueness: isTrue(row['is_unique']) ? 'index' : 'none',
    method: row['method'] ?? '',
    definition: part.definition.slice(part.definition.indexOf(using) + using.length),
  }
}

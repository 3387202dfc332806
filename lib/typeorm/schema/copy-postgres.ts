import type { QueryRunner } from 'typeorm'
import type {
  ColumnSnapshot,
  IndexSnapshot,
  SchemaSnapshot,
  TableSnapshot,
} from '../../schema/snapshot.js'
import type { CopyScript } from './copy-script.js'
import { type CatalogueRow, readRows } from './rows.js'

/** What the snapshot does not tell, and no statement here would make. */
const furtherObjects = `SELECT 'function ' || p.proname AS name FROM pg_proc p
    WHERE p.pronamespace = $1::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  UNION ALL SELECT 'type ' || t.typname FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.typnamespace = $1::regnamespace AND (t.typtype IN ('d', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
  UNION ALL SELECT 'rule ' || r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE c.relnamespace = $1::regnamespace AND r.rulename <> '_RETURN'
  UNION ALL SELECT 'policy ' || p.polname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE c.relnamespace = $1::regnamespace
  UNION ALL SELECT 'statistics ' || s.stxname FROM pg_statistic_ext s WHERE s.stxnamespace = $1::regnamespace
  UNION ALL SELECT 'table ' || c.relname || ', which inherits' FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r'`

/** Sequences, with the column that each belongs to: `a` by its default, `i` as its identity. */
const allSequences = `SELECT c.relname AS name, format_type(s.seqtypid, NULL) AS type, s.seqstart AS start,
    s.seqincrement AS increment, s.seqmin AS min, s.seqmax AS max, s.seqcycle AS cycles,
    d.deptype AS belongs, t.relname AS table_name, a.attname AS column_name
  FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
  LEFT JOIN pg_class t ON t.oid = d.refobjid
  LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  WHERE c.relkind = 'S' AND c.relnamespace = $1::regnamespace ORDER BY 1`

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** How the tables of a PostgreSQL schema are made. PostgreSQL prints no CREATE TABLE, so they are
 *  put together of what it prints of their parts. */
export const scriptOfPostgres = async (
  runner: QueryRunner,
  snapshot: SchemaSnapshot,
  schema: string,
): Promise<CopyScript> => {
  const { tables, enums } = snapshot
  const sequences = await readRows(runner, allSequences, [quoted(schema)])
  const further = await readRows(runner, furtherObjects, [quoted(schema)])
  const own = sequences.filter(({ belongs }) => belongs !== 'i')
  return {
    statements: [
      ...enums.map(({ name, definition }) => `CREATE TYPE ${quoted(name)} AS ENUM (${definition})`),
      ...own.map(createSequence),
      ...tables.map(createTable),
      ...own.filter(({ belongs }) => belongs === 'a').map(ownedBy),
      ...tables.flatMap((table) => table.indexes.map((index) => createIndex(table, index))),
      ...tables.flatMap((table) => [...table.checks].map((check) => addConstraint(table, check))),
      ...tables.flatMap((table) => table.foreignKeys.map((key) => addConstraint(table, key))),
      ...tables.flatMap(comments),
    ],
    obstacles: [
      ...tables.flatMap(obstaclesOf),
      ...sequences.filter(isPeculiarIdentity).map(({ name }) => `settings of sequence ${name}`),
      ...further.map(({ name }) => name ?? ''),
    ],
  }
}

const obstaclesOf = ({ name, type, engine, options, triggers }: TableSnapshot): string[] => [
  ...(type === 'view' ? [`view ${name}`] : []),
  ...(engine === 'foreign table' ? [`foreign table ${name}`] : []),
  ...(type === 'table' && options !== undefined ? [`settings of table ${name}: ${options}`] : []),
  ...(name.includes('.') ? [`table ${name} of another schema`] : []),
  ...triggers.map((trigger) => `trigger ${trigger.name}`),
]

const isPeculiarIdentity = ({ belongs, start, increment }: CatalogueRow): boolean =>
  belongs === 'i' && (start !== '1' || increment !== '1')

const createSequence = (sequence: CatalogueRow): string =>
  `CREATE SEQUENCE ${quoted(sequence['name'] ?? '')} AS ${sequence['type']} INCREMENT BY ${sequence['increment']} MINVALUE ${sequence['min']} MAXVALUE ${sequence['max']} START WITH ${sequence['start']}${sequence['cycles'] === 'true' ? ' CYCLE' : ''}`

const ownedBy = ({ name, table_name: table, column_name: column }: CatalogueRow): string =>
  `ALTER SEQUENCE ${quoted(name ?? '')} OWNED BY ${quoted(table ?? '')}.${quoted(column ?? '')}`

const createTable = ({ name, engine = 'heap', columns }: TableSnapshot): string => {
  const [method, persistence] = engine.split(' ').toReversed()
  const using = method === undefined || method === 'heap' ? '' : ` USING ${quoted(method)}`
  const what = persistence === undefined ? 'TABLE' : 'UNLOGGED TABLE'
  return `CREATE ${what} ${quoted(name)} (${columns.map(columnText).join(', ')})${using}`
}

const columnText = (column: ColumnSnapshot): string =>
  [
    quoted(column.name),
    column.type,
    column.collation === undefined || column.collation === 'default'
      ? ''
      : `COLLATE ${quoted(column.collation)}`,
    column.default === undefined ? '' : `DEFAULT ${column.default}`,
    column.generation ?? '',
    column.isNullable ? '' : 'NOT NULL',
  ]
    .filter((word) => word !== '')
    .join(' ')

const createIndex = (
  table: TableSnapshot,
  { name, uniqueness, method, definition }: IndexSnapshot,
): string => {
  if (uniqueness === 'primary')
    return addConstraint(table, { name, definition: `PRIMARY KEY ${definition}` })
  if (uniqueness === 'constraint')
    return addConstraint(table, {
      name,
      definition: definition.startsWith('EXCLUDE') ? definition : `UNIQUE ${definition}`,
    })
  const what = uniqueness === 'index' ? 'UNIQUE INDEX' : 'INDEX'
  return `CREATE ${what} ${quoted(name)} ON ${quoted(table.name)} USING ${method} ${definition}`
}

const addConstraint = (
  table: TableSnapshot,
  { name, definition }: { readonly name: string; readonly definition: string },
): string => `ALTER TABLE ${quoted(table.name)} ADD CONSTRAINT ${quoted(name)} ${definition}`

const comments = ({ name, comment, columns }: TableSnapshot): string[] => [
  ...(comment === undefined ? [] : [`COMMENT ON TABLE ${quoted(name)} IS ${literal(comment)}`]),
  ...columns.flatMap((column) =>
    column.comment === undefined
      ? []
      : [`COMMENT ON COLUMN ${quoted(name)}.${quoted(column.name)} IS ${literal(column.comment)}`],
  ),
]

/** A script that makes its objects in a schema, whatever the connection's own is. */
export const inSchema = (schema: string, statements: readonly string[]): string[] => [
  `SELECT set_config('search_path', ${literal(`${quoted(schema)}, public`)}, true)`,
  ...statements,
]

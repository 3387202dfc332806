import { expect } from 'chai'
import type { QueryRunner } from 'typeorm'
import { compareSchemas } from '../../lib/schema/compare.js'
import { readMysql } from '../../lib/typeorm/schema/read-mysql.js'

type Rows = readonly Readonly<Record<string, unknown>>[]

/** What a server answers, by the catalogue that is asked. */
interface Server {
  readonly version: string
  readonly tables: Rows
  readonly columns: Rows
  readonly indexes: Rows
  readonly foreignKeys: Rows
  /** Undefined for a server without the catalogue. */
  readonly checks: Rows | undefined
}

/** A runner whose server answers as written: MySQL is not among the servers that specs start. */
const runnerOf = ({ version, ...server }: Server): QueryRunner => {
  const answers: readonly (readonly [string, Rows])[] = [
    [
      'DATABASE() AS name',
      [{ name: 'shop', version, collation: 'utf8mb4_bin', has_checks: server.checks ? 1 : 0 }],
    ],
    ['CHECK_CONSTRAINTS c', server.checks ?? []],
    ['REFERENTIAL_CONSTRAINTS', server.foreignKeys],
    ['STATISTICS', server.indexes],
    ['information_schema.COLUMNS', server.columns],
    ['information_schema.VIEWS', []],
    ['information_schema.TRIGGERS', []],
    ['information_schema.TABLES', server.tables],
  ]
  const query = (sql: string): Promise<Rows> => {
    const found = answers.find(([part]) => sql.includes(part))
    return found === undefined
      ? Promise.reject(new Error(`Nobody answers: ${sql}`))
      : Promise.resolve(found[1])
  }
  // All that a reader uses of it.
  return { query } as unknown as QueryRunner
}

const here = { table_schema: 'shop', table_name: 'users' }

const column = (name: string, type: string, facts: object = {}) => ({
  ...here,
  name,
  type,
  nullable: 'NO',
  value: null,
  extra: '',
  expression: '',
  collation: null,
  comment: '',
  ...facts,
})

const index = (name: string, columnName: string | null, facts: object = {}) => ({
  ...here,
  INDEX_NAME: name,
  COLUMN_NAME: columnName,
  NON_UNIQUE: 1,
  INDEX_TYPE: 'BTREE',
  COLLATION: 'A',
  SUB_PART: null,
  ...facts,
})

const table = (collation: string) => [
  { ...here, type: 'BASE TABLE', engine: 'InnoDB', collation, options: '', comment: '' },
]

const foreignKey = (onDelete: string) => [
  {
    ...here,
    name: 'users_ibfk_1',
    column_name: 'boss',
    other_schema: 'shop',
    other_table: 'users',
    other_column: 'id',
    on_delete: onDelete,
    on_update: onDelete,
  },
]

const old: Server = {
  version: '5.7.44-log',
  tables: table('utf8_general_ci'),
  columns: [
    column('id', 'int(11)', { extra: 'auto_increment' }),
    column('boss', 'bigint(20) unsigned', { nullable: 'YES' }),
    column('isNew', 'tinyint(1)', { value: '1' }),
    column('code', 'int(5) unsigned zerofill', { value: '00000' }),
    column('name', 'varchar(20)', { value: '', collation: 'utf8_general_ci' }),
    column('at', 'datetime', {
      value: 'CURRENT_TIMESTAMP',
      extra: 'on update CURRENT_TIMESTAMP',
    }),
    column('twice', 'int(11)', { extra: 'VIRTUAL GENERATED', expression: '(`code` * 2)' }),
  ],
  indexes: [index('PRIMARY', 'id', { NON_UNIQUE: 0 }), index('by_name', 'name', { SUB_PART: 5 })],
  foreignKeys: foreignKey('RESTRICT'),
  checks: undefined,
}

const present: Server = {
  ...old,
  version: '8.4.2',
  tables: table('utf8mb3_general_ci'),
  columns: [
    column('id', 'int', { extra: 'auto_increment' }),
    column('boss', 'bigint unsigned', { nullable: 'YES' }),
    column('isNew', 'tinyint(1)', { value: '1' }),
    column('code', 'int(5) unsigned zerofill', { value: '00000' }),
    column('name', 'varchar(20)', { value: '', collation: 'utf8mb3_general_ci' }),
    column('at', 'datetime', {
      value: 'CURRENT_TIMESTAMP',
      extra: 'DEFAULT_GENERATED on update CURRENT_TIMESTAMP',
    }),
    column('twice', 'int', { extra: 'VIRTUAL GENERATED', expression: '(`code` * 2)' }),
  ],
  indexes: old.indexes.map((each) => ({ ...each, EXPRESSION: null, IS_VISIBLE: 'YES' })),
  foreignKeys: foreignKey('NO ACTION'),
  checks: [],
}

const read = (server: Server) =>
  readMysql(runnerOf(server), { own: undefined, others: [], bookkeeping: new Set() })

describe('the schema of a MySQL server', () => {
  it('is the same, whatever the version of the server that prints it', async () => {
    const [one, other] = [await read(old), await read(present)]
    expect(one.flavour).to.equal('mysql')
    expect(compareSchemas(one, other)).to.deep.equal([])
  })

  it('has its literals quoted, and its expressions not', async () => {
    const { tables } = await read({
      ...present,
      columns: [
        ...present.columns,
        column('key', 'varchar(36)', { value: 'uuid()', extra: 'DEFAULT_GENERATED' }),
        column('word', 'varchar(36)', { value: 'uuid()' }),
      ],
    })
    expect(tables[0]?.columns.map((each) => each.default)).to.deep.equal([
      undefined,
      undefined,
      "'1'",
      "'00000'",
      "''",
      'current_timestamp()',
      undefined,
      'uuid()',
      "'uuid()'",
    ])
  })

  it('tells of checks, of expressions in indexes and of indexes that are not used', async () => {
    const { tables } = await read({
      ...present,
      indexes: [
        index('by_twice', null, { EXPRESSION: '(`code` * 2)', COLLATION: 'D', IS_VISIBLE: 'NO' }),
      ],
      checks: [{ ...here, name: 'users_chk_1', definition: '(`code` > 0)' }],
    })
    expect(tables[0]?.indexes[0]).to.deep.include({
      columns: [],
      definition: '(((`code` * 2)) DESC) IGNORED',
    })
    expect(tables[0]?.checks).to.deep.equal([
      { name: 'users_chk_1', isNamedByServer: true, columns: ['code'], definition: '(`code` > 0)' },
    ])
  })
})

import { expect } from 'chai'
import { compareSchemas } from '../../lib/schema/compare.js'
import { majorityOf } from '../../lib/schema/reference.js'
import type { SchemaSnapshot } from '../../lib/schema/snapshot.js'
import { check, column, foreignKey, index, schema, table } from './sketches.js'

const base = schema(
  table('users', {
    columns: [column('id', 'int'), column('name', 'varchar(80)', { collation: 'ci' })],
    indexes: [index('by_name', ['name'])],
    collation: 'ci',
    engine: 'InnoDB',
  }),
  table('orders', {
    columns: [column('id', 'int'), column('user_id', 'int')],
    indexes: [index('orders_user', ['user_id'])],
    foreignKeys: [foreignKey('orders_user', ['user_id'], 'users')],
  }),
)

const withUsers = (change: Parameters<typeof table>[1]): SchemaSnapshot => ({
  ...base,
  tables: base.tables.map((each) => (each.name === 'users' ? { ...each, ...change } : each)),
})

const [users, orders] = base.tables as [(typeof base.tables)[0], (typeof base.tables)[0]]

/** What is changed, and the sentences that tell of it. */
const cases: readonly (readonly [
  title: string,
  actual: SchemaSnapshot,
  texts: readonly string[],
])[] = [
  ['nothing', base, []],
  [
    'a table, and with it the foreign key to it, and its index',
    { ...base, tables: [{ ...orders, foreignKeys: [], indexes: [] }] },
    [
      'table users is missing: table with 2 columns; with it index orders_user of orders, foreign key orders_user of orders',
    ],
  ],
  [
    'one more table',
    { ...base, tables: [users, orders, table('logs', { columns: [column('id', 'int')] })] },
    ['table logs is not in the reference: table with one column'],
  ],
  [
    'a view in the place of a table',
    withUsers({ type: 'view' }),
    ['table users is view with 2 columns, in the reference table with 2 columns'],
  ],
  [
    'a column, and with it its index',
    withUsers({ columns: [column('id', 'int')], indexes: [] }),
    ['column name of users is missing: varchar(80) NOT NULL; with it index by_name of users'],
  ],
  ['the order of columns', withUsers({ columns: users.columns.toReversed() }), []],
  [
    'a type, and not what follows from it',
    withUsers({ columns: [column('id', 'int'), column('name', 'int')] }),
    ['users.name: the type is int, in the reference varchar(80)'],
  ],
  [
    'the name of an index that somebody named',
    withUsers({ indexes: [index('by_user_name', ['name'])] }),
    ['index by_name of users is by_user_name btree (name), in the reference by_name btree (name)'],
  ],
  [
    'the name of an index that the server named',
    withUsers({ indexes: [{ ...index('by_name_2', ['name']), isNamedByServer: true }] }),
    ['index by_name of users is by_name_2 btree (name), in the reference by_name btree (name)'],
  ],
  [
    'the storage engine, which has other methods and settings',
    withUsers({
      engine: 'MEMORY',
      options: 'x=1',
      indexes: [{ ...index('by_name', ['name']), method: 'hash' }],
    }),
    ['users: the engine is MEMORY, in the reference InnoDB'],
  ],
  [
    'the collation of a whole table',
    withUsers({
      collation: 'bin',
      columns: [column('id', 'int'), column('name', 'varchar(80)', { collation: 'bin' })],
    }),
    ['users: the collation is bin, in the reference ci'],
  ],
  [
    'the collation that new columns get',
    withUsers({ collation: 'bin' }),
    ['users: the collation is bin, in the reference ci'],
  ],
  [
    'a comment',
    withUsers({ comment: 'who' }),
    ['users: the comment is who, in the reference none'],
  ],
  [
    'an enum',
    { ...base, enums: [{ name: 'mood', definition: "'ok'" }] },
    ["enum mood is not in the reference: 'ok'"],
  ],
  [
    "the database's collation, and that of the tables that have it",
    { ...base, collation: 'bin' },
    ['database: the collation is bin, in the reference none'],
  ],
]

describe('compareSchemas()', () => {
  for (const [title, actual, texts] of cases)
    it(`tells of: ${title}`, () => {
      expect(compareSchemas(base, actual).map(({ text }) => text)).to.deep.equal(texts)
    })

  it('does not tell one name that a server made up from another', () => {
    const named = (name: string, definition: string) => ({
      ...check(name, ['id'], definition),
      isNamedByServer: true,
    })
    const [one, other] = ['id > 0', 'id < 9'] as const
    const reference = withUsers({
      checks: [named('CONSTRAINT_1', one), named('CONSTRAINT_2', other)],
    })
    const actual = withUsers({ checks: [named('CONSTRAINT_1', other), named('CONSTRAINT_2', one)] })
    expect(compareSchemas(reference, actual)).to.deep.equal([])
  })

  it('does not tell of the casts and quotes that follow from a type that differs', () => {
    const of = (type: string, value: string, cast: string) =>
      withUsers({
        columns: [column('id', 'int'), column('name', type, { default: value })],
        checks: [check('named', ['name'], `CHECK (((name)${cast} <> 'x'::text))`)],
      })
    const reference = of('character varying(80)', "'x'::character varying", '::text')
    const actual = of('text', "'x'::text", '')
    expect(compareSchemas(reference, actual).map(({ kind }) => kind)).to.deep.equal(['type'])
  })
})

describe('majorityOf()', () => {
  const drifted = withUsers({ engine: 'MEMORY' })

  it('is the first of the largest number that are the same', () => {
    const shards = [
      { shard: 'a', schema: drifted },
      { shard: 'b', schema: base },
      { shard: 'c', schema: base },
    ] as const
    expect(majorityOf(shards).shard).to.equal('b')
  })

  it('is the first one where there is no majority', () => {
    const shards = [
      { shard: 'a', schema: drifted },
      { shard: 'b', schema: base },
    ] as const
    expect(majorityOf(shards).shard).to.equal('a')
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { compareSchemas } from '../../lib/schema/compare.js'
import type { DifferenceKind } from '../../lib/schema/difference.js'
import type { SchemaSnapshot, TableSnapshot } from '../../lib/schema/snapshot.js'
import { check, column, foreignKey, index, schema, table } from './sketches.js'

const names = ['a', 'b', 'c', 'd', 'e'] as const
const someNames = fc.subarray([...names], { minLength: 1 })
const types = ['int', 'text', 'varchar(10)', 'json'] as const

const columns = someNames.chain((chosen) =>
  fc.tuple(
    ...chosen.map((name) =>
      fc
        .record({
          type: fc.constantFrom(...types),
          isNullable: fc.boolean(),
          default: fc.constantFrom(undefined, '1', "'x'"),
          comment: fc.constantFrom(undefined, 'why'),
        })
        .map(({ type, ...facts }) => column(name, type, facts)),
    ),
  ),
)

const tables = (name: string): fc.Arbitrary<TableSnapshot> =>
  columns.chain((all) => {
    const some = fc.subarray(
      all.map((each) => each.name),
      { minLength: 1 },
    )
    return fc
      .record({
        indexed: fc.array(some, { maxLength: 3 }),
        checked: fc.array(some, { maxLength: 2 }),
        referring: fc.option(some, { nil: undefined }),
        engine: fc.constantFrom('InnoDB', 'Aria'),
      })
      .map(({ indexed, checked, referring, engine }) =>
        table(name, {
          columns: all,
          engine,
          indexes: indexed.map((over, at) => index(`index_${at}_${over.join('')}`, over)),
          checks: checked.map((over, at) =>
            check(`check_${at}`, over, `${over.join(' + ')} > ${at}`),
          ),
          foreignKeys: referring === undefined ? [] : [foreignKey('key', referring, 'target')],
        }),
      )
  })

const schemas: fc.Arbitrary<SchemaSnapshot> = someNames.chain((chosen) =>
  fc
    .tuple(...chosen.map((name) => tables(`table_${name}`)))
    .map((made) => schema(table('target', { columns: [column('id', 'int')] }), ...made)),
)

/** One change of a schema: the kind of the difference that it makes, and its name. */
type Change = (schema: SchemaSnapshot) => {
  readonly kind: DifferenceKind
  readonly name: string
  readonly actual: SchemaSnapshot
}

const changedTable = (
  before: SchemaSnapshot,
  at: number,
  change: (table: TableSnapshot) => Partial<TableSnapshot>,
): SchemaSnapshot => ({
  ...before,
  tables: before.tables.map((each, place) => (place === at ? { ...each, ...change(each) } : each)),
})

/** The place of a table and of a column in it, by numbers of any size. */
const placed = (before: SchemaSnapshot, one: number, other: number) => {
  const at = 1 + (one % (before.tables.length - 1))
  const { columns: all } = before.tables[at]!
  return { at, table: before.tables[at]!, column: all[other % all.length]! }
}

const withColumn = (
  before: SchemaSnapshot,
  one: number,
  other: number,
  kind: DifferenceKind,
  facts: Parameters<typeof column>[2],
): ReturnType<Change> => {
  const { at, column: changed } = placed(before, one, other)
  const actual = changedTable(before, at, ({ columns: all }) => ({
    columns: all.map((each) => (each === changed ? { ...each, ...facts } : each)),
  }))
  return { kind, name: changed.name, actual }
}

const changes: readonly ((one: number, other: number) => Change)[] = [
  (one) => (before) => {
    const { table: gone } = placed(before, one, 0)
    const actual = { ...before, tables: before.tables.filter((each) => each !== gone) }
    return { kind: 'table', name: gone.name, actual }
  },
  () => (before) => {
    // With it goes what refers to it.
    const actual = {
      ...before,
      tables: before.tables.slice(1).map((each) => ({ ...each, foreignKeys: [] })),
    }
    return { kind: 'table', name: 'target', actual }
  },
  (one, other) => (before) => {
    // With it goes whatever is over it.
    const { at, column: gone } = placed(before, one, other)
    const isLeft = (part: { columns: readonly string[] }): boolean =>
      !part.columns.includes(gone.name)
    const actual = changedTable(before, at, (each) => ({
      columns: each.columns.filter((left) => left !== gone),
      indexes: each.indexes.filter(isLeft),
      checks: each.checks.filter(isLeft),
      foreignKeys: each.foreignKeys.filter(isLeft),
    }))
    return { kind: 'column', name: gone.name, actual }
  },
  (one) => (before) => {
    const { at } = placed(before, one, 0)
    const actual = changedTable(before, at, ({ columns: all }) => ({
      columns: [...all, column('more', 'int')],
    }))
    return { kind: 'column', name: 'more', actual }
  },
  (one, other) => (before) => withColumn(before, one, other, 'type', { type: 'uuid' }),
  (one, other) => (before) => {
    const { column: changed } = placed(before, one, other)
    return withColumn(before, one, other, 'nullability', { isNullable: !changed.isNullable })
  },
  (one, other) => (before) => withColumn(before, one, other, 'default', { default: '2' }),
  (one, other) => (before) => withColumn(before, one, other, 'comment', { comment: 'because' }),
  (one, other) => (before) => withColumn(before, one, other, 'collation', { collation: 'bin' }),
  (one) => (before) => {
    const { at, table: changed } = placed(before, one, 0)
    const actual = changedTable(before, at, () => ({ engine: 'MEMORY' }))
    return { kind: 'engine', name: changed.name, actual }
  },
  (one, other) => (before) => {
    const { at, column: over } = placed(before, one, other)
    const actual = changedTable(before, at, ({ indexes }) => ({
      indexes: [...indexes, { ...index('more', [over.name]), uniqueness: 'constraint' as const }],
    }))
    return { kind: 'unique', name: 'more', actual }
  },
  (one, other) => (before) => {
    const { at, column: over } = placed(before, one, other)
    const actual = changedTable(before, at, ({ checks }) => ({
      checks: [...checks, check('more', [over.name], 'whatever')],
    }))
    return { kind: 'check', name: 'more', actual }
  },
]

describe('compareSchemas(), of any schemas', () => {
  it('finds nothing between a schema and itself, however it is ordered', () => {
    fc.assert(
      fc.property(schemas, (one) => {
        const other = {
          ...one,
          tables: one.tables.toReversed().map((each) => ({
            ...each,
            columns: each.columns.toReversed(),
            indexes: each.indexes.toReversed(),
            checks: each.checks.toReversed(),
          })),
        }
        expect(compareSchemas(one, other)).to.deep.equal([])
      }),
    )
  })

  it('finds exactly the one thing that was changed, in either direction', () => {
    const anyChange = fc
      .tuple(fc.constantFrom(...changes), fc.nat(), fc.nat())
      .map(([change, one, other]) => change(one, other))
    fc.assert(
      fc.property(schemas, anyChange, (before, change) => {
        const { kind, name, actual } = change(before)
        for (const found of [compareSchemas(before, actual), compareSchemas(actual, before)])
          expect(found.map((each) => [each.kind, each.name])).to.deep.equal([[kind, name]])
      }),
      { numRuns: 300 },
    )
  })
})

import { compareColumns, haveOtherCollations } from './compare-columns.js'
import { compareAllParts } from './compare-parts.js'
import { type RawDifference, type SchemaDifference, withoutEchoes } from './difference.js'
import { pairedByName } from './pairs.js'
import type { SchemaObject, SchemaSnapshot, TableSnapshot } from './snapshot.js'

/**
 * In what a schema differs from a reference: nothing where they are the same. Each cause is told once:
 * a table that is missing is one difference, its columns and the foreign keys that point to it are not
 * differences of their own. The order of columns and names that a server makes up do not count.
 *
 * @param reference - of the same flavour as `actual`
 */
export const compareSchemas = (
  reference: SchemaSnapshot,
  actual: SchemaSnapshot,
): SchemaDifference[] =>
  withoutEchoes([
    ...databaseCollation(reference, actual),
    ...compareObjects('enum', reference.enums, actual.enums),
    ...compareObjects('sequence', reference.sequences, actual.sequences),
    ...pairedByName(reference.tables, actual.tables).flatMap(([one, other]) =>
      one !== undefined && other !== undefined && one.type === other.type
        ? compareTables(one, other, [reference.collation, actual.collation])
        : [loneTable(one, other)],
    ),
  ])

const databaseCollation = (reference: SchemaSnapshot, actual: SchemaSnapshot): RawDifference[] =>
  reference.collation === actual.collation
    ? []
    : [
        {
          kind: 'collation',
          table: undefined,
          name: 'database',
          reference: reference.collation,
          actual: actual.collation,
        },
      ]

const compareObjects = (
  kind: 'enum' | 'sequence',
  references: readonly SchemaObject[],
  actuals: readonly SchemaObject[],
): RawDifference[] =>
  pairedByName(references, actuals)
    .filter(([one, other]) => one?.definition !== other?.definition)
    .map(([one, other]) => ({
      kind,
      table: undefined,
      name: (one ?? other)?.name ?? '',
      reference: one?.definition,
      actual: other?.definition,
    }))

const summary = ({ type, columns }: TableSnapshot): string =>
  `${type} with ${columns.length === 1 ? 'one column' : `${columns.length} columns`}`

const loneTable = (
  one: TableSnapshot | undefined,
  other: TableSnapshot | undefined,
): RawDifference => {
  const present = one ?? other
  const name = present?.name ?? ''
  return {
    kind: present?.type ?? 'table',
    table: name,
    name,
    reference: one && summary(one),
    actual: other && summary(other),
  }
}

type Aspect = readonly [
  kind: 'view' | 'engine' | 'options' | 'collation' | 'comment',
  reference: string | undefined,
  actual: string | undefined,
]

const tableAspects = (
  reference: TableSnapshot,
  actual: TableSnapshot,
  [ours, theirs]: readonly (string | undefined)[],
): Aspect[] => {
  const aspects: Aspect[] = [
    ['view', reference.definition, actual.definition],
    ['engine', reference.engine, actual.engine],
    ['comment', reference.comment, actual.comment],
  ]
  // Each storage engine has settings of its own.
  if (reference.engine === actual.engine)
    aspects.push(['options', reference.options, actual.options])
  if (haveOtherCollations([reference.collation, ours], [actual.collation, theirs]))
    aspects.push(['collation', reference.collation, actual.collation])
  return aspects.filter(([, one, other]) => one !== other)
}

/** In what two tables or views of one name differ. The columns of a view are those of its query. */
const compareTables = (
  reference: TableSnapshot,
  actual: TableSnapshot,
  collations: readonly (string | undefined)[],
): RawDifference[] => {
  const { name, type } = reference
  const own = tableAspects(reference, actual, collations).map(
    ([kind, one, other]): RawDifference => ({
      kind,
      table: name,
      name,
      reference: one,
      actual: other,
    }),
  )
  const columns = type === 'view' ? [] : compareColumns(reference, actual)
  const namesOf = (kind: 'column' | 'type'): ReadonlySet<string> =>
    new Set(columns.filter((difference) => difference.kind === kind).map((each) => each.name))
  const loneColumns = namesOf('column')
  const retyped = namesOf('type')
  return [...own, ...columns, ...compareAllParts({ reference, actual, loneColumns, retyped })]
}

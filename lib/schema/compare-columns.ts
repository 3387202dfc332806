import type { DifferenceKind, RawDifference } from './difference.js'
import { loosely } from './loose.js'
import { pairedByName } from './pairs.js'
import type { ColumnSnapshot, TableSnapshot } from './snapshot.js'

const described = ({ type, isNullable, generation, ...column }: ColumnSnapshot): string =>
  [
    type,
    isNullable ? undefined : 'NOT NULL',
    column.default === undefined ? undefined : `DEFAULT ${column.default}`,
    generation,
  ]
    .filter((word) => word !== undefined)
    .join(' ')

const nullability = ({ isNullable }: ColumnSnapshot): string => (isNullable ? 'NULL' : 'NOT NULL')

/**
 * Whether collations differ by themselves. Where both things have that of what they are in, the
 * difference is that one's; what has none is of a type without.
 */
export const haveOtherCollations = (
  [reference, referenceDefault]: readonly (string | undefined)[],
  [actual, actualDefault]: readonly (string | undefined)[],
): boolean => reference !== actual && !(reference === referenceDefault && actual === actualDefault)

const aspectsOf = (
  reference: ColumnSnapshot,
  actual: ColumnSnapshot,
  tables: readonly [TableSnapshot, TableSnapshot],
): readonly (readonly [DifferenceKind, string | undefined, string | undefined])[] => {
  const isRetyped = reference.type !== actual.type
  const differ = (one: string | undefined, other: string | undefined): boolean =>
    isRetyped ? loosely(one ?? '') !== loosely(other ?? '') : one !== other
  const collations = haveOtherCollations(
    [reference.collation, tables[0].collation],
    [actual.collation, tables[1].collation],
  )
  const found: [DifferenceKind, string | undefined, string | undefined][] = []
  if (isRetyped) found.push(['type', reference.type, actual.type])
  if (reference.isNullable !== actual.isNullable)
    found.push(['nullability', nullability(reference), nullability(actual)])
  if (differ(reference.default, actual.default))
    found.push(['default', reference.default, actual.default])
  if (differ(reference.generation, actual.generation))
    found.push(['generation', reference.generation, actual.generation])
  // A type without a collation in the place of one with: that is the difference of types.
  const isOfType = isRetyped && [reference, actual].some((each) => each.collation === undefined)
  if (collations && !isOfType) found.push(['collation', reference.collation, actual.collation])
  if (reference.comment !== actual.comment)
    found.push(['comment', reference.comment, actual.comment])
  return found
}

/** In what the columns of two tables differ. Their order does not count. */
export const compareColumns = (reference: TableSnapshot, actual: TableSnapshot): RawDifference[] =>
  pairedByName(reference.columns, actual.columns).flatMap(([one, other]): RawDifference[] => {
    const table = reference.name
    if (one !== undefined && other !== undefined)
      return aspectsOf(one, other, [reference, actual]).map(([kind, ours, theirs]) => ({
        kind,
        table,
        name: one.name,
        reference: ours,
        actual: theirs,
      }))
    return [
      {
        kind: 'column',
        table,
        name: (one ?? other)?.name ?? '',
        reference: one && described(one),
        actual: other && described(other),
      },
    ]
  })

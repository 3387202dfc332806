import { type DifferenceKind, type RawDifference, keyOf } from './difference.js'
import { loosely } from './loose.js'
import { haveSameName, pairedParts } from './pairs.js'
import type { ForeignKeySnapshot, IndexSnapshot, TablePart, TableSnapshot } from './snapshot.js'

/** What is known of two tables of one name when their parts are compared. */
export interface TableContext {
  readonly reference: TableSnapshot
  readonly actual: TableSnapshot
  /** Names of the columns that only one of the two has. */
  readonly loneColumns: ReadonlySet<string>
  /** Names of the columns whose types differ. */
  readonly retyped: ReadonlySet<string>
}

/** How parts of one sort are compared. */
interface PartRules<T extends TablePart> {
  readonly parts: (table: TableSnapshot) => readonly T[]
  readonly kind: (parts: readonly T[]) => DifferenceKind
  readonly shown: (part: T) => string
  /** Whether they do the same, where their definitions agree. */
  readonly areAlike?: (one: T, other: T, context: TableContext) => boolean
  /** Keys of further differences that would explain this one. */
  readonly causes?: (part: T, context: TableContext) => readonly string[]
}

const haveSameDefinition = (
  one: TablePart,
  other: TablePart,
  { retyped }: TableContext,
): boolean => {
  if (one.definition === other.definition) return true
  const isRetyped = one.columns.some((column) => retyped.has(column))
  return isRetyped && loosely(one.definition) === loosely(other.definition)
}

/** The columns that only one of two parts is about. */
const disputed = (parts: readonly TablePart[]): string[] => {
  const [one, other] = [parts[0]?.columns ?? [], parts[1]?.columns ?? []]
  return [
    ...one.filter((column) => !other.includes(column)),
    ...other.filter((column) => !one.includes(column)),
  ]
}

const compareParts = <T extends TablePart>(
  rules: PartRules<T>,
  context: TableContext,
): RawDifference[] => {
  const { reference, actual, loneColumns } = context
  const areEqual = (one: T, other: T): boolean =>
    haveSameDefinition(one, other, context) && (rules.areAlike?.(one, other, context) ?? true)
  return pairedParts(rules.parts(reference), rules.parts(actual), areEqual).flatMap(
    ([one, other]): RawDifference[] => {
      if (
        one !== undefined &&
        other !== undefined &&
        areEqual(one, other) &&
        haveSameName(one, other)
      )
        return []
      const present = [one, other].filter((part) => part !== undefined)
      const renamed = one !== undefined && other !== undefined && one.name !== other.name
      const shown = (part: T | undefined): string | undefined =>
        part && (renamed ? `${part.name} ${rules.shown(part)}` : rules.shown(part))
      const name = one?.name ?? other?.name ?? ''
      return [
        {
          kind: rules.kind(present),
          table: reference.name,
          name,
          reference: shown(one),
          actual: shown(other),
          because: [
            ...disputed(present)
              .filter((column) => loneColumns.has(column))
              .map((column) => keyOf({ kind: 'column', table: reference.name, name: column })),
            ...(present.length === 1
              ? present.flatMap((part) => rules.causes?.(part, context) ?? [])
              : []),
          ],
        },
      ]
    },
  )
}

const uniquenessWords = {
  primary: 'PRIMARY KEY ',
  constraint: 'UNIQUE ',
  index: 'UNIQUE INDEX ',
  none: '',
} as const

const indexes: PartRules<IndexSnapshot> = {
  parts: (table) => table.indexes,
  kind: (parts) => {
    const words = parts.map(({ uniqueness }) => uniqueness)
    if (words.includes('primary')) return 'primary key'
    return words.every((word) => word === 'none') ? 'index' : 'unique'
  },
  shown: ({ uniqueness, method, definition }) =>
    `${uniquenessWords[uniqueness]}${method} ${definition}`,
  // Another storage engine has other methods.
  areAlike: (one, other, { reference, actual }) =>
    one.uniqueness === other.uniqueness &&
    (one.method === other.method || reference.engine !== actual.engine),
  // MySQL gives a foreign key an index of the same name.
  causes: ({ name }, { reference }) => [
    keyOf({ kind: 'foreign key', table: reference.name, name }),
  ],
}

const foreignKeys: PartRules<ForeignKeySnapshot> = {
  parts: (table) => table.foreignKeys,
  kind: () => 'foreign key',
  shown: ({ definition }) => definition,
  causes: ({ referencedTable }) => [
    keyOf({ kind: 'table', table: referencedTable, name: referencedTable }),
  ],
}

const checks: PartRules<TablePart> = {
  parts: (table) => table.checks,
  kind: () => 'check',
  shown: ({ definition }) => definition,
}

const triggers: PartRules<TablePart> = {
  parts: (table) => table.triggers,
  kind: () => 'trigger',
  shown: ({ definition }) => definition,
}

/** In what the indexes, keys, checks and triggers of two tables differ. */
export const compareAllParts = (context: TableContext): RawDifference[] => [
  ...compareParts(indexes, context),
  ...compareParts(foreignKeys, context),
  ...compareParts(checks, context),
  ...compareParts(triggers, context),
]

import type { TablePart } from './snapshot.js'

/** What one schema has, and what the other has in its place. */
export type Pair<T> = readonly [reference: T | undefined, actual: T | undefined]

/** Pairs what has the same name; what is left over stands alone. */
export const pairedByName = <T extends { readonly name: string }>(
  references: readonly T[],
  actuals: readonly T[],
): Pair<T>[] => {
  const byName = new Map(actuals.map((actual) => [actual.name, actual]))
  const pairs: Pair<T>[] = references.map((reference) => {
    const actual = byName.get(reference.name)
    byName.delete(reference.name)
    return [reference, actual]
  })
  return [...pairs, ...[...byName.values()].map((actual): Pair<T> => [undefined, actual])]
}

/**
 * Pairs the indexes, keys or checks of a table: first those that are the same and have the same name,
 * then those that are the same by another name, then those that only have the same name. A server
 * numbers the names that it makes up, so that they tell nothing between two servers.
 *
 * @param areEqual - whether two of them do the same
 */
export const pairedParts = <T extends TablePart>(
  references: readonly T[],
  actuals: readonly T[],
  areEqual: (one: T, other: T) => boolean,
): Pair<T>[] => {
  const left = new Set(actuals)
  const taken = new Map<T, T>()
  const take = (fits: (reference: T, actual: T) => boolean): void => {
    for (const reference of references) {
      if (taken.has(reference)) continue
      const actual = [...left].find((each) => fits(reference, each))
      if (actual === undefined) continue
      left.delete(actual)
      taken.set(reference, actual)
    }
  }
  take((one, other) => one.name === other.name && areEqual(one, other))
  take(areEqual)
  take((one, other) => one.name === other.name)
  return [
    ...references.map((reference): Pair<T> => [reference, taken.get(reference)]),
    ...[...left].map((actual): Pair<T> => [undefined, actual]),
  ]
}

/** Whether both names were made up by a server, or they are the same. */
export const haveSameName = (one: TablePart, other: TablePart): boolean =>
  one.name === other.name || (one.isNamedByServer && other.isNamedByServer)

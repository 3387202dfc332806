import { type EntityMetadata, InstanceChecker } from 'typeorm'
import type { Homes } from './homes.js'
import { isLazySettling } from './internals.js'

const isLiteral = (value: object): boolean => {
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === Object.prototype || proto === null
}

const collect = (value: unknown, homes: Homes, found: object[], isOutermost: boolean): void => {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const each of value) collect(each, homes, found, isOutermost)
    return
  }
  if (InstanceChecker.isFindOperator(value)) return collect(value.value, homes, found, isOutermost)
  const isAtHome = homes.get(value) !== undefined
  if (isAtHome) found.push(value)
  // What an entity refers to belongs to it; dates, buffers and the like hold no entities.
  if (!isOutermost && (isAtHome || !isLiteral(value))) return
  for (const key in value) {
    const inner: unknown = (value as Record<string, unknown>)[key]
    if (typeof inner === 'object') collect(inner, homes, found, false)
  }
}

const none: readonly object[] = []

/**
 * The entities with a home that criteria name: themselves, as the value of a relation, in a list, or
 * inside a find operator.
 */
export const namedInCriteria = (criteria: unknown, homes: Homes): readonly object[] => {
  if (typeof criteria !== 'object' || criteria === null) return none
  const found: object[] = []
  collect(criteria, homes, found, true)
  return found
}

/** The entities with a home among the rows to be written, and those that the rows' relations name. */
export const namedInValues = (
  rows: readonly unknown[],
  metadata: EntityMetadata | undefined,
  homes: Homes,
): readonly object[] => {
  const found: object[] = []
  const add = (value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) add(each)
    else if (homes.get(value) !== undefined) found.push(value as object)
  }
  for (const row of rows) {
    if (typeof row !== 'object' || row === null) continue
    add(row)
    // A literal has the value of a lazy relation in the property itself, where an entity would load it.
    const isPlain = isLiteral(row)
    for (const relation of metadata?.relations ?? []) add(relation.getEntityValue(row, isPlain))
  }
  return found
}

/** Whether a lazy relation of a row was just set: its value is known a moment later. */
export const isAnySettling = (
  rows: readonly unknown[],
  metadata: EntityMetadata | undefined,
): boolean =>
  metadata !== undefined &&
  metadata.lazyRelations.length > 0 &&
  rows.some(
    (row) =>
      typeof row === 'object' &&
      row !== null &&
      metadata.lazyRelations.some((relation) => isLazySettling(row, relation)),
  )

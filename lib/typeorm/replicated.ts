import type { EntityMetadata } from 'typeorm'

const marked = new WeakSet<object>()

/**
 * Marks an entity as replicated. With `fullyReplicated: false` only marked entities, and those in the
 * configuration's `replicated` list, are read from replicas.
 *
 * @returns a class decorator, for legacy and for standard decorators
 */
export const Replicated =
  () =>
  (entity: Function, _context?: ClassDecoratorContext): void => {
    marked.add(entity)
  }

/** Whether an entity was marked, or is in the list by its class, schema or name. */
export const isReplicatedEntity = (
  metadata: EntityMetadata,
  listed: readonly (string | Function | object)[],
): boolean => {
  const { target, name, tableName } = metadata
  if (typeof target === 'function' && marked.has(target)) return true
  return listed.some((entry) =>
    typeof entry === 'string'
      ? entry === name || entry === tableName
      : entry === target || (entry as { options?: { name?: string } }).options?.name === name,
  )
}

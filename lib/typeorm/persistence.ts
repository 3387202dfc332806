import type { EntityManager } from 'typeorm'
import { ReadOnlyScopeError } from '../errors.js'
import { boundTo, stateOf, targetOf } from './binding.js'
import { overlayOf } from './internals.js'
import type { Shard } from './shard.js'

/**
 * Saves or removes entities on the shard they come from; those without a home go where the manager
 * works, and are at home there afterwards.
 *
 * @param run - TypeORM's own operation, on the manager that it is given
 * @throws CrossShardError before any SQL, if entities of another shard are among them
 * @throws ReadOnlyScopeError on a runner in replica mode
 */
export const persist = (
  manager: EntityManager,
  operation: string,
  target: unknown,
  entity: unknown,
  run: (manager: EntityManager) => Promise<unknown>,
): Promise<unknown> => {
  // A rejection, as from TypeORM's own checks, not an exception.
  try {
    return manager.queryRunner === undefined
      ? persistOwn(manager, operation, target, entity, run)
      : persistOnRunner(manager, operation, entity, run)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** On a transaction's or a user's runner, which stays on its shard. */
const persistOnRunner = (
  manager: EntityManager,
  operation: string,
  entity: unknown,
  run: (manager: EntityManager) => Promise<unknown>,
): Promise<unknown> => {
  const state = stateOf(manager.queryRunner)
  if (state === undefined) return run(manager)
  const { homes } = state.runtime
  homes.common(entity, operation)
  homes.checkNotForeign(entity, state.shard, operation)
  if (state.route.role === 'replica' && !state.route.isReadOnly)
    throw new ReadOnlyScopeError(state.shard.name, operation)
  return recordingHome(run(manager), entity, state.shard)
}

const persistOwn = (
  manager: EntityManager,
  operation: string,
  target: unknown,
  entity: unknown,
  run: (manager: EntityManager) => Promise<unknown>,
): Promise<unknown> => {
  const binding = boundTo(manager.dataSource)
  const { runtime } = binding
  const home = runtime.homes.common(entity, operation)
  if (home !== undefined && !binding.isFloating)
    runtime.homes.checkNotForeign(entity, binding.shard, operation)
  const place = targetOf(manager.dataSource)
  const shard = home ?? place.shard
  const by = home === undefined ? place.by : 'home'
  const metadata = runtime.metadataOf(shard, target ?? constructorOf(entity))
  const overlay = overlayOf(manager)
  const dataSource = shard.overlay(place.frame, by, () =>
    runtime.openRunner(shard, by, place.frame, 'persist', operation, metadata),
  )
  Object.defineProperty(overlay, 'dataSource', { value: dataSource })
  const work = () => run(overlay)
  const hasListeners =
    dataSource.subscribers.length > 0 || metadata === undefined || metadata.listeners.length > 0
  // Subscribers and listeners read what is being saved: from the primary.
  const result =
    hasListeners && shard.topology.replicas.length > 0
      ? runtime.scopes.enter(
          {
            label: operation,
            origin: 'library',
            primaryFor: { shard: shard.name, because: 'persisting' },
          },
          work,
        )
      : work()
  // In a list, some may have had no home yet.
  return home === undefined || Array.isArray(entity) ? recordingHome(result, entity, shard) : result
}

const recordingHome = <T>(result: Promise<T>, entity: unknown, shard: Shard): Promise<T> =>
  result.then((value) => {
    shard.runtime.homes.set(entity, shard)
    return value
  })

const constructorOf = (entity: unknown): unknown => {
  const first = (Array.isArray(entity) ? entity[0] : entity) as unknown
  return typeof first === 'object' && first !== null ? first.constructor : undefined
}

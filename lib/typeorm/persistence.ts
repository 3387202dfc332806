import type { EntityManager, EntityMetadata } from 'typeorm'
import { ReadOnlyScopeError } from '../errors.js'
import { boundTo, stateOf, targetOf } from './binding.js'
import { entityGraph } from './entity-graph.js'
import { assign, overlayOf } from './internals.js'
import type { Runtime } from './runtime.js'
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
      : persistOnRunner(manager, operation, target, entity, run)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** On a transaction's or a user's runner, which stays on its shard. */
const persistOnRunner = (
  manager: EntityManager,
  operation: string,
  target: unknown,
  entity: unknown,
  run: (manager: EntityManager) => Promise<unknown>,
): Promise<unknown> => {
  const state = stateOf(manager.queryRunner)
  if (state === undefined) return run(manager)
  const { runtime, shard, route } = state
  const graph = entityGraph(entity, (each) => metadataOf(runtime, shard, target, each))
  runtime.homes.checkNotForeign(graph, shard, operation)
  if (route.role === 'replica' && !route.isReadOnly)
    throw new ReadOnlyScopeError(shard.name, operation)
  return recordingHomes(run(manager), graph, shard)
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
  const { homes } = runtime
  const place = targetOf(manager.dataSource)
  const graphOn = (shard: Shard) =>
    entityGraph(entity, (each) => metadataOf(runtime, shard, target, each))
  const graph = graphOn(place.shard)
  const home = homes.common(graph, operation)
  if (!binding.isFloating) homes.checkNotForeign(graph, binding.shard, operation)
  const shard = home ?? place.shard
  const by = home === undefined ? place.by : 'home'
  const metadata = metadataOf(runtime, shard, target, firstOf(entity))
  const overlay = overlayOf(manager)
  const dataSource = shard.overlay(place.frame, by, () => {
    // TypeORM has let lazy relations settle by now.
    if (metadata !== undefined && metadata.lazyRelations.length > 0)
      homes.checkNotForeign(graphOn(shard), shard, operation)
    return runtime.openRunner(shard, by, place.frame, 'persist', operation, metadata)
  })
  assign(overlay, { dataSource })
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
  return recordingHomes(result, graph, shard)
}

/** Records the homes of those that had none, once they are saved. */
const recordingHomes = <T>(
  result: Promise<T>,
  graph: readonly object[],
  shard: Shard,
): Promise<T> => {
  const { homes } = shard.runtime
  const homeless = graph.filter((entity) => homes.get(entity) === undefined)
  if (homeless.length === 0) return result
  return result.then((value) => {
    homes.set(homeless, shard)
    return value
  })
}

const firstOf = (entity: unknown): unknown => (Array.isArray(entity) ? entity[0] : entity)

const metadataOf = (
  runtime: Runtime,
  shard: Shard,
  target: unknown,
  entity: unknown,
): EntityMetadata | undefined =>
  runtime.metadataOf(
    shard,
    target ?? (typeof entity === 'object' && entity !== null ? entity.constructor : undefined),
  )

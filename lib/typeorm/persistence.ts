import type { EntityManager, EntityMetadata } from 'typeorm'
import { ReadOnlyScopeError } from '../errors.js'
import { livesOn } from '../router/unsharded.js'
import type { ShardReason } from '../trace/event.js'
import { type Target, boundTo, stateOf, targetOf } from './binding.js'
import { type EntityGraph, entityGraph } from './entity-graph.js'
import { assign, overlayOf } from './internals.js'
import type { RunnerState } from './runner-state.js'
import type { Runtime } from './runtime.js'
import type { Shard } from './shard.js'

/** A save or remove, as it was asked of a manager. */
export interface Persistence {
  readonly manager: EntityManager
  readonly operation: 'save' | 'remove' | 'softRemove' | 'recover'
  readonly target: unknown
  /** One entity, or a list. */
  readonly entity: unknown
  /** TypeORM's own operation, on the manager that it is given. */
  readonly run: (manager: EntityManager) => Promise<unknown>
}

/**
 * Saves or removes entities on the shard they come from; those without a home go where the manager
 * works, and are at home there from then on.
 *
 * @throws CrossShardError before any SQL, if entities of another shard are among them
 * @throws ReadOnlyScopeError on a runner in replica mode
 */
export const persist = (work: Persistence): Promise<unknown> => {
  // A rejection, as from TypeORM's own checks, not an exception.
  try {
    const { queryRunner } = work.manager
    if (queryRunner === undefined) return persistOwn(work)
    const state = stateOf(queryRunner)
    return state === undefined ? work.run(work.manager) : persistOnRunner(work, state)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** On a transaction's or a user's runner, which stays on its shard. */
const persistOnRunner = (
  work: Persistence,
  { runtime, shard, route }: RunnerState,
): Promise<unknown> => {
  const { manager, operation, run } = work
  const graph = graphOn(work, shard)
  runtime.homes.checkNotForeign(graph.keys(), shard, operation)
  if (route.role === 'replica' && !route.isReadOnly)
    throw new ReadOnlyScopeError(shard.name, operation)
  return atHomeOn(shard, graph, () => run(manager))
}

const persistOwn = (work: Persistence): Promise<unknown> => {
  const { manager, operation, run } = work
  const { runtime } = boundTo(manager.dataSource)
  const { homes } = runtime
  const place = placeOf(work)
  const { shard, by, graph } = chooseShard(work, place)
  const metadata = rootMetadata(work, shard)
  const overlay = overlayOf(manager)
  const dataSource = shard.overlay(place.frame, by, () => {
    // TypeORM has let lazy relations settle by now.
    if (metadata !== undefined && metadata.lazyRelations.length > 0)
      homes.checkNotForeign(graphOn(work, shard).keys(), shard, operation)
    return runtime.openRunner(shard, by, place.frame, 'persist', operation, metadata)
  })
  assign(overlay, { dataSource })
  const hasListeners =
    dataSource.subscribers.length > 0 || metadata === undefined || metadata.listeners.length > 0
  return atHomeOn(shard, graph, () =>
    // Subscribers and listeners read what is being saved: from the primary.
    hasListeners && shard.topology.replicas.length > 0
      ? runtime.scopes.enter(
          {
            label: operation,
            origin: 'library',
            primaryFor: { shard: shard.name, because: 'persisting' },
          },
          () => run(overlay),
        )
      : run(overlay),
  )
}

/** Where the manager works on such entities now. */
const placeOf = (work: Persistence): Target => {
  const { dataSource } = work.manager
  const place = targetOf(dataSource)
  return place.runtime.pins.isEmpty ? place : targetOf(dataSource, rootMetadata(work, place.shard))
}

interface Chosen {
  readonly shard: Shard
  readonly by: ShardReason
  /** What the work touches. */
  readonly graph: EntityGraph
}

/** The home of the entities; where they have none, the place where the manager works. */
const chooseShard = (work: Persistence, place: Target): Chosen => {
  const { homes, pins } = place.runtime
  const graph = graphOn(work, place.shard)
  const home = homes.common(graph.keys(), work.operation)
  if (place.by === 'handle') homes.checkNotForeign(graph.keys(), place.shard, work.operation)
  const pin = pins.of(rootMetadata(work, place.shard))
  if (home !== undefined && (pin === undefined || livesOn(pin, home.shard.name)))
    return { shard: home.shard, by: 'home', graph }
  const by = ambientReasons.has(place.by) ? 'untracked' : place.by
  return { shard: place.shard, by, graph }
}

/** The rules under which a shard is that of the surroundings. */
const ambientReasons: ReadonlySet<ShardReason> = new Set(['scope', 'environment', 'default'])

/** Runs what saves `graph`, whose homeless entities are at home on `shard` unless it fails: who looks
 *  at them while they are saved sees it. */
const atHomeOn = <T>(shard: Shard, graph: EntityGraph, run: () => Promise<T>): Promise<T> => {
  const { homes } = shard.runtime
  const homeless: object[] = []
  for (const [entity, metadata] of graph)
    if (homes.get(entity) === undefined) {
      homes.set(entity, shard.homeOf(metadata))
      homeless.push(entity)
    }
  if (homeless.length === 0) return run()
  return run().catch((error: unknown) => {
    homes.forget(homeless)
    throw error
  })
}

const graphOn = ({ target, entity }: Persistence, shard: Shard): EntityGraph =>
  entityGraph(entity, (each) => metadataOf(shard.runtime, shard, target, each), shard.runtime.pins)

const rootMetadata = ({ target, entity }: Persistence, shard: Shard): EntityMetadata | undefined =>
  metadataOf(shard.runtime, shard, target, Array.isArray(entity) ? entity[0] : entity)

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

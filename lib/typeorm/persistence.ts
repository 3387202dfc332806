import type { EntityManager, EntityMetadata } from 'typeorm'
import { ReadOnlyScopeError } from '../errors.js'
import { livesOn } from '../router/unsharded.js'
import type { ShardReason } from '../trace/event.js'
import { type Target, boundTo, stateOf, targetOf } from './binding.js'
import { type EntityGraph, entityGraph, isSettling } from './entity-graph.js'
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
    if (queryRunner === undefined) {
      const place = placeOf(work)
      return withGraph(work, place.shard, (graph) => persistOwn(work, place, graph))
    }
    const state = stateOf(queryRunner)
    if (state === undefined) return work.run(work.manager)
    return withGraph(work, state.shard, (graph) => persistOnRunner(work, state, graph))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Hands over what the work touches. TypeORM, too, gives lazy relations that were just set a moment to
 *  settle before it looks at them. */
const withGraph = (
  work: Persistence,
  shard: Shard,
  use: (graph: EntityGraph) => Promise<unknown>,
): Promise<unknown> => {
  const graph = graphOn(work, shard)
  return isSettling(graph) ? Promise.resolve().then(() => use(graphOn(work, shard))) : use(graph)
}

/** On a transaction's or a user's runner, which stays on its shard. */
const persistOnRunner = (
  work: Persistence,
  { runtime, shard, route }: RunnerState,
  graph: EntityGraph,
): Promise<unknown> => {
  const { manager, operation, run } = work
  runtime.homes.checkNotForeign(graph.keys(), shard, operation)
  if (route.role === 'replica' && !route.isReadOnly)
    throw new ReadOnlyScopeError(shard.name, operation)
  const own = isSettling(graph) ? lookingAgain(work, shard) : manager
  return atHomeOn(shard, graph, () => run(own))
}

/** The work's manager for where a promise that was set kept its value until now: checks the entities
 *  again when TypeORM looks at them, which is when it asks for their metadata. */
const lookingAgain = (work: Persistence, shard: Shard): EntityManager => {
  const { manager, operation } = work
  const dataSource = overlayOf(manager.dataSource)
  const getMetadata: typeof dataSource.getMetadata = (target) => {
    shard.runtime.homes.checkNotForeign(graphOn(work, shard).keys(), shard, operation)
    return manager.dataSource.getMetadata(target)
  }
  return assign(overlayOf(manager), { dataSource: assign(dataSource, { getMetadata }) })
}

const persistOwn = (work: Persistence, place: Target, graph: EntityGraph): Promise<unknown> => {
  const { manager, operation, run } = work
  const { runtime } = boundTo(manager.dataSource)
  const { homes } = runtime
  const { shard, by } = chooseShard(work, place, graph)
  const metadata = rootMetadata(work, shard)
  const isStillSettling = isSettling(graph)
  const overlay = overlayOf(manager)
  const dataSource = shard.overlay(place.frame, by, () => {
    // A promise that was set may keep its value until now, when TypeORM looks.
    if (isStillSettling) homes.common(graphOn(work, shard).keys(), operation)
    return runtime.openRunner(shard, by, place.frame, 'persist', operation, metadata)
  })
  assign(overlay, { dataSource })
  const hasListeners =
    dataSource.subscribers.length > 0 || metadata === undefined || metadata.listeners.length > 0
  return atHomeOn(shard, graph, () =>
    // Subscribers and listeners read what is being saved: from the primary.
    hasListeners && shard.hasCopies
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

type Chosen = Pick<Target, 'shard' | 'by'>

/** The home of the entities; where they have none, the place where the manager works. */
const chooseShard = (work: Persistence, place: Target, graph: EntityGraph): Chosen => {
  const { homes, pins } = place.runtime
  const home = homes.common(graph.keys(), work.operation)
  if (place.by === 'handle') homes.checkNotForeign(graph.keys(), place.shard, work.operation)
  const pin = pins.of(rootMetadata(work, place.shard))
  if (home !== undefined && (pin === undefined || livesOn(pin, home.shard.name)))
    return { shard: home.shard, by: 'home' }
  const by = ambientReasons.has(place.by) ? 'untracked' : place.by
  return { shard: place.shard, by }
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

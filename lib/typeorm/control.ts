import type { DataSource, EntityTarget, ObjectLiteral, SelectQueryBuilder } from 'typeorm'
import { UnknownShardError } from '../errors.js'
import type { PoolInfo } from '../pool/registry.js'
import type { Traced } from '../scopes/scopes.js'
import type { RouteListener, RouteListenerOptions } from '../trace/hub.js'
import { type ExplainOperation, type Explanation, explain } from './explain.js'
import type { Runtime } from './runtime.js'

/** The control surface of a wrapped data source: `db.octopus`. */
export class OctopusControl {
  readonly #runtime: Runtime

  /** @internal */
  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** Name of the shard that is the wrapped DataSource itself. */
  get defaultShard(): string {
    return this.#runtime.store.current.defaultShard
  }

  /** The names of all shards, the default one first. */
  get shardNames(): readonly string[] {
    return this.#runtime.store.current.shardNames
  }

  /** The shard groups, with the names of their shards. */
  get groups(): ReadonlyMap<string, readonly string[]> {
    return this.#runtime.store.current.groups
  }

  /** Name of the shard that work runs on here. */
  currentShard(): string {
    return this.#runtime.scopes.currentShard()
  }

  /**
   * Opens a scope that names no shard: inside it, reads follow writes. What a web framework's
   * middleware does for each request.
   */
  scope<R>(work: () => R): R {
    return this.#runtime.scopes.scope(work)
  }

  /**
   * Calls `listener` after every routed statement. What it throws becomes a process warning and
   * affects no statement.
   *
   * @returns a function that ends it
   */
  onRoute(listener: RouteListener, options: RouteListenerOptions = {}): () => void {
    return this.#runtime.trace.add(listener, options)
  }

  /** Runs `work` and returns its value with the events of all statements that were sent in it. */
  withTrace<R>(work: () => R | Promise<R>, options: RouteListenerOptions = {}): Promise<Traced<R>> {
    return this.#runtime.scopes.withTrace(work, options)
  }

  /**
   * The decision for an operation on an entity, a query builder or raw SQL, as it would be made here
   * and now. Never touches a server.
   *
   * @param target - an entity, a select query builder, or SQL for the operation `query`
   * @throws ReadOnlyScopeError and NoReplicaError as the operation itself would
   */
  explain(
    target: EntityTarget<ObjectLiteral> | SelectQueryBuilder<ObjectLiteral>,
    operation: ExplainOperation = 'find',
  ): Explanation {
    return explain(this.#runtime, target, operation)
  }

  /** Every server's pool with its numbers, opened or not. */
  pools(): readonly PoolInfo[] {
    return this.#runtime.pools.list(this.#runtime.store.current)
  }

  /** Name of the shard an entity came from; undefined if it was neither loaded nor saved. */
  shardOf(entity: object): string | undefined {
    return this.#runtime.homes.get(entity)?.name
  }

  /**
   * Declares where an entity is at home, for one that was not loaded through the data source.
   *
   * @returns the entity
   * @throws UnknownShardError if there is no such shard
   */
  bindShard<E extends object>(entity: E, shard: string): E {
    const { shardNames } = this
    if (!shardNames.includes(shard)) throw new UnknownShardError(shard, shardNames)
    const home = this.#runtime.shard(shard)
    const metadata = this.#runtime.metadataOf(home, entity.constructor)
    this.#runtime.homes.set(entity, home.homeOf(metadata))
    return entity
  }

  /**
   * Whether two objects stand for one row: the same entity and id, at home on the same shard. For what
   * has no id or no home only an object itself is the same.
   */
  isSameRecord(one: object, other: object): boolean {
    if (one === other) return true
    const { homes } = this.#runtime
    const home = homes.of(one)
    return home === homes.of(other) && (home?.metadata?.compareEntities(one, other) ?? false)
  }

  /** The DataSource that was wrapped. */
  get dataSource(): DataSource {
    return this.#runtime.front
  }
}

import type { DataSource, EntityTarget, ObjectLiteral, SelectQueryBuilder } from 'typeorm'
import { UnknownShardError } from '../errors.js'
import type { PoolInfo } from '../pool/registry.js'
import type { ExportWritesOptions, ScopeOptions } from '../scopes/carried-writes.js'
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

  /** For how many milliseconds reads follow a write in the same scope; 0 if they do not. */
  get readYourWritesMs(): number {
    return this.#runtime.policy.readYourWritesMs
  }

  /**
   * Opens a scope that names no shard: inside it, reads follow writes. What a web framework's
   * middleware does for each request.
   *
   * @throws WritesTokenError if `writes` is not a token of this data source, or has expired
   * @throws ConfigError if it is given, and there is no `readYourWrites.secret`
   */
  scope<R>(work: () => R, options: ScopeOptions = {}): R {
    return this.#runtime.scopes.scope(work, options)
  }

  /**
   * A signed token of what the scope around the caller, with all scopes around and in it, has written
   * so far, for `scope(work, { writes })` in the next request, a job or another process. It shows the
   * shards' names and the times to whoever holds it.
   *
   * @returns undefined if nothing was written within `readYourWrites.windowMs`
   * @throws InvalidScopeError outside every scope
   * @throws ConfigError if there is no `readYourWrites.secret`
   */
  exportWrites(options: ExportWritesOptions = {}): string | undefined {
    return this.#runtime.scopes.exportWrites(options)
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
    return this.#runtime.homes.areSame(one, other)
  }

  /** The DataSource that was wrapped. */
  get dataSource(): DataSource {
    return this.#runtime.front
  }
}

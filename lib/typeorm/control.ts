import type { DataSource } from 'typeorm'
import type { NodeOptions } from '../config/node-options.js'
import type { ReplicaOptions, ShardOptions } from '../config/options.js'
import { UnknownShardError } from '../errors.js'
import type { PoolListener } from '../pool/listeners.js'
import type { PoolInfo } from '../pool/registry.js'
import type { ShardValue } from '../scopes/fan-out.js'
import type { ExportWritesOptions, ScopeOptions } from '../scopes/carried-writes.js'
import type { Traced } from '../scopes/scopes.js'
import type { RouteListener, RouteListenerOptions } from '../trace/hub.js'
import type { StatementObserve, StatementObserveOptions } from '../trace/observers.js'
// oxlint-disable-next-line no-restricted-imports -- the inside has one door to this outer room, see `inspector`
import type { Inspector, InspectorOptions } from '../inspector/options.js'
import {
  type ExplainOperation,
  type ExplainOptions,
  type ExplainTarget,
  type Explanation,
  explain,
} from './explain.js'
import { type ScopeExplanation, explainScope } from './explain-scope.js'
import { MigrationControl } from './migrations/control.js'
import { type CheckNodesOptions, type NodesCheck, checkNodes } from './node-check/check-nodes.js'
import {
  type DisconnectOptions,
  type VerifiedNode,
  type VerifyOptions,
  type WarmOptions,
  disconnectAll,
  verifyAllShards,
  warm,
} from './pool-control.js'
import {
  type ClusterHooks,
  type ConnectionBudget,
  clusterHooksOf,
  connectionBudget,
  ownWorkers,
} from './processes.js'
import type { Runtime } from './runtime.js'
import { type TopologyDescription, describeTopology } from './topology-description.js'
import { SchemaControl } from './schema/schema-control.js'
import { type Seed, type SeedOptions, seedShards } from './seed.js'
import type { AddShardOptions, TopologyChanges } from './topology-changes.js'

/** The control surface of a wrapped data source: `db.octopus`. */
export class OctopusControl {
  readonly #runtime: Runtime
  readonly #changes: TopologyChanges
  /** Compares and changes the schemas of shards. */
  readonly schema: SchemaControl

  /** Migrations across the shards: their plan, runs, reverts. */
  readonly migrations: MigrationControl

  /** @internal */
  constructor(runtime: Runtime, changes: TopologyChanges) {
    this.#runtime = runtime
    this.migrations = new MigrationControl(runtime)
    this.#changes = changes
    this.schema = new SchemaControl(runtime)
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

  /** Shards, groups and servers as they are now, for people and programs. Without credentials. */
  topology(): TopologyDescription {
    return describeTopology(this.#runtime)
  }

  /** The `revision` of `topology()`, without making that: what was made of `pools()` holds while it stays. */
  get topologyRevision(): number {
    return this.#runtime.store.current.revision
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
   * @param options - which events it wants, and what in them beyond the default
   * @returns a function that ends it
   * @throws TypeError if `sample` is not a number from 0 to 1
   */
  onRoute(listener: RouteListener, options: RouteListenerOptions = {}): () => void {
    return this.#runtime.trace.add(listener, options)
  }

  /**
   * Calls `observe` right before each statement is sent, in the async context of its caller, and tells
   * what it returns how the statement ended: for spans, which have to be there while the driver sends. A
   * second try of a lost read is a statement of its own. What the result cache answers has a start and an
   * end, and is not sent. What an observer throws becomes a process warning and affects no statement.
   *
   * @returns a function that ends it
   */
  onStatement(observe: StatementObserve, options: StatementObserveOptions = {}): () => void {
    return this.#runtime.trace.observers.add(observe, options)
  }

  /** Runs `work` and returns its value with the events of all statements that were sent in it. */
  withTrace<R>(work: () => R | Promise<R>, options: RouteListenerOptions = {}): Promise<Traced<R>> {
    return this.#runtime.scopes.withTrace(work, options)
  }

  /**
   * The decision for an operation on an entity, for a query builder or for SQL, as it would be made here
   * and now: the rules that were asked, why each applied or not, and what would change it. Never touches
   * a server.
   *
   * @param target - an entity, a query builder, `{ sql }`, or SQL itself for the operation `query`
   * @param operation - what would be done with an entity: `find` where it is left out
   * @throws ReadOnlyScopeError, NoReplicaError and CrossShardError as the operation itself would
   * @throws UnknownShardError if `options.shard` names none
   */
  explain(
    target: ExplainTarget,
    operation?: ExplainOperation,
    options: ExplainOptions = {},
  ): Explanation {
    return explain(this.#runtime, target, operation, options)
  }

  /** What the scope around the caller is: where it was opened, on which shard, what it has written. */
  explainScope(): ScopeExplanation {
    return explainScope(this.#runtime)
  }

  /**
   * Calls `listener` when a replica goes out of service or comes back, and whenever a connection is
   * made or lent, or could not be. What it throws becomes a process warning and affects no connection.
   *
   * @returns a function that ends it
   */
  onPool(listener: PoolListener): () => void {
    return this.#runtime.pools.listeners.add(listener)
  }

  /** Every server's pool with its numbers and its server's address, opened or not. */
  pools(): readonly PoolInfo[] {
    return this.#runtime.pools.list(this.#runtime.store.current)
  }

  /**
   * Changes where a server is or how it is connected. New work goes to the new server at once; what
   * runs on the old one is finished there. What inherits from the changed options changes too.
   *
   * @param node - its name, as `pools()` lists it; it stays the same
   * @param options - what is to be different
   * @returns when the last connection to the old server is closed: do not await it in a transaction there
   * @throws UnknownShardError, UnknownNodeError, and ConfigError as `octopus()` would; nothing is
   *   changed then
   */
  updateNode(shard: string, node: string, options: NodeOptions): Promise<void> {
    return this.#changes.updateNode(shard, node, options)
  }

  /**
   * Adds a shard, which can be used at once.
   *
   * @throws UnknownGroupError if one of `groups` does not exist
   * @throws ConfigError as `octopus()` would, or if the shard needs what only `initialize()` does
   */
  addShard(name: string, options: ShardOptions, added: AddShardOptions = {}): Promise<void> {
    return this.#changes.addShard(name, options, added)
  }

  /**
   * Removes a shard, also from the groups that list it. What runs there is finished; what comes after
   * gets an UnknownShardError, entities that are at home there too.
   *
   * @returns when the last of its connections is closed: do not await it in a transaction there
   * @throws UnknownShardError if there is no such shard
   * @throws ConfigError if it is the default shard, or something cannot be without it
   */
  removeShard(name: string): Promise<void> {
    return this.#changes.removeShard(name)
  }

  /**
   * Adds a replica, which gets its share of the reads at once.
   *
   * @throws UnknownShardError if there is no such shard
   * @throws ConfigError as `octopus()` would
   */
  addReplica(shard: string, options: ReplicaOptions): Promise<void> {
    return this.#changes.addReplica(shard, options)
  }

  /**
   * Removes a replica. What runs there is finished.
   *
   * @returns when the last of its connections is closed: do not await it in work that reads there
   * @throws UnknownShardError, or UnknownNodeError if the shard has no such replica
   */
  removeReplica(shard: string, node: string): Promise<void> {
    return this.#changes.removeReplica(shard, node)
  }

  /**
   * Closes every connection to every server, in parallel, and leaves the data source usable: the next
   * use connects again. Statements that run are waited for, then cut off. Harmless twice.
   *
   * @throws AggregateError, after all have been closed, with what went wrong
   */
  disconnectAll(options: DisconnectOptions = {}): Promise<void> {
    return disconnectAll(this.#runtime, options)
  }

  /**
   * Verifies the idle connections of all pools that are open, and closes the bad ones: for a process
   * that was asleep, or a health check. Opens no pool and touches no connection that is in use.
   *
   * @returns one result for each server that had connections
   * @throws AggregateError with each failure, if `robust` is `false`
   */
  verifyAllShards(options: VerifyOptions = {}): Promise<readonly VerifiedNode[]> {
    return verifyAllShards(this.#runtime, options)
  }

  /**
   * Asks every server what it is, over a connection of its own for each: whether it is reached, whether
   * it has the role that it is configured with, whether replicas replicate, from their primary, and how
   * far they are behind, and how clocks, versions and settings differ. Works before `initialize()` too.
   * A server that fails is a finding, not an error.
   *
   * @throws InvalidScopeError if `concurrency` is not a whole number from 1
   */
  checkNodes(options: CheckNodesOptions = {}): Promise<NodesCheck> {
    return checkNodes(this.#runtime, options)
  }

  /**
   * Connects the primaries and replicas of shards before their first use.
   *
   * @throws UnknownShardError if one of them is not configured
   * @throws ConnectError for the first server that cannot be connected
   */
  warm(shards: readonly string[], options: WarmOptions = {}): Promise<void> {
    return warm(this.#runtime, shards, options)
  }

  /**
   * Fills shards with rows: runs the seeds on each, in one transaction on its primary and in a scope of
   * that shard, on several shards at a time. Where there are several shards, they have to be named.
   *
   * @returns how many seeds each shard had
   * @throws PendingMigrationsError before anything is run, if a shard has not had all migrations
   * @throws FanOutError after all shards have settled; what failed is rolled back
   * @throws InvalidScopeError if no shards are named, and there are several
   * @throws UnknownShardError, UnknownGroupError before anything is run
   */
  seed(seeds: Seed | readonly Seed[], options: SeedOptions = {}): Promise<ShardValue<number>[]> {
    return seedShards(this.#runtime, [seeds].flat(), options)
  }

  /**
   * How many connections the configuration can come to, server by server.
   *
   * @param workers - processes with these pools. Default: as `clusterHooks` told this one, or 1
   */
  connectionBudget(workers: number = ownWorkers()): ConnectionBudget {
    return connectionBudget(this.#runtime, workers)
  }

  /**
   * Hooks for the primary process of `node:cluster`, which closes its connections before it forks and
   * tells each worker its share of `maxConnections`.
   *
   * @throws TypeError if `workers` is not a whole number from 1
   */
  clusterHooks({ workers }: { readonly workers: number }): ClusterHooks {
    return clusterHooksOf(workers, {
      disconnect: () => this.disconnectAll(),
      verify: () => this.verifyAllShards(),
    })
  }

  /**
   * Serves a page that shows the live topology and the stream of routes, on loopback unless told
   * otherwise. It keeps no process alive, and costs statements nothing while no page is open. The same
   * as `startInspector` of `typeorm-octopus/inspector`, which only this call loads.
   *
   * @returns once it listens
   * @throws ConfigError for settings that are wrong, such as a host that is not loopback without a token
   * @throws the error of `node:http` if it cannot listen, such as `EADDRINUSE`
   */
  async inspector(options: InspectorOptions = {}): Promise<Inspector> {
    // oxlint-disable-next-line no-restricted-imports -- loaded by this call only, when all of the inside is
    const { startInspector } = await import('../inspector.js')
    return startInspector({ octopus: this }, options)
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

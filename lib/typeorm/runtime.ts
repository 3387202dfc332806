import type { DataSource, EntityMetadata, QueryRunner } from 'typeorm'
import type { ResolvedConfig } from '../config/resolved.js'
import type { Frame } from '../context/frame.js'
import type { Health } from '../pool/health.js'
import type { ProcessLimit } from '../pool/process-limit.js'
import type { PoolRegistry } from '../pool/registry.js'
import { Balancers } from '../router/balancer.js'
import { ambientShard, decide } from '../router/decide.js'
import type { RoutePolicy } from '../router/policy.js'
import type { Intent } from '../router/request.js'
import { pinnedShard } from '../router/unsharded.js'
import { CarriedWrites } from '../scopes/carried-writes.js'
import { Scopes } from '../scopes/scopes.js'
import { UnknownShardError } from '../errors.js'
import { type Topology, topologyOf } from '../topology/snapshot.js'
import { TopologyStore } from '../topology/store.js'
import type { RouteEventKind, ShardReason } from '../trace/event.js'
import { TraceHub } from '../trace/hub.js'
import { type Binding, type Target, bind, stateOf } from './binding.js'
import { EngineGroups } from './engine-group.js'
import { type Homed, Homes } from './homes.js'
import { overlayOf } from './internals.js'
import { MetadataWiring } from './metadata-wiring.js'
import { isReplicatedEntity } from './replicated.js'
import { processLimitOf } from './pool-settings.js'
import { connectionScopeOf, healthOf, poolsOf } from './pool-wiring.js'
import { RunnerState } from './runner-state.js'
import { createRunner } from './runners.js'
import { ShardSet } from './shard-set.js'
import type { Shard } from './shard.js'
import { Pins } from './unsharded.js'
import { type OriginalMethods, createBase, originalMethods } from './view.js'

/** Options that name a server or a file, or act on a schema: never passed from shard to shard. */
const ownOptions = new Set([
  'type',
  'host',
  'port',
  'url',
  'socketPath',
  'replication',
  'username',
  'password',
  'database',
  'location',
  'schema',
])

const kindOf = (intent: Intent): RouteEventKind =>
  intent === 'primary runner' || intent === 'replica runner' ? 'bypass' : 'statement'

/** One wrapped data source at work: what the proxy, its views and its runners share. */
export class Runtime {
  /** Token that marks this data source's scopes. */
  readonly owner = Object.freeze({})
  readonly front: DataSource
  readonly base: DataSource
  readonly original: OriginalMethods
  /** As it is now: shards and servers come and go. */
  config: ResolvedConfig
  readonly store: TopologyStore
  readonly policy: RoutePolicy
  readonly scopes: Scopes
  readonly pools: PoolRegistry
  readonly health: Health
  /** Keeps the connections of the process below a limit, where there is one. */
  readonly limit: ProcessLimit | undefined
  readonly balancers = new Balancers()
  readonly trace = new TraceHub()
  readonly homes = new Homes()
  /** The entities outside sharding. */
  readonly pins: Pins
  /** Monotonic clock, in milliseconds. */
  readonly now: () => number = () => performance.now()
  readonly #shards: ShardSet
  readonly groups: EngineGroups
  readonly metadata: MetadataWiring
  /** Whether `initialize()` is at work: what it does to the schema is asked for in the options. */
  isStarting = false
  /** Whether it is initialised, so that connections may be opened. */
  isStarted = false

  /**
   * @param front - the wrapped DataSource
   * @param ambient - the shard that the environment chose, if it did
   */
  constructor(front: DataSource, config: ResolvedConfig, ambient: string | undefined) {
    this.front = front
    this.config = config
    this.pins = new Pins(() => this.config)
    this.original = originalMethods(front)
    this.base = createBase(front)
    this.store = new TopologyStore(topologyOf(config))
    this.policy = {
      isEnabled: config.enabled,
      readYourWritesMs: config.readYourWritesMs,
      ambientShard: ambient,
    }
    const carried = new CarriedWrites(config.writesSeal, config.readYourWritesMs, {
      monotonic: this.now,
      wall: Date.now,
    })
    this.scopes = new Scopes(
      this.owner,
      this.store,
      this.policy,
      carried,
      { concurrency: config.fanOutConcurrency, callSites: config.traceCallSites },
      (late) => connectionScopeOf(this, late),
    )
    this.groups = new EngineGroups(this.base, config.shards[0].primary.connection)
    this.#shards = new ShardSet(this)
    this.metadata = new MetadataWiring(this)
    this.health = healthOf(this)
    this.limit = processLimitOf(this)
    this.pools = poolsOf(this)
  }

  /** How long running statements are waited for when all connections are closed: in milliseconds. */
  get drainMs(): number {
    return this.config.shards[0].pool.drainMs
  }

  /**
   * The shard of that name; where octopus is disabled, the default shard for every name.
   *
   * @throws UnknownShardError if there is none, or it was removed
   */
  shard(name: string): Shard {
    if (!this.config.enabled) return this.defaultShard
    const shard = this.#shards.get(name)
    if (shard === undefined) throw new UnknownShardError(name, this.store.current.shardNames)
    return shard
  }

  /**
   * Goes over to a changed configuration, all at once. A shard that was removed and comes back is the
   * same, so that handles and the homes of entities hold.
   *
   * @param moved - ids of the servers that are reached otherwise than before
   */
  reconfigure(config: ResolvedConfig, topology: Topology, moved: ReadonlySet<string>): void {
    this.config = config
    this.#shards.follow(config, moved)
    this.store.apply({ kind: 'topology', topology })
  }

  /** Tells the operator, through the wrapped DataSource's logger. */
  warn(message: string): void {
    this.front.logger.log('warn', message)
  }

  get shards(): Iterable<Shard> {
    return this.#shards.all
  }

  get defaultShard(): Shard {
    const shard = this.#shards.get(this.config.defaultShard)
    if (shard === undefined) throw new TypeError('A configuration has a default shard')
    return shard
  }

  /** A shard's TypeORM options, complete and flat. */
  optionsOf(shard: Shard): DataSource['options'] {
    if (shard.isDefault) return this.front.options
    const { entities, subscribers, migrations } = this.front.options
    return { entities, subscribers, migrations, ...shard.options } as DataSource['options']
  }

  /** Passes on to the other shards what `setOptions` changed on the wrapped DataSource. */
  shareOptions(options: object): void {
    const shared = Object.fromEntries(
      Object.entries(options).filter(([key]) => !ownOptions.has(key)),
    )
    for (const shard of this.shards) if (!shard.isDefault) Object.assign(shard.view.options, shared)
  }

  /**
   * Where a request made now through a binding goes.
   *
   * @param metadata - of the entity that the request is about, if it is about one
   * @throws CrossShardError if the entity is outside sharding and `strict`, and another shard is named
   */
  target(binding: Binding, metadata?: EntityMetadata): Target {
    const frame = binding.frame ?? this.scopes.current()
    const pin = this.pins.of(metadata)
    if (!binding.isFloating && pin === undefined)
      return { runtime: this, shard: binding.shard, by: binding.by, frame }
    const asked = binding.isFloating
      ? ambientShard(frame, this.store.current, this.policy)
      : { name: binding.shard.name, by: binding.by }
    const chosen = pin === undefined ? asked : pinnedShard(pin, asked)
    return { runtime: this, shard: this.shard(chosen.name), by: chosen.by, frame }
  }

  /** A data source object that goes where each call is made, standing at `shard`. */
  floatingOver(shard: Shard): DataSource {
    const source = overlayOf(shard.view)
    const binding = {
      runtime: this,
      shard,
      by: 'default',
      frame: undefined,
      isFloating: true,
    } as const
    bind(source, binding)
    Object.defineProperty(source, 'relationLoader', {
      configurable: true,
      get: () => this.front.relationLoader,
    })
    return source
  }

  /** The data source object of the scope around the caller. */
  currentSource(): DataSource {
    const frame = this.scopes.current()
    const chosen = ambientShard(frame, this.store.current, this.policy)
    const shard = this.shard(chosen.name)
    return frame === undefined ? shard.floating : shard.boundIn(frame, chosen.by)
  }

  /**
   * A data source object bound to the home of an entity.
   *
   * @param frame - the scope that it keeps; the one around the caller where it is left out
   */
  homeSource({ shard, entity }: Homed, frame = this.scopes.current()): DataSource {
    return bind(overlayOf(shard.view), {
      runtime: this,
      shard,
      by: 'home',
      frame,
      isFloating: false,
      because: { shard, entity },
    })
  }

  /**
   * Decides where a request goes and makes its query runner. Costs no connection.
   *
   * @throws what `decide` throws
   */
  openRunner(
    shard: Shard,
    by: ShardReason,
    frame: Frame | undefined,
    intent: Intent,
    operation: string,
    metadata: EntityMetadata | undefined,
  ): QueryRunner {
    const now = frame === undefined || frame.writes.size === 0 ? 0 : this.now()
    const isReplicated = intent !== 'read' || this.isReplicated(metadata)
    const request = { intent, operation, shard: { name: shard.name, by }, isReplicated }
    const route = decide(request, frame, this.store.current, now, this.policy)
    if (shard.family === 'other') return this.front.createQueryRunner()
    const kind = kindOf(intent)
    const facts = { runtime: this, shard, route, frame, intent, operation, metadata, kind }
    return createRunner(new RunnerState(facts))
  }

  /** Whether an entity may be read from replicas. */
  isReplicated(metadata: EntityMetadata | undefined): boolean {
    return (
      this.config.fullyReplicated ||
      (metadata !== undefined && isReplicatedEntity(metadata, this.config.replicated))
    )
  }

  /** The metadata of an entity on a shard; undefined for what is not an entity. */
  metadataOf(shard: Shard, target: unknown): EntityMetadata | undefined {
    const { entityMetadatasMap } = shard.view
    const known = entityMetadatasMap.get(target as never)
    if (known !== undefined || target === undefined) return known
    return shard.view.hasMetadata(target as never)
      ? shard.view.getMetadata(target as never)
      : undefined
  }

  /** Forgets the connections of a data source that is destroyed, so that it can start again. */
  reset(): void {
    this.metadata.reset()
    for (const shard of this.shards) shard.reset()
  }

  /** Records the home of an entity that TypeORM has just created. */
  recordCreated(entity: object, metadata: EntityMetadata, runner: QueryRunner | undefined): void {
    const shard = stateOf(runner)?.shard
    if (shard !== undefined) return this.homes.set(entity, shard.homeOf(metadata))
    const scope = this.scopes.current()?.shard
    if (scope !== undefined) this.homes.set(entity, this.shard(scope).homeOf(metadata))
  }
}

import type { DataSource, EntityMetadata, QueryRunner } from 'typeorm'
import { isDeepStrictEqual } from 'node:util'
import type { ResolvedEndpoint, ResolvedPool, ResolvedShard } from '../config/resolved.js'
import type { Frame } from '../context/frame.js'
import { failureOf } from '../pool/failure.js'
import type { ConnectionOwner, Connector, VerifiedConnection } from '../pool/lease.js'
import { type Endpoint, type ShardTopology, endpointId } from '../topology/snapshot.js'
import { PoolClosedError, UnknownNodeError, UnknownShardError } from '../errors.js'
import type { ShardReason } from '../trace/event.js'
import { bind } from './binding.js'
import {
  type ConnectionOptions,
  checkAbilities,
  connectorOf,
  copyAbilities,
  optionsOf,
  poolSizeOf,
  createDriver,
  detachPool,
  reachAs,
  sizeOption,
} from './drivers.js'
import type { EngineGroup } from './engine-group.js'
import type { Home } from './homes.js'
import { type Driver, type EngineFamily, assign, familyOf, overlayOf } from './internals.js'
import { driverExtra, workersOf } from './pool-settings.js'
import { checkServer } from './server-check.js'
import type { Runtime } from './runtime.js'
import { driverAccess } from './driver-access.js'
import { watchDriver } from './driver-watch.js'
import { Sockets } from './sockets.js'
import { markSite, stageOf } from './statement-failures.js'
import { createView } from './view.js'

/** Options of a replica beside its own: its schema is its primary's work. */
const replicaOnly = {
  synchronize: false,
  dropSchema: false,
  migrationsRun: false,
  installExtensions: false,
}

/** One shard at work: its view, its drivers and whether they are connected. */
export class Shard {
  readonly runtime: Runtime
  readonly name: string
  readonly engine: string
  readonly family: EngineFamily
  readonly group: EngineGroup
  #config: ResolvedShard
  readonly #drivers = new Map<string, Driver>()
  readonly #homes = new Map<EntityMetadata | undefined, Home>()
  #view: DataSource | undefined
  #floating: DataSource | undefined
  /** Whether the drivers' version flags are known, so that SQL for reads can be built. */
  canBuildReads = false

  constructor(runtime: Runtime, config: ResolvedShard, group: EngineGroup) {
    this.runtime = runtime
    this.name = config.name
    this.engine = config.engine
    this.family = familyOf(config.engine)
    this.group = group
    this.#config = config
  }

  /** Its servers now. */
  get topology(): ShardTopology {
    const { current } = this.runtime.store
    const topology = current.shards.get(this.name)
    if (topology === undefined) throw new UnknownShardError(this.name, current.shardNames)
    return topology
  }

  /** Whether reads may be answered by a copy: a replica, or what the result cache keeps. */
  get hasCopies(): boolean {
    return this.topology.replicas.length > 0 || this.runtime.front.queryResultCache !== undefined
  }

  get isDefault(): boolean {
    return this.name === this.runtime.store.current.defaultShard
  }

  /** How its connections are kept. */
  get poolConfig(): ResolvedPool {
    return this.#config.pool
  }

  /** The most connections to one of its servers. Makes no driver for it. */
  poolSize({ role, node }: Endpoint): number {
    if (role === 'replica') return sizeOption(this.#optionsOf(role, node))
    return sizeOption(this.isDefault ? { ...this.runtime.front.options } : this.options)
  }

  /** How long a statement may take, in milliseconds; 0 is without limit. */
  get queryTimeoutMs(): number {
    return this.#config.pool.queryTimeoutMs
  }

  /** The shard's own TypeORM options. */
  get options(): ConnectionOptions {
    return this.#config.primary.connection
  }

  /** The DataSource bound to this shard: what `db.shard(name)` returns. */
  get view(): DataSource {
    this.#view ??= createView(this)
    return this.#view
  }

  /** The data source object of builders made outside every scope, standing at this shard. */
  get floating(): DataSource {
    this.#floating ??= this.runtime.floatingOver(this)
    return this.#floating
  }

  /** A data source object bound to this shard that keeps the scope it was made in. */
  boundIn(frame: Frame | undefined, by: ShardReason): DataSource {
    const { runtime } = this
    return bind(overlayOf(this.view), { runtime, shard: this, by, frame, isFloating: false })
  }

  /** A data source object of this shard that hands out runners of one's own making. */
  overlay(
    frame: Frame | undefined,
    by: ShardReason,
    createQueryRunner: () => QueryRunner,
  ): DataSource {
    const { runtime } = this
    const source = overlayOf(this.view)
    bind(source, { runtime, shard: this, by, frame, isFloating: false })
    source.createQueryRunner = createQueryRunner
    return source
  }

  /** The driver of the primary: it escapes names and knows the server's version. */
  get driver(): Driver {
    return this.driverOf(this.topology.primary)
  }

  /** The driver of one server, made at its first use. */
  driverOf(endpoint: Endpoint): Driver {
    let driver = this.#drivers.get(endpoint.id)
    if (driver === undefined) {
      driver = createDriver(this.view, this.#optionsOf(endpoint.role, endpoint.node))
      watchDriver(driver, this, endpoint)
      this.#drivers.set(endpoint.id, driver)
    }
    return driver
  }

  /** Takes over the driver that the wrapped DataSource made for itself. */
  adoptDriver(driver: Driver): void {
    const { primary } = this.topology
    watchDriver(driver, this, primary)
    this.#drivers.set(primary.id, driver)
  }

  #optionsOf(role: ResolvedEndpoint['role'], node: string): ConnectionOptions {
    if (role === 'primary') return this.view.options as unknown as ConnectionOptions
    const { replicas } = this.#config
    const replica = replicas.find(({ name }) => name === node)
    if (replica !== undefined) return { ...replica.connection, ...replicaOnly }
    // It was removed under work that had chosen it; options without a host would reach localhost.
    const names = replicas.map(({ name }) => name)
    throw new UnknownNodeError(this.name, node, 'replica', names)
  }

  /**
   * Takes over a changed configuration. Servers that have moved keep their drivers, which connect to
   * the new place next; connections there are stay with the pool that opened them.
   *
   * @param isMoved - tells by id which servers are reached otherwise than before
   */
  reconfigure(config: ResolvedShard, isMoved: (id: string) => boolean): void {
    const former = this.#config
    this.#config = config
    const servers = [config.primary, ...config.replicas]
    const byId = new Map(servers.map((server) => [endpointId(this.name, server), server]))
    if (isMoved(endpointId(this.name, config.primary)))
      this.#changeOptions(former.primary.connection, config.primary.connection)
    for (const [id, driver] of this.#drivers) {
      const server = byId.get(id)
      if (server === undefined) this.#drivers.delete(id)
      else if (isMoved(id))
        reachAs(driver, createDriver(this.view, this.#optionsOf(server.role, server.name)))
    }
  }

  /** Is removed: whoever opened the pools of its drivers closes them, even if it comes back. */
  leave(): void {
    for (const driver of this.#drivers.values()) detachPool(driver)
  }

  /** Changes what is different in the options, and nothing that `setOptions` has set meanwhile. */
  #changeOptions(former: ConnectionOptions, present: ConnectionOptions): void {
    const { front } = this.runtime
    // A view that is not made yet takes its options from the configuration.
    if (this.#view === undefined) return
    const options: Record<string, unknown> = { ...this.view.options }
    for (const key of new Set([...Object.keys(former), ...Object.keys(present)]))
      if (!(key in present)) delete options[key]
      else if (!isDeepStrictEqual(former[key], present[key])) options[key] = present[key]
    const changed = { options: options as unknown as DataSource['options'] }
    assign(this.view, changed)
    if (this.isDefault) assign(front, changed)
  }

  /** How the pool of one server reaches it. */
  connectorOf(endpoint: Endpoint): Connector {
    const driver = this.driverOf(endpoint)
    const sockets = new Sockets(() => this.runtime.limit?.notify())
    const extra = (): object | undefined =>
      driverExtra(optionsOf(driver), this.family, this.poolConfig, sockets)
    return connectorOf(driver, {
      sockets,
      extra,
      start: () => this.#open(endpoint, driver, extra()),
      greet: (connection) => this.#greet(endpoint, connection, poolSizeOf(driver)),
      stop: () => driverAccess.disconnect(driver),
    })
  }

  async #greet(endpoint: Endpoint, connection: VerifiedConnection, size: number): Promise<void> {
    const { runtime, poolConfig } = this
    const workers = workersOf(process.env)
    for (const warning of await checkServer(endpoint, connection, poolConfig, size, workers))
      runtime.warn(warning)
  }

  /** Connects a driver; yields what has its pool. */
  async #open(endpoint: Endpoint, driver: Driver, extra: object | undefined): Promise<Driver> {
    if (!this.runtime.isStarted) throw new PoolClosedError(endpoint.id)
    const options = optionsOf(driver)
    const connected = await driverAccess.connect(driver, extra)
    const checkNotMoved = (): void => {
      if (optionsOf(driver) !== options) throw new PoolClosedError(endpoint.id)
    }
    try {
      checkNotMoved()
      Object.assign(driver, connected)
      await this.runtime.metadata.connected(this, driver)
      checkNotMoved()
      if (endpoint.role === 'replica' && this.isReady) checkAbilities(this.driver, driver, endpoint)
    } catch (error) {
      await driverAccess.disconnect(connected)
      throw error
    }
    if (endpoint.role === 'primary') this.canBuildReads = true
    return connected
  }

  /** Whether the primary is connected, so that SQL for writes can be built. */
  get isReady(): boolean {
    return this.runtime.pools.isOpen(this.topology.primary)
  }

  /** Connects the primary. */
  ready(): Promise<void> {
    if (this.isReady) return Promise.resolve()
    const scope = this.runtime.scopes.current()?.connections as ConnectionOwner | undefined
    const { primary } = this.topology
    return this.runtime.pools
      .start(() => this.topology.primary, scope)
      .catch((error: unknown) => {
        const { name: shard } = this
        const { role, node } = primary
        const stage = stageOf(error, '', false)
        markSite(error, { shard, role, node, stage, kind: failureOf(error) })
        throw error
      })
  }

  /**
   * Makes sure that SQL for reads can be built: some of it depends on the server's version. Where
   * the primary cannot be reached a replica's version serves.
   */
  async readyToRead(): Promise<void> {
    if (this.family === 'sqlite') {
      this.canBuildReads = true
      return
    }
    try {
      await this.ready()
    } catch (error) {
      if (!(await this.#learnFromReplica())) throw error
    }
  }

  async #learnFromReplica(): Promise<boolean> {
    for (const replica of this.topology.replicas)
      try {
        await this.runtime.pools.poolOf(replica).start()
        copyAbilities(this.driverOf(replica), this.driver)
        this.canBuildReads = true
        return true
      } catch {
        // The next replica may be up; if none is, the primary's error is the one to show.
      }
    return false
  }

  /** Forgets what belongs to connections and metadata that are gone. */
  reset(): void {
    this.canBuildReads = false
    this.#homes.clear()
  }

  /** This shard as the home of the entities of one kind. */
  homeOf(metadata: EntityMetadata | undefined): Home {
    let home = this.#homes.get(metadata)
    if (home === undefined) this.#homes.set(metadata, (home = { shard: this, metadata }))
    return home
  }

  /** Entity metadata of this shard's engine. */
  get metadatas(): readonly EntityMetadata[] {
    return this.group.holder.entityMetadatas
  }
}

import type { DataSource, EntityMetadata, QueryRunner } from 'typeorm'
import type { ResolvedShard } from '../config/resolved.js'
import type { Frame } from '../context/frame.js'
import type { Connector } from '../pool/lease.js'
import type { Endpoint, ShardTopology } from '../topology/snapshot.js'
import { PoolClosedError, UnknownShardError } from '../errors.js'
import type { ShardReason } from '../trace/event.js'
import { bind } from './binding.js'
import {
  type ConnectionOptions,
  checkAbilities,
  connectorOf,
  copyAbilities,
  createDriver,
} from './drivers.js'
import type { EngineGroup } from './engine-group.js'
import type { Home } from './homes.js'
import { type Driver, type EngineFamily, familyOf, overlayOf } from './internals.js'
import type { Runtime } from './runtime.js'
import { driverAccess } from './driver-access.js'
import { watchDriver } from './driver-watch.js'
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
  readonly #config: ResolvedShard
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
      driver = createDriver(this.view, this.#optionsOf(endpoint))
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

  #optionsOf(endpoint: Endpoint): ConnectionOptions {
    if (endpoint.role === 'primary') return this.view.options as unknown as ConnectionOptions
    const replica = this.#config.replicas.find(({ name }) => name === endpoint.node)
    return { ...replica?.connection, ...replicaOnly }
  }

  /** How the pool of one server reaches it. */
  connectorOf(endpoint: Endpoint): Connector {
    const driver = this.driverOf(endpoint)
    return connectorOf(driver, driver.options as unknown as ConnectionOptions, {
      open: () => this.#open(endpoint, driver),
      close: () => driverAccess.disconnect(driver),
    })
  }

  async #open(endpoint: Endpoint, driver: Driver): Promise<void> {
    if (!this.runtime.isStarted) throw new PoolClosedError(endpoint.id)
    await driverAccess.connect(driver)
    try {
      await this.runtime.metadata.connected(this, driver)
      if (endpoint.role === 'replica' && this.isReady) checkAbilities(this.driver, driver, endpoint)
    } catch (error) {
      await driverAccess.disconnect(driver)
      throw error
    }
    if (endpoint.role === 'primary') this.canBuildReads = true
  }

  /** Whether the primary is connected, so that SQL for writes can be built. */
  get isReady(): boolean {
    return this.runtime.pools.isOpen(this.topology.primary)
  }

  /** Connects the primary. */
  ready(): Promise<void> {
    return this.runtime.pools.poolOf(this.topology.primary).open()
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
        await this.runtime.pools.poolOf(replica).open()
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

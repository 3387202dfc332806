import type { DataSource, EntityMetadata, QueryRunner } from 'typeorm'
import { isDeepStrictEqual } from 'node:util'
import type { ResolvedPool, ResolvedShard } from '../config/resolved.js'
import { type ServerAddress, addressOf } from '../config/server.js'
import type { Frame } from '../context/frame.js'
import { UnknownShardError } from '../errors.js'
import { failureOf } from '../pool/failure.js'
import type { ConnectionOwner } from '../pool/lease.js'
import { type ShardTopology, endpointId } from '../topology/snapshot.js'
import type { Role, ShardReason } from '../trace/event.js'
import { bind } from './binding.js'
import { type ConnectionOptions, copyAbilities } from './drivers.js'
import type { EngineGroup } from './engine-group.js'
import type { Home } from './homes.js'
import { type Driver, type EngineFamily, assign, familyOf, overlayOf } from './internals.js'
import type { Runtime } from './runtime.js'
import { ShardDrivers } from './shard-drivers.js'
import { markSite, stageOf } from './statement-failures.js'
import { createView } from './view.js'

/** One shard at work: its view, its drivers and whether they are connected. */
export class Shard {
  readonly runtime: Runtime
  readonly name: string
  readonly engine: string
  readonly family: EngineFamily
  readonly group: EngineGroup
  #config: ResolvedShard
  readonly drivers: ShardDrivers
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
    this.drivers = new ShardDrivers(this)
  }

  /** As it is configured now. */
  get config(): ResolvedShard {
    return this.#config
  }

  /** Its servers now. */
  get topology(): ShardTopology {
    const { current } = this.runtime.store
    const topology = current.shards.get(this.name)
    if (topology === undefined) throw new UnknownShardError(this.name, current.shardNames)
    return topology
  }

  /** Where one of its servers is. */
  addressOf(role: Role, node: string): ServerAddress {
    const { primary, replicas } = this.#config
    const server = role === 'primary' ? primary : replicas.find(({ name }) => name === node)
    return addressOf(this.engine, server?.connection)
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
    return this.drivers.of(this.topology.primary)
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
    this.drivers.follow(byId, isMoved)
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
        copyAbilities(this.drivers.of(replica), this.driver)
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

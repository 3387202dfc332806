import type { ResolvedEndpoint } from '../config/resolved.js'
import { PoolClosedError, UnknownNodeError } from '../errors.js'
import type { Connector, VerifiedConnection } from '../pool/lease.js'
import type { Endpoint } from '../topology/snapshot.js'
import { driverAccess } from './driver-access.js'
import { watchDriver } from './driver-watch.js'
import {
  type ConnectionOptions,
  checkAbilities,
  connectorOf,
  createDriver,
  detachPool,
  optionsOf,
  poolSizeOf,
  reachAs,
  sizeOption,
} from './drivers.js'
import type { Driver } from './internals.js'
import { driverExtra, workersOf } from './pool-settings.js'
import { watchRaw } from './raw-statements.js'
import { checkServer } from './server-check.js'
import type { Shard } from './shard.js'
import { Sockets } from './sockets.js'

/** Options of a replica beside its own: its schema is its primary's work. */
const replicaOnly = {
  synchronize: false,
  dropSchema: false,
  migrationsRun: false,
  installExtensions: false,
}

/** The drivers of one shard's servers, each made at its first use, and how they connect. */
export class ShardDrivers {
  readonly #shard: Shard
  readonly #drivers = new Map<string, Driver>()

  constructor(shard: Shard) {
    this.#shard = shard
  }

  /** The driver of one server, made at its first use. */
  of(endpoint: Endpoint): Driver {
    let driver = this.#drivers.get(endpoint.id)
    if (driver === undefined) {
      driver = this.separate(endpoint)
      this.#drivers.set(endpoint.id, driver)
    }
    return driver
  }

  /** Another driver for one server, which only the caller has. */
  separate(endpoint: Endpoint): Driver {
    const driver = createDriver(this.#shard.view, this.#optionsOf(endpoint.role, endpoint.node))
    watchDriver(driver, this.#shard, endpoint)
    return driver
  }

  /** Takes over the driver that the wrapped DataSource made for itself. */
  adopt(driver: Driver): void {
    const { primary } = this.#shard.topology
    watchDriver(driver, this.#shard, primary)
    this.#drivers.set(primary.id, driver)
  }

  /** The most connections to one of its servers. Makes no driver for it. */
  poolSize({ role, node }: Endpoint): number {
    if (role === 'replica') return sizeOption(this.#optionsOf(role, node))
    return sizeOption(
      this.#shard.isDefault ? { ...this.#shard.runtime.front.options } : this.#shard.options,
    )
  }

  #optionsOf(role: ResolvedEndpoint['role'], node: string): ConnectionOptions {
    if (role === 'primary') return this.#shard.view.options as unknown as ConnectionOptions
    const { replicas } = this.#shard.config
    const replica = replicas.find(({ name }) => name === node)
    if (replica !== undefined) return { ...replica.connection, ...replicaOnly }
    // It was removed under work that had chosen it; options without a host would reach localhost.
    const names = replicas.map(({ name }) => name)
    throw new UnknownNodeError(this.#shard.name, node, 'replica', names)
  }

  /**
   * Follows servers that have moved: their drivers connect to the new place next. Drivers of servers
   * that are gone are forgotten.
   *
   * @param servers - as they are configured now, by id
   */
  follow(servers: ReadonlyMap<string, ResolvedEndpoint>, isMoved: (id: string) => boolean): void {
    for (const [id, driver] of this.#drivers) {
      const server = servers.get(id)
      if (server === undefined) this.#drivers.delete(id)
      else if (isMoved(id))
        reachAs(driver, createDriver(this.#shard.view, this.#optionsOf(server.role, server.name)))
    }
  }

  /** Is removed: whoever opened the pools of its drivers closes them, even if it comes back. */
  leave(): void {
    for (const driver of this.#drivers.values()) detachPool(driver)
  }

  /** How the pool of one server reaches it. */
  connectorOf(endpoint: Endpoint): Connector {
    const driver = this.of(endpoint)
    const { runtime, family } = this.#shard
    const sockets = new Sockets(() => runtime.limit?.notify())
    const extra = (): object | undefined =>
      driverExtra(optionsOf(driver), family, this.#shard.poolConfig, sockets)
    return connectorOf(driver, {
      sockets,
      journal: runtime.pools.journalOf(endpoint),
      extra,
      start: () => this.#open(endpoint, driver, extra()),
      greet: (connection) => this.#greet(endpoint, connection, poolSizeOf(driver)),
      stop: () => driverAccess.disconnect(driver),
      watch: (connection) => {
        if (runtime.trace.isOn) watchRaw(connection, this.#shard, endpoint)
      },
    })
  }

  async #greet(endpoint: Endpoint, connection: VerifiedConnection, size: number): Promise<void> {
    const { runtime, poolConfig } = this.#shard
    const workers = workersOf(process.env)
    for (const warning of await checkServer(endpoint, connection, poolConfig, size, workers))
      runtime.warn(warning)
  }

  /** Connects a driver; yields what has its pool. */
  async #open(endpoint: Endpoint, driver: Driver, extra: object | undefined): Promise<Driver> {
    const shard = this.#shard
    if (!shard.runtime.isStarted) throw new PoolClosedError(endpoint.id)
    const options = optionsOf(driver)
    const connected = await driverAccess.connect(driver, extra)
    const checkNotMoved = (): void => {
      if (optionsOf(driver) !== options) throw new PoolClosedError(endpoint.id)
    }
    try {
      checkNotMoved()
      Object.assign(driver, connected)
      await shard.runtime.metadata.connected(shard, driver)
      checkNotMoved()
      if (endpoint.role === 'replica' && shard.isReady)
        checkAbilities(shard.driver, driver, endpoint)
    } catch (error) {
      await driverAccess.disconnect(connected)
      throw error
    }
    if (endpoint.role === 'primary') shard.canBuildReads = true
    return connected
  }
}

import type { ServerAddress } from '../config/server.js'
import { ConnectError, NoReplicaError, PoolClosedError, type PoolNumbers } from '../errors.js'
import {
  type Candidates,
  type Endpoint,
  hasCandidates,
  type ShardTopology,
  type Topology,
} from '../topology/snapshot.js'
import type { Role, RouteReason, SkippedNode } from '../trace/event.js'
import type { Checkout, PoolSettings } from './checkout.js'
import { EndpointPool } from './endpoint-pool.js'
import type { PoolState } from './opening.js'
import type { Health } from './health.js'
import { type PoolCounts, PoolJournal, noCounts } from './journal.js'
import type { Asker, ConnectionOwner, Connector, Lease } from './lease.js'
import { PoolListeners } from './listeners.js'

/** One pool, as `db.octopus.pools()` lists it. */
export interface PoolInfo extends PoolNumbers, PoolCounts, ServerAddress {
  readonly shard: string
  readonly role: Role
  readonly group: string | undefined
  readonly node: string
  readonly state: PoolState
  /** Why the server is out of service; undefined while it is in service. */
  readonly outOfService: string | undefined
}

/** The part of a route that a checkout goes by. */
export interface WantedServer {
  readonly role: Role
  readonly replicaGroup: string | undefined
  readonly reason: RouteReason
}

/** Who wants a connection, and what he does with it. */
export interface Customer<T> extends Asker {
  readonly route: WantedServer
  /** The shard's servers now. */
  servers(): ShardTopology
  balance(candidates: Candidates): Endpoint
  use(lease: Lease): T
}

/** What a registry needs of its surroundings. */
export interface PoolRegistryOptions {
  /** Makes the connector of a server; called once per server, at its first use. */
  readonly connectorFor: (endpoint: Endpoint) => Connector
  readonly settingsFor: (endpoint: Endpoint) => PoolSettings
  /** Where a server is, as it is configured now. */
  readonly addressOf: (endpoint: Endpoint) => ServerAddress
  /** Whether replicas' work goes to their primary, see `collapseReplicas`. */
  readonly collapseReplicas: boolean
  readonly health: Health
  /** Whether connections may be opened: not before the start, nor after the end. */
  readonly isStarted: () => boolean
}

/** The way of one request to a server, and to another where the first cannot be reached. */
class Routed<T> implements Checkout<T> {
  readonly #registry: PoolRegistry
  readonly asker: Customer<T>
  candidates: Candidates
  isFallback: boolean
  readonly #endpoint: Endpoint
  #tries: number

  constructor(
    registry: PoolRegistry,
    customer: Customer<T>,
    candidates: Candidates,
    tries: number,
  ) {
    this.#registry = registry
    this.asker = customer
    this.candidates = candidates
    this.#tries = tries
    this.#endpoint = candidates.length === 1 ? candidates[0] : customer.balance(candidates)
    const isReplacement = customer.route.role === 'replica' && this.#endpoint.role === 'primary'
    this.isFallback =
      customer.route.reason === 'no replica available' ||
      (isReplacement && !registry.collapsesReplicas)
  }

  run(): Promise<T> {
    return this.#registry.poolOf(this.#endpoint).checkout(this)
  }

  use(lease: Lease): T {
    lease.skipped = this.#registry.skipped(this.asker.servers(), this.asker.route)
    return this.asker.use(lease)
  }

  async otherwise(error: Error): Promise<T> {
    // A server that was replaced has a new pool; one that is a replica has siblings.
    const isReplaced =
      error instanceof PoolClosedError && this.#registry.hasReplaced(this.#endpoint)
    const isOut =
      error instanceof ConnectError &&
      this.#endpoint.role === 'replica' &&
      this.#registry.isOut(this.#endpoint)
    const tries = this.#tries + 1
    if ((!isReplaced && !isOut) || tries > this.asker.servers().replicas.length + 2) throw error
    return this.#registry.route(this.asker, tries, error).run()
  }
}

/** All pools of one data source, each made at its first use. */
export class PoolRegistry {
  readonly #options: PoolRegistryOptions
  #present = new Map<string, EndpointPool>()
  /** By server, as its pools come and go. */
  #journals = new Map<string, PoolJournal>()
  readonly listeners = new PoolListeners()
  /** Pools out of service that still have leases. */
  #retiring = new Set<EndpointPool>()
  #pid = process.pid

  constructor(options: PoolRegistryOptions) {
    this.#options = options
  }

  get collapsesReplicas(): boolean {
    return this.#options.collapseReplicas
  }

  get #pools(): Map<string, EndpointPool> {
    // A process that goes on from another's memory must not touch the other's sockets.
    if (this.#pid !== process.pid) {
      this.#pid = process.pid
      this.#present = new Map()
      this.#journals = new Map()
      this.#retiring = new Set()
    }
    return this.#present
  }

  /** The pool of a server. */
  poolOf(endpoint: Endpoint): EndpointPool {
    const pools = this.#pools
    let pool = pools.get(endpoint.id)
    if (pool === undefined) {
      const { connectorFor, settingsFor } = this.#options
      pool = new EndpointPool(
        endpoint,
        connectorFor(endpoint),
        settingsFor(endpoint),
        this.journalOf(endpoint),
      )
      pools.set(endpoint.id, pool)
    }
    return pool
  }

  /** What is taken down of a server. */
  journalOf(endpoint: Endpoint): PoolJournal {
    let journal = this.#journals.get(endpoint.id)
    if (journal === undefined) {
      journal = new PoolJournal(endpoint, this.listeners)
      this.#journals.set(endpoint.id, journal)
    }
    return journal
  }

  /**
   * Opens the pool of a server; if that moves meanwhile, the pool in its place.
   *
   * @param present - tells which server is meant now
   * @param scope - what owns the connections of the work that needs it, if not the pool
   */
  start(present: () => Endpoint, scope?: ConnectionOwner): Promise<void> {
    const starting = this.#startPresent(present, scope === undefined)
    return scope === undefined ? starting : scope.during(starting)
  }

  async #startPresent(present: () => Endpoint, keepsFirst: boolean): Promise<void> {
    for (;;) {
      const endpoint = present()
      try {
        return await this.poolOf(endpoint).start(keepsFirst)
      } catch (error) {
        // A server that was moved, or disconnected, has a new pool.
        if (!(error instanceof PoolClosedError) || !this.hasReplaced(endpoint)) throw error
      }
    }
  }

  /** The pools that have been made, also those out of service that still have leases. */
  get pools(): Iterable<EndpointPool> {
    return [...this.#pools.values(), ...this.#retiring]
  }

  /** Whether a server's pool is open; asking makes none. */
  isOpen(endpoint: Endpoint): boolean {
    return this.#pools.get(endpoint.id)?.state === 'open'
  }

  /** Whether a server's pool is open and has connections; asking makes none. */
  hasConnections(endpoint: Endpoint): boolean {
    return this.isOpen(endpoint) && (this.#pools.get(endpoint.id)?.open ?? 0) > 0
  }

  /** Whether a server is out of service. */
  isOut(endpoint: Endpoint): boolean {
    return this.#options.health.whyOut(endpoint) !== undefined
  }

  /** Whether a pool that was closed has, or may have, a successor. */
  hasReplaced(endpoint: Endpoint): boolean {
    return this.#options.isStarted() && this.#pools.get(endpoint.id)?.state !== 'closed'
  }

  /**
   * The servers that may serve a route now.
   *
   * @param cause - why an earlier choice did not serve
   * @throws NoReplicaError if there is none, and `onNoReplica` is `error`
   */
  candidatesOf(route: WantedServer, shard: ShardTopology, cause?: Error): Candidates {
    if (route.role === 'primary' || this.#options.collapseReplicas) return [shard.primary]
    const replicas = shard.onlineReplicas.get(route.replicaGroup) ?? []
    if (hasCandidates(replicas)) return replicas
    // All replicas of the group can have left between the decision and the checkout.
    if (shard.onNoReplica === 'error')
      throw new NoReplicaError(shard.name, route.replicaGroup, cause === undefined ? {} : { cause })
    return [shard.primary]
  }

  /** The replicas of a route that are out of service, with the reason. */
  skipped(
    shard: ShardTopology,
    { role, reason, replicaGroup }: WantedServer,
  ): readonly SkippedNode[] {
    const { health } = this.#options
    if (health.isWhole || (role === 'primary' && reason !== 'no replica available'))
      return noneSkipped
    return shard.replicas.flatMap((replica) => {
      const isMeant = replicaGroup === undefined || replica.group === replicaGroup
      const why = isMeant ? health.whyOut(replica) : undefined
      return why === undefined ? [] : [{ node: replica.node, why }]
    })
  }

  /** Picks a server for a request. */
  route<T>(customer: Customer<T>, tries: number, cause?: Error): Routed<T> {
    const candidates = this.candidatesOf(customer.route, customer.servers(), cause)
    return new Routed(this, customer, candidates, tries)
  }

  /** Picks a server for the request and lends one of its connections to it. */
  checkout<T>(customer: Customer<T>): Promise<T> {
    try {
      const { connectionScope } = customer
      if (connectionScope === undefined) return this.route(customer, 0).run()
      connectionScope.admit({ endpoint: customer.servers().primary })
      return connectionScope.during(this.route(customer, 0).run())
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /** Every server's pool, whether it was used yet or not. */
  list(topology: Topology): readonly PoolInfo[] {
    return endpointsOf(topology).map((endpoint) => {
      const pool = this.#pools.get(endpoint.id)
      return {
        shard: endpoint.shard,
        role: endpoint.role,
        group: endpoint.group,
        node: endpoint.node,
        state: pool?.state ?? 'idle',
        outOfService: this.#options.health.whyOut(endpoint),
        ...(pool?.numbers ?? { max: 0, active: 0, idle: 0, waiting: 0 }),
        ...(this.#journals.get(endpoint.id)?.counts ?? noCounts),
        ...this.#options.addressOf(endpoint),
      }
    })
  }

  /** Takes a server's pool out of service: the next checkout makes a new one. Settles when the last
   *  connection of the old one has been given back and closed. */
  async retire(endpointId: string): Promise<void> {
    const pool = this.#pools.get(endpointId)
    if (pool === undefined) return
    this.#pools.delete(endpointId)
    this.#options.health.forget(pool.endpoint)
    const retiring = this.#retiring.add(pool)
    await pool.retire().finally(() => retiring.delete(pool))
  }

  /** Takes the pool of a server that is no more out of service, and forgets what it has done. */
  remove(endpointId: string): Promise<void> {
    this.#journals.delete(endpointId)
    return this.retire(endpointId)
  }

  /**
   * Closes every pool, in parallel, even where one fails. Servers get new pools afterwards.
   *
   * @param drainMs - milliseconds that running statements have at most
   * @throws AggregateError with each failure
   */
  async closeAll(drainMs: number): Promise<void> {
    const closing = [...this.pools]
    this.#pools.clear()
    this.#options.health.reset()
    const results = await Promise.allSettled(closing.map((pool) => pool.close(drainMs)))
    const errors = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    )
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) throw new AggregateError(errors, 'Several pools failed to close')
  }
}

const noneSkipped: readonly SkippedNode[] = Object.freeze([])

/** Every server of a topology. */
export const endpointsOf = ({ shards }: Topology): readonly Endpoint[] =>
  [...shards.values()].flatMap(({ primary, replicas }) => [primary, ...replicas])

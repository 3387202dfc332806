import type { PoolNumbers } from '../errors.js'
import {
  type Candidates,
  type Endpoint,
  hasCandidates,
  type ShardTopology,
  type Topology,
} from '../topology/snapshot.js'
import type { Role } from '../trace/event.js'
import { EndpointPool, type PoolSettings, type PoolState } from './endpoint-pool.js'
import type { Connector, Lease } from './lease.js'

/** One pool, as `db.octopus.pools()` lists it. */
export interface PoolInfo extends PoolNumbers {
  readonly shard: string
  readonly role: Role
  readonly group: string | undefined
  readonly node: string
  readonly state: PoolState
}

/** The part of a route that a checkout goes by. */
export interface WantedServer {
  readonly role: Role
  readonly replicaGroup: string | undefined
}

/** What a registry needs of its surroundings. */
export interface PoolRegistryOptions {
  /** Makes the connector of a server; called once per server, at its first use. */
  readonly connectorFor: (endpoint: Endpoint) => Connector
  readonly settingsFor: (endpoint: Endpoint) => PoolSettings
  /** Whether replicas' work goes to their primary, see `collapseReplicas`. */
  readonly collapseReplicas: boolean
}

/** All pools of one data source, each made at its first use. */
export class PoolRegistry {
  readonly #options: PoolRegistryOptions
  readonly #pools = new Map<string, EndpointPool>()

  constructor(options: PoolRegistryOptions) {
    this.#options = options
  }

  /** The pool of a server. */
  poolOf(endpoint: Endpoint): EndpointPool {
    let pool = this.#pools.get(endpoint.id)
    if (pool === undefined) {
      const { connectorFor, settingsFor } = this.#options
      pool = new EndpointPool(endpoint, connectorFor(endpoint), settingsFor(endpoint))
      this.#pools.set(endpoint.id, pool)
    }
    return pool
  }

  /** Whether a server's pool is open; asking makes none. */
  isOpen(endpoint: Endpoint): boolean {
    return this.#pools.get(endpoint.id)?.state === 'open'
  }

  /** The servers that may serve a route now. */
  candidatesOf(route: WantedServer, shard: ShardTopology): Candidates {
    if (route.role === 'primary' || this.#options.collapseReplicas) return [shard.primary]
    const replicas = shard.onlineReplicas.get(route.replicaGroup) ?? []
    // All replicas of the group can have left between the decision and the checkout.
    return hasCandidates(replicas) ? replicas : [shard.primary]
  }

  /** Picks a server for the route and lends one of its connections to `use`. */
  checkout<T>(
    route: WantedServer,
    shard: ShardTopology,
    balance: (candidates: Candidates) => Endpoint,
    use: (lease: Lease) => T,
  ): Promise<T> {
    const candidates = this.candidatesOf(route, shard)
    const endpoint = candidates.length === 1 ? candidates[0] : balance(candidates)
    return this.poolOf(endpoint).checkout(candidates, use)
  }

  /** Every server's pool, whether it was used yet or not. */
  list(topology: Topology): readonly PoolInfo[] {
    const endpoints = [...topology.shards.values()].flatMap(({ primary, replicas }) => [
      primary,
      ...replicas,
    ])
    return endpoints.map((endpoint) => {
      const pool = this.#pools.get(endpoint.id)
      return {
        shard: endpoint.shard,
        role: endpoint.role,
        group: endpoint.group,
        node: endpoint.node,
        state: pool?.state ?? 'idle',
        ...(pool?.numbers ?? { max: 0, active: 0, waiting: 0 }),
      }
    })
  }

  /**
   * Closes every pool, in parallel, even where one fails. Servers get new pools afterwards.
   *
   * @throws AggregateError with each failure
   */
  async closeAll(): Promise<void> {
    const closing = [...this.#pools.values()]
    this.#pools.clear()
    const results = await Promise.allSettled(closing.map((pool) => pool.close()))
    const errors = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    )
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) throw new AggregateError(errors, 'Several pools failed to close')
  }
}

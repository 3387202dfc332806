import { mock } from 'node:test'
import type { PoolSettings } from '../../lib/pool/checkout.js'
import { Health } from '../../lib/pool/health.js'
import type { Lease } from '../../lib/pool/lease.js'
import {
  type Customer,
  endpointsOf,
  PoolRegistry,
  type WantedServer,
} from '../../lib/pool/registry.js'
import {
  type ShardTopology,
  type Topology,
  topologyOf,
  withEndpointOnline,
} from '../../lib/topology/snapshot.js'
import { configWith, type ShardSketch } from '../support/topology.js'
import { StubConnector, nowhere, settingsWith, settle } from './stub-connector.js'

export const writing: WantedServer = { role: 'primary', replicaGroup: undefined, reason: 'write' }
export const reading: WantedServer = {
  role: 'replica',
  replicaGroup: undefined,
  reason: 'read outside a transaction',
}

const servers: ShardSketch = { replicas: [{ name: 'br-2' }, { name: 'br-3' }] }

/** One shard with two replicas, their pools and what brings them back, over servers in memory. */
export class PoolWorld {
  topology: Topology
  now = 1000
  isStarted = true
  readonly warnings: string[] = []
  /** The connectors of each server, in the order in which they were made. */
  readonly connectors = new Map<string, StubConnector[]>()
  readonly health: Health
  readonly registry: PoolRegistry
  readonly #faults = new Map<string, Error | undefined>()

  constructor(
    sketch: ShardSketch = {},
    settings: Partial<PoolSettings> = {},
    { max = 4, collapseReplicas = false } = {},
  ) {
    this.topology = topologyOf(configWith({ brazil: { ...servers, ...sketch } }))
    this.health = new Health({
      setOnline: ({ id }, isOnline) => {
        this.topology = withEndpointOnline(this.topology, id, isOnline)
      },
      isKnown: ({ id }) => endpointsOf(this.topology).some((known) => known.id === id),
      probe: (endpoint) => this.registry.poolOf(endpoint).probe(),
      warn: (message) => this.warnings.push(message),
      random: () => 0,
    })
    this.registry = new PoolRegistry({
      connectorFor: ({ node }) => {
        const connector = new StubConnector(max)
        this.connectors.set(node, [...(this.connectors.get(node) ?? []), connector])
        this.fail(node, this.#faults.get(node))
        return connector
      },
      settingsFor: () =>
        settingsWith({
          now: () => this.now,
          unreachable: (endpoint, why) => this.health.eject(endpoint, why),
          ...settings,
        }),
      addressOf: () => nowhere,
      collapseReplicas,
      health: this.health,
      isStarted: () => this.isStarted,
    })
  }

  /** Sets what goes wrong at a server from now on; undefined heals it. */
  fail(node: string, fault: Error | undefined): void {
    this.#faults.set(node, fault)
    for (const each of this.connectors.get(node) ?? [])
      Object.assign(each, { openFault: fault, acquireFault: fault, pingFault: fault })
  }

  get shard(): ShardTopology {
    const shard = this.topology.shards.get('brazil')
    if (shard === undefined) throw new Error('the shard is there')
    return shard
  }

  /** The last connector that was made for a server. */
  connector(node: string): StubConnector {
    const connector = this.connectors.get(node)?.at(-1)
    if (connector === undefined) throw new Error(`nothing connected to ${node}`)
    return connector
  }

  /** Asks for a connection; of the first server of those that may serve. */
  lend(route: WantedServer, more: Partial<Customer<Lease>> = {}): Promise<Lease> {
    return this.registry.checkout({
      route,
      balance: ([first]) => first,
      owner: undefined,
      connectionScope: undefined,
      isRetry: false,
      callSite: undefined,
      servers: () => this.shard,
      use: (lease) => lease,
      ...more,
    })
  }

  /** Lets time pass, for the pools' clock and for mocked timers. */
  async pass(ms: number): Promise<void> {
    this.now += ms
    mock.timers.tick(ms)
    await settle()
  }

  /** How many leases are out, and how many wait. */
  get load(): readonly [active: number, waiting: number] {
    const pools = [...this.registry.pools]
    return [
      pools.reduce((sum, { numbers }) => sum + numbers.active, 0),
      pools.reduce((sum, { numbers }) => sum + numbers.waiting, 0),
    ]
  }

  /** The nodes that were connected to. */
  get connected(): readonly string[] {
    return [...this.connectors]
      .filter(([, made]) => made.some(({ opens }) => opens > 0))
      .map(([node]) => node)
  }

  /** How many connections are open at a server, of all its pools. */
  openAt(node: string): number {
    return (this.connectors.get(node) ?? []).reduce((sum, { sockets }) => sum + sockets, 0)
  }
}

import type { ResolvedEndpoint, ResolvedShard } from '../config/resolved.js'
import { type ServerAddress, addressOf } from '../config/server.js'
import type { Health } from '../pool/health.js'
import type { Endpoint, ShardTopology, Topology } from '../topology/snapshot.js'
import type { Role } from '../trace/event.js'
import type { Runtime } from './runtime.js'

/** One server of a shard, without credentials. */
export interface NodeDescription extends ServerAddress {
  /** Its name, unique in its shard. */
  readonly node: string
  readonly role: Role
  /** The replica group it belongs to. */
  readonly group: string | undefined
  /** Its share of the reads, relative to its siblings. */
  readonly weight: number
  /** Whether it is given work. */
  readonly isOnline: boolean
  /** Why it is out of service; undefined while it is in service. */
  readonly outOfService: string | undefined
}

/** One shard and its servers. */
export interface ShardDescription {
  readonly name: string
  /** TypeORM's `type`, such as `mysql`. */
  readonly engine: string
  readonly isDefault: boolean
  /** The shard groups that list it. */
  readonly groups: readonly string[]
  /** Where its plain reads go. */
  readonly reads: Role
  /** What happens to reads while none of its replicas is in service. */
  readonly onNoReplica: 'primary' | 'error'
  readonly replicaGroups: readonly string[]
  /** Its primary first, then its replicas in the order of their declaration. */
  readonly nodes: readonly [NodeDescription, ...NodeDescription[]]
}

/** Shards, groups and servers as they are now: plain data, free of credentials, which stays as it is. */
export interface TopologyDescription {
  readonly defaultShard: string
  /** Whether queries are routed: `enabled: false` sends them all to the default shard. */
  readonly isEnabled: boolean
  /** Whether replicas' work goes to their primaries, see `collapseReplicas`. */
  readonly collapsesReplicas: boolean
  /** The default shard first, then the others in the order of their declaration. */
  readonly shards: readonly ShardDescription[]
  /** The shard groups, with the names of their shards. */
  readonly groups: Readonly<Record<string, readonly string[]>>
  /** Rises by one whenever shards or servers are added, changed or removed. */
  readonly revision: number
}

/** Describes one shard of a topology, whose configuration lists the same servers. */
const describeShard = (
  { defaultShard, groups }: Topology,
  { name, engine, reads, onNoReplica, replicaGroups, primary, replicas }: ShardTopology,
  config: ResolvedShard,
  health: Health,
): ShardDescription => {
  const describeNode = (endpoint: Endpoint, server: ResolvedEndpoint | undefined) => {
    const { node, role, group, weight, isOnline } = endpoint
    const address = addressOf(engine, server?.connection)
    const outOfService = health.whyOut(endpoint)
    return Object.freeze({ node, role, group, weight, ...address, isOnline, outOfService })
  }
  const listing = [...groups].filter(([, members]) => members.includes(name))
  return Object.freeze({
    name,
    engine,
    isDefault: name === defaultShard,
    groups: Object.freeze(listing.map(([group]) => group)),
    reads,
    onNoReplica,
    replicaGroups,
    nodes: Object.freeze([
      describeNode(primary, config.primary),
      ...replicas.map((replica, at) => describeNode(replica, config.replicas[at])),
    ] as const),
  })
}

/** Describes the present topology. */
export const describeTopology = ({ config, store, health }: Runtime): TopologyDescription => {
  const { current } = store
  const { defaultShard, groups, revision } = current
  return Object.freeze({
    defaultShard,
    isEnabled: config.enabled,
    collapsesReplicas: config.collapseReplicas,
    shards: Object.freeze(
      config.shards.flatMap((shard) => {
        const topology = current.shards.get(shard.name)
        return topology === undefined ? [] : [describeShard(current, topology, shard, health)]
      }),
    ),
    groups: Object.freeze(Object.fromEntries(groups)),
    revision,
  })
}

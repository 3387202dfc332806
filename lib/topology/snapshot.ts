import type { ResolvedConfig, ResolvedEndpoint, ResolvedShard } from '../config/resolved.js'
import type { Role } from '../trace/event.js'

/** One server as configured. */
export interface Endpoint {
  /** Unique in the topology: `brazil/replica br-2`. */
  readonly id: string
  readonly shard: string
  readonly role: Role
  /** Name of the server, unique in its shard. */
  readonly node: string
  /** The replica group it belongs to. */
  readonly group: string | undefined
  /** Its share of a rotation, relative to its siblings. */
  readonly weight: number
  /** Whether it may be given work. */
  readonly isOnline: boolean
}

/** At least one server to choose from. */
export type Candidates = readonly [Endpoint, ...Endpoint[]]

/** Whether there is at least one server. */
export const hasCandidates = (endpoints: readonly Endpoint[]): endpoints is Candidates =>
  endpoints.length > 0

/** One horizontal slice of the data: its servers and how it is read. */
export interface ShardTopology {
  readonly name: string
  readonly engine: string
  readonly primary: Endpoint
  readonly replicas: readonly Endpoint[]
  /** The replicas that may be given work, by replica group; all of them under `undefined`. */
  readonly onlineReplicas: ReadonlyMap<string | undefined, readonly Endpoint[]>
  readonly replicaGroups: readonly string[]
  readonly reads: Role
  readonly onNoReplica: 'primary' | 'error'
}

/** All servers at one moment. Immutable: a change makes a new snapshot. */
export interface Topology {
  readonly defaultShard: string
  readonly shards: ReadonlyMap<string, ShardTopology>
  readonly shardNames: readonly string[]
  readonly groups: ReadonlyMap<string, readonly string[]>
}

const endpointOf = (shard: string, { name, role, group, weight }: ResolvedEndpoint): Endpoint =>
  Object.freeze({
    id: `${shard}/${role} ${name}`,
    shard,
    role,
    node: name,
    group,
    weight,
    isOnline: true,
  })

const onlineByGroup = (
  replicas: readonly Endpoint[],
): ReadonlyMap<string | undefined, readonly Endpoint[]> => {
  const groups = new Map<string | undefined, Endpoint[]>([[undefined, []]])
  for (const replica of replicas) if (replica.group !== undefined) groups.set(replica.group, [])
  for (const replica of replicas)
    if (replica.isOnline) {
      groups.get(undefined)?.push(replica)
      if (replica.group !== undefined) groups.get(replica.group)?.push(replica)
    }
  return groups
}

/** Recomputes what follows from a shard's replicas. */
const withReplicas = (
  shard: Omit<ShardTopology, 'onlineReplicas' | 'replicaGroups' | 'replicas'>,
  replicas: readonly Endpoint[],
): ShardTopology =>
  Object.freeze({
    ...shard,
    replicas: Object.freeze([...replicas]),
    onlineReplicas: onlineByGroup(replicas),
    replicaGroups: Object.freeze([
      ...new Set(replicas.map(({ group }) => group).filter((group) => group !== undefined)),
    ]),
  })

const shardTopology = (shard: ResolvedShard): ShardTopology =>
  withReplicas(
    {
      name: shard.name,
      engine: shard.engine,
      primary: endpointOf(shard.name, shard.primary),
      reads: shard.reads,
      onNoReplica: shard.onNoReplica,
    },
    shard.replicas.map((replica) => endpointOf(shard.name, replica)),
  )

/** The topology that a configuration describes, with every server online. */
export const topologyOf = (config: ResolvedConfig): Topology =>
  Object.freeze({
    defaultShard: config.defaultShard,
    shards: new Map(config.shards.map((shard) => [shard.name, shardTopology(shard)])),
    shardNames: Object.freeze(config.shards.map(({ name }) => name)),
    groups: config.groups,
  })

/** A copy of the topology in which one server is online or not. */
export const withEndpointOnline = (topology: Topology, id: string, isOnline: boolean): Topology => {
  const shards = new Map(topology.shards)
  for (const shard of topology.shards.values())
    if (shard.replicas.some((replica) => replica.id === id && replica.isOnline !== isOnline))
      shards.set(
        shard.name,
        withReplicas(
          shard,
          shard.replicas.map((replica) =>
            replica.id === id ? Object.freeze({ ...replica, isOnline }) : replica,
          ),
        ),
      )
  return Object.freeze({ ...topology, shards })
}

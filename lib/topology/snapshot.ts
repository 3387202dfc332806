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
  /** The snapshot's revision in which it was last changed: one that is on another server is another. */
  readonly revision: number
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
  /** How often shards and servers have been added, changed and removed. */
  readonly revision: number
}

/** Makes the endpoint of a server as configured. */
type EndpointMaker = (shard: string, server: ResolvedEndpoint) => Endpoint

/** What tells a server from all others. */
export const endpointId = (
  shard: string,
  { role, name }: Pick<ResolvedEndpoint, 'name' | 'role'>,
): string => `${shard}/${role} ${name}`

const newEndpoint = (
  shard: string,
  { name, role, group, weight }: ResolvedEndpoint,
  revision: number,
): Endpoint =>
  Object.freeze({
    id: endpointId(shard, { role, name }),
    shard,
    role,
    node: name,
    group,
    weight,
    isOnline: true,
    revision,
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

const shardTopology = (shard: ResolvedShard, endpointOf: EndpointMaker): ShardTopology =>
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
  assembled(config, 0, (shard) =>
    shardTopology(shard, (name, server) => newEndpoint(name, server, 0)),
  )

const assembled = (
  { defaultShard, shards, groups }: ResolvedConfig,
  revision: number,
  topologyFor: (shard: ResolvedShard) => ShardTopology,
): Topology =>
  Object.freeze({
    defaultShard,
    shards: new Map(shards.map((shard) => [shard.name, topologyFor(shard)])),
    shardNames: Object.freeze(shards.map(({ name }) => name)),
    groups,
    revision,
  })

/** Every server of a shard, the primary first. */
export const endpointsOf = ({ primary, replicas }: ShardTopology): readonly Endpoint[] => [
  primary,
  ...replicas,
]

/**
 * The topology of a configuration that was changed. What is not new, and not among `moved`, stays the
 * object that it was, online or not, and shards in which all does stay too, with their rotations.
 *
 * @param moved - ids of the servers that are reached otherwise than before
 */
export const topologyAfter = (
  previous: Topology,
  config: ResolvedConfig,
  moved: ReadonlySet<string>,
): Topology => {
  const revision = previous.revision + 1
  return assembled(config, revision, (shard) => {
    const before = previous.shards.get(shard.name)
    const known = new Map(before && endpointsOf(before).map((endpoint) => [endpoint.id, endpoint]))
    const after = shardTopology(shard, (name, server) => {
      const endpoint = known.get(endpointId(name, server))
      if (endpoint === undefined || moved.has(endpoint.id))
        return newEndpoint(name, server, revision)
      const { group, weight } = server
      return endpoint.group === group && endpoint.weight === weight
        ? endpoint
        : Object.freeze({ ...endpoint, group, weight })
    })
    return before !== undefined && isSame(before, after) ? before : after
  })
}

const isSame = (one: ShardTopology, other: ShardTopology): boolean => {
  const [its, others] = [endpointsOf(one), endpointsOf(other)]
  return its.length === others.length && its.every((endpoint, at) => endpoint === others[at])
}

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

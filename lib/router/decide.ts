import { NoReplicaError, ReadOnlyScopeError, UnknownShardError } from '../errors.js'
import { type Frame, primaryReasonIn } from '../context/frame.js'
import type { ShardTopology, Topology } from '../topology/snapshot.js'
import { type Role, type RouteReason, type ShardReason, rulesBefore } from '../trace/event.js'
import type { RouteRequest } from './request.js'

/** A decision: which shard, which role, and why. The server is chosen later, at checkout. */
export interface Route {
  readonly shard: string
  readonly role: Role
  readonly replicaGroup: string | undefined
  readonly reason: RouteReason
  readonly shardReason: ShardReason
  readonly passedOver: readonly RouteReason[]
  /** Whether statements must be proved read-only before they are sent. */
  readonly isReadOnly: boolean
}

/** What the configuration says about routing, beside the topology. */
export interface RoutePolicy {
  /** Whether anything is routed at all; if not, all goes to the default shard's primary. */
  readonly isEnabled: boolean
  /** How long reads follow a write to the primary, in milliseconds; 0 is off. */
  readonly readYourWritesMs: number
  /** The shard the process works on outside every scope, from the environment. */
  readonly ambientShard: string | undefined
}

/** A shard with the rule that chose it. */
export interface ChosenShard {
  readonly name: string
  readonly by: ShardReason
}

/** The shard of work that nothing nearer than a scope binds to one. */
export const ambientShard = (
  frame: Frame | undefined,
  topology: Topology,
  policy: RoutePolicy,
): ChosenShard => {
  if (frame?.shard !== undefined) return { name: frame.shard, by: 'scope' }
  if (policy.ambientShard !== undefined) return { name: policy.ambientShard, by: 'environment' }
  return { name: topology.defaultShard, by: 'default' }
}

const wroteRecently = (shard: string, frame: Frame | undefined, now: number, windowMs: number) => {
  const wroteAt = frame?.writes.get(shard)
  return wroteAt !== undefined && now - wroteAt < windowMs
}

/** A replica group of the scope counts on shards that have it; a home or handle may have none. */
const groupOn = (shard: ShardTopology, frame: Frame | undefined): string | undefined =>
  frame?.replicaGroup !== undefined && shard.onlineReplicas.has(frame.replicaGroup)
    ? frame.replicaGroup
    : undefined

interface ChosenRole {
  readonly role: Role
  readonly reason: RouteReason
  readonly isReadOnly: boolean
}

const primary = (reason: RouteReason): ChosenRole => ({
  role: 'primary',
  reason,
  isReadOnly: false,
})
const replica = (reason: RouteReason, isReadOnly: boolean): ChosenRole => ({
  role: 'replica',
  reason,
  isReadOnly,
})

/** The replica that was asked for, or what `onNoReplica` says where there is none. */
const replicaIfAny = (
  shard: ShardTopology,
  group: string | undefined,
  found: ChosenRole,
): ChosenRole => {
  if ((shard.onlineReplicas.get(group)?.length ?? 0) > 0) return found
  if (shard.onNoReplica === 'error') throw new NoReplicaError(shard.name, group)
  return { role: 'primary', reason: 'no replica available', isReadOnly: found.isReadOnly }
}

/** The role rules, in order: the first that applies decides. */
const chooseRole = (
  request: RouteRequest,
  frame: Frame | undefined,
  shard: ShardTopology,
  group: string | undefined,
  now: number,
  policy: RoutePolicy,
): ChosenRole => {
  const { intent } = request
  if (!policy.isEnabled) return primary('disabled')
  const pinned = frame?.role
  if (intent === 'write' || intent === 'lock') {
    if (pinned === 'replica') throw new ReadOnlyScopeError(shard.name, request.operation)
    return primary(intent)
  }
  const isRead = intent === 'read' || intent === 'replica runner'
  const because = isRead ? primaryReasonIn(frame, shard.name) : undefined
  if (because !== undefined) return primary(because)
  if (pinned === 'primary') return primary('pinned to primary')
  if (pinned === 'replica') return replicaIfAny(shard, group, replica('pinned to replica', true))
  if (intent === 'raw') return primary('raw query')
  if (intent === 'persist') return primary('write')
  if (intent === 'version check') return primary('lock')
  if (intent === 'transaction') return primary('transaction')
  if (intent === 'primary runner') return primary('query runner')
  if (wroteRecently(shard.name, frame, now, policy.readYourWritesMs))
    return primary('read your writes')
  if (!request.isReplicated) return primary('entity not replicated')
  if (shard.reads === 'primary') return primary('reads: primary')
  if (shard.replicas.length === 0) return primary('no replicas')
  return replicaIfAny(
    shard,
    undefined,
    replica(intent === 'read' ? 'read outside a transaction' : 'query runner', false),
  )
}

/**
 * Decides where a request goes. Pure: the same request, frame, topology and time give the same
 * route, and no path leads a write to a replica.
 *
 * @param now - milliseconds of the clock that the frame's write ledger is kept in
 * @throws ReadOnlyScopeError for a write or a lock inside `usingReplica`
 * @throws NoReplicaError where a replica is wanted, none is available and `onNoReplica` is `error`
 * @throws UnknownShardError if the shard named has left the topology
 */
export const decide = (
  request: RouteRequest,
  frame: Frame | undefined,
  topology: Topology,
  now: number,
  policy: RoutePolicy,
): Route => {
  const chosen = request.shard ?? ambientShard(frame, topology, policy)
  const shard = topology.shards.get(chosen.name)
  if (shard === undefined) throw new UnknownShardError(chosen.name, topology.shardNames)
  const group = groupOn(shard, frame)
  const { role, reason, isReadOnly } = chooseRole(request, frame, shard, group, now, policy)
  return {
    shard: shard.name,
    role,
    replicaGroup: role === 'replica' ? group : undefined,
    reason,
    shardReason: chosen.by,
    passedOver: rulesBefore(reason),
    isReadOnly,
  }
}

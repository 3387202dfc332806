import { UnknownShardError } from '../errors.js'
import type { Frame } from '../context/frame.js'
import type { ShardTopology, Topology } from '../topology/snapshot.js'
import type { Role, RouteReason, ShardReason } from '../trace/event.js'
import type { RoutePolicy } from './policy.js'
import type { RouteRequest } from './request.js'
import { type Situation, askRules } from './role-rules.js'

/** A decision: which shard, which role, and why. The server is chosen later, at checkout. */
export interface Route {
  readonly shard: string
  readonly role: Role
  /** The replica group that was asked for. */
  readonly replicaGroup: string | undefined
  readonly reason: RouteReason
  readonly shardReason: ShardReason
  readonly passedOver: readonly RouteReason[]
  /** Whether statements must be proved read-only before they are sent. */
  readonly isReadOnly: boolean
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

/** A replica group of the scope counts on shards that have it; a home or handle may have none. */
const groupOn = (shard: ShardTopology, frame: Frame | undefined): string | undefined =>
  frame?.replicaGroup !== undefined && shard.onlineReplicas.has(frame.replicaGroup)
    ? frame.replicaGroup
    : undefined

/** What the role rules look at for a request, and the rule that chose its shard. */
export interface Question {
  readonly situation: Situation
  readonly by: ShardReason
}

/**
 * Chooses the shard of a request.
 *
 * @throws UnknownShardError if the shard named has left the topology
 */
export const questionOf = (
  request: RouteRequest,
  frame: Frame | undefined,
  topology: Topology,
  now: number,
  policy: RoutePolicy,
): Question => {
  const chosen = request.shard ?? ambientShard(frame, topology, policy)
  const shard = topology.shards.get(chosen.name)
  if (shard === undefined) throw new UnknownShardError(chosen.name, topology.shardNames)
  const group = groupOn(shard, frame)
  return { situation: { request, frame, shard, group, now, policy }, by: chosen.by }
}

/** The route of a request whose shard is chosen. Throws what `decide` throws. */
export const answer = ({ situation, by }: Question): Route => {
  const { rule, chosen } = askRules(situation)
  const reason = chosen.reason ?? rule.name
  const isReplicaWanted = chosen.role === 'replica' || reason === 'no replica available'
  return {
    shard: situation.shard.name,
    role: chosen.role,
    replicaGroup: isReplicaWanted ? situation.group : undefined,
    reason,
    shardReason: by,
    passedOver: rule.passedOver,
    isReadOnly: chosen.isReadOnly,
  }
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
): Route => answer(questionOf(request, frame, topology, now, policy))

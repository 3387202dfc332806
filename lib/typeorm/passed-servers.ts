import type { Route } from '../router/decide.js'
import type { Endpoint, ShardTopology } from '../topology/snapshot.js'
import type { SkippedNode } from '../trace/event.js'

/** Whether a route wanted a replica, though a primary may have to serve. */
const wantsReplica = ({ role, reason }: Route): boolean =>
  role === 'replica' || reason === 'no replica available'

/** Why replicas that are in service are no candidates for a route. */
const unmeant = (
  { replicas }: ShardTopology,
  { replicaGroup }: Route,
  candidates: readonly Endpoint[],
): readonly SkippedNode[] => {
  const isCollapsed = candidates.every(({ role }) => role === 'primary')
  return replicas.flatMap(({ node, group, isOnline }) => {
    if (replicaGroup !== undefined && group !== replicaGroup)
      return [{ node, why: `it is not in replica group "${replicaGroup}"` }]
    return isCollapsed && isOnline
      ? [{ node, why: 'its primary serves, see collapseReplicas' }]
      : []
  })
}

/**
 * The replicas that a route did not choose from, with the reason.
 *
 * @param out - those that were out of service
 */
export const skippedServers = (
  shard: ShardTopology,
  route: Route,
  candidates: readonly Endpoint[],
  out: readonly SkippedNode[],
): readonly SkippedNode[] => {
  if (!wantsReplica(route) || candidates.length === 0) return out
  const isOut = new Set(out.map(({ node }) => node))
  return [...out, ...unmeant(shard, route, candidates).filter(({ node }) => !isOut.has(node))]
}

import { UnknownGroupError } from '../errors.js'
import type { Topology } from '../topology/snapshot.js'
import { shardNamed } from './scopes.js'

/** Which shards something is about: those named, and those of the groups named. Default: all. */
export interface ShardTargets {
  readonly shards?: readonly string[] | undefined
  readonly groups?: readonly string[] | undefined
}

/**
 * The names of the shards that are meant, each once, in the order of the configuration.
 *
 * @throws UnknownShardError, UnknownGroupError before anything is done
 */
export const targetShards = (
  topology: Topology,
  { shards, groups }: ShardTargets,
): readonly string[] => {
  if (shards === undefined && groups === undefined) return topology.shardNames
  const named = new Set(shards?.map((name) => shardNamed(topology, name).name))
  for (const group of groups ?? []) {
    const members = topology.groups.get(group)
    if (members === undefined) throw new UnknownGroupError(group, [...topology.groups.keys()])
    for (const member of members) named.add(member)
  }
  return topology.shardNames.filter((name) => named.has(name))
}

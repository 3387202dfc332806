import { defaultShardOf } from './declared.js'
import type { OctopusOptions, ReplicaOptions, ShardOptions } from './options.js'

/** What has replicas: a shard, or for the default shard the options as a whole. */
type WithReplicas = Pick<ShardOptions, 'replicas' | 'slaves'>

/** The options with one shard's changed: the default shard's stand at the top level. */
const withShardChanged = (
  options: OctopusOptions,
  name: string,
  change: <T extends WithReplicas>(shard: T) => T,
): OctopusOptions => {
  if (name === defaultShardOf(options)) return change(options)
  const shard = options.shards?.[name]
  return shard === undefined
    ? options
    : { ...options, shards: { ...options.shards, [name]: change(shard) } }
}

/** Changes a list of replicas, by the word under which it was written. */
const withReplicasChanged = (
  options: OctopusOptions,
  name: string,
  change: (replicas: readonly ReplicaOptions[]) => readonly ReplicaOptions[],
): OctopusOptions =>
  withShardChanged(options, name, (shard) => {
    const key = shard.slaves === undefined ? 'replicas' : 'slaves'
    return { ...shard, [key]: change(shard[key] ?? []) }
  })

/** The options with the members of every group changed. */
const withMembers = (
  options: OctopusOptions,
  change: (members: readonly string[], group: string) => readonly string[],
): OctopusOptions =>
  options.groups === undefined
    ? options
    : {
        ...options,
        groups: Object.fromEntries(
          Object.entries(options.groups).map(([group, members]) => [group, change(members, group)]),
        ),
      }

/** The options with one more shard, which also belongs to some groups. */
export const withShard = (
  options: OctopusOptions,
  name: string,
  shard: ShardOptions,
  groups: readonly string[],
): OctopusOptions => ({
  ...withMembers(options, (members, group) =>
    groups.includes(group) ? [...members, name] : members,
  ),
  shards: { ...options.shards, [name]: shard },
})

/** The options without a shard, and with no group that lists it. */
export const withoutShard = (options: OctopusOptions, name: string): OctopusOptions => ({
  ...withMembers(options, (members) => members.filter((member) => member !== name)),
  shards: Object.fromEntries(Object.entries(options.shards ?? {}).filter(([key]) => key !== name)),
})

/** The options with the connection of a shard's primary changed; not of the default shard's, which is
 *  the DataSource's own. */
export const withPrimary = (
  options: OctopusOptions,
  name: string,
  change: (shard: ShardOptions) => ShardOptions,
): OctopusOptions => {
  const shard = options.shards?.[name]
  return shard === undefined
    ? options
    : { ...options, shards: { ...options.shards, [name]: change(shard) } }
}

/** The options with one more replica, the last of its shard. */
export const withReplica = (
  options: OctopusOptions,
  shard: string,
  replica: ReplicaOptions,
): OctopusOptions => withReplicasChanged(options, shard, (replicas) => [...replicas, replica])

/** The options with one replica of a shard changed. */
export const withReplicaChanged = (
  options: OctopusOptions,
  shard: string,
  index: number,
  change: (replica: ReplicaOptions) => ReplicaOptions,
): OctopusOptions =>
  withReplicasChanged(options, shard, (replicas) =>
    replicas.map((replica, at) => (at === index ? change(replica) : replica)),
  )

/** The options without one replica of a shard. */
export const withoutReplica = (
  options: OctopusOptions,
  shard: string,
  index: number,
): OctopusOptions =>
  withReplicasChanged(options, shard, (replicas) => replicas.filter((_, at) => at !== index))

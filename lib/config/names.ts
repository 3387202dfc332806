import { defaultShardOf } from './declared.js'
import { checkMigrations } from './migrations.js'
import { suggest } from './nearest.js'
import type { OctopusOptions, ReplicaOptions } from './options.js'
import type { Path, Problems } from './problems.js'
import { repeatedIn } from './repeated.js'
import { checkUnsharded } from './unsharded.js'

const checkReplicaNames = (
  {
    replicas,
    slaves,
  }: { replicas?: readonly ReplicaOptions[]; slaves?: readonly ReplicaOptions[] },
  path: Path,
  problems: Problems,
): void => {
  if (replicas !== undefined && slaves !== undefined)
    problems.report([...path, 'slaves'], 'is an alias of "replicas", which is given too; keep one')
  for (const [key, list] of Object.entries({ replicas, slaves })) {
    if (list === undefined) continue
    for (const [index, { group, slaveGroup }] of list.entries())
      if (group !== undefined && slaveGroup !== undefined)
        problems.report(
          [...path, key, index, 'slaveGroup'],
          'is an alias of "group", which is given too; keep one',
        )
    const names = list.map(({ name }) => name)
    for (const index of repeatedIn(names))
      problems.report(
        [...path, key, index, 'name'],
        `"${names[index]}" is the name of another replica of this shard; give each its own`,
      )
  }
}

const checkGroup = (
  name: string,
  members: readonly string[],
  known: { shards: readonly string[]; groups: readonly string[] },
  problems: Problems,
): void => {
  if (known.shards.includes(name))
    problems.report(['groups', name], 'is the name of a shard too; rename the group')
  for (const index of repeatedIn(members))
    problems.report(
      ['groups', name, index],
      `lists the shard "${members[index]}" twice; list each shard once`,
    )
  for (const [index, member] of members.entries())
    if (!known.shards.includes(member))
      problems.report(
        ['groups', name, index],
        known.groups.includes(member)
          ? `"${member}" is a group, and a group lists shards; list its shards here`
          : `unknown shard "${member}"; ${suggest(member, known.shards, 'configured shards')}`,
      )
}

/** Checks what names refer to, and that each is used once. Needs no DataSource. */
export const checkNames = (options: OctopusOptions, problems: Problems): void => {
  const defaultShard = defaultShardOf(options)
  const { shards = {}, groups = {} } = options
  checkReplicaNames(options, [], problems)
  for (const [name, shard] of Object.entries(shards))
    checkReplicaNames(shard, ['shards', name], problems)

  if (Object.hasOwn(shards, defaultShard))
    problems.report(
      ['shards', defaultShard],
      'is the default shard, which the wrapped DataSource is; put its replicas at the top level, or give the default shard another name with "defaultShard"',
    )

  // while some names cannot be read, no group's shard can be called unknown
  if (!problems.covers(['shards']) && !problems.covers(['defaultShard'])) {
    const known = { shards: [defaultShard, ...Object.keys(shards)], groups: Object.keys(groups) }
    for (const [name, members] of Object.entries(groups)) checkGroup(name, members, known, problems)
    checkMigrations(options, known.shards, problems)
  }

  checkUnsharded(options, [defaultShard, ...Object.keys(shards)], problems)

  const { replicated = [], fullyReplicated = true } = options
  for (const index of repeatedIn(replicated))
    problems.report(['replicated', index], 'is listed twice; list each entity once')
  if (options.replicated !== undefined && fullyReplicated && !problems.covers(['fullyReplicated']))
    problems.report(
      ['replicated'],
      'has no effect while every entity counts as replicated; set "fullyReplicated: false", or remove the list',
    )
}

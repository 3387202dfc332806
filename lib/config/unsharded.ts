import { suggest } from './nearest.js'
import type { OctopusOptions, UnshardedOptions } from './options.js'
import type { Problems } from './problems.js'
import { repeatedIn } from './repeated.js'
import type { ResolvedUnsharded } from './resolved.js'

type Given = NonNullable<OctopusOptions['unsharded']>[number]

/** Tells settings from the class or schema of an entity. */
const isSettings = (given: Given): given is UnshardedOptions =>
  typeof given === 'object' && 'entity' in given

/** Checks the list of entities outside sharding. */
export const checkUnsharded = (
  { unsharded = [] }: OctopusOptions,
  known: readonly string[],
  problems: Problems,
): void => {
  const entities = unsharded.map((given) => (isSettings(given) ? given.entity : given))
  for (const index of repeatedIn(entities))
    problems.report(['unsharded', index], 'is listed twice; list each entity once')
  if (problems.covers(['shards']) || problems.covers(['defaultShard'])) return
  for (const [index, given] of unsharded.entries()) {
    if (!isSettings(given)) continue
    const named = [
      ...(given.shard === undefined ? [] : ([['shard', given.shard]] as const)),
      ...(given.allowShard ?? []).map((name, at) => ['allowShard', name, at] as const),
    ]
    for (const [key, name, ...at] of named)
      if (!known.includes(name))
        problems.report(
          ['unsharded', index, key, ...at],
          `unknown shard "${name}"; ${suggest(name, known, 'configured shards')}`,
        )
  }
}

/** An entry of the list, complete. */
export const resolveUnsharded = (given: Given): ResolvedUnsharded => {
  const settings: UnshardedOptions = isSettings(given) ? given : { entity: given }
  const { entity, shard, allowShard = [], strict } = settings
  return Object.freeze({ entity, shard, allowShard: Object.freeze([...allowShard]), strict })
}

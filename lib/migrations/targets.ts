import { suggest } from '../config/nearest.js'
import { migrationTargetWords } from '../config/words.js'
import { InvalidDecoratorError } from '../errors.js'
import type { Topology } from '../topology/snapshot.js'

type Names = string | readonly string[]

/** Where a migration runs: on the primaries of these shards, each once. */
export interface MigrationTargets {
  /** Names of shards; also `default` for the default shard and `all` for every shard. */
  readonly shards?: Names
  /** Alias of `shards`. */
  readonly shard?: Names
  /** Names of shard groups. */
  readonly groups?: Names
  /** Alias of `groups`. */
  readonly group?: Names
}

const targetKeys = ['shards', 'shard', 'groups', 'group'] as const

const declared = new WeakMap<object, MigrationTargets>()

/**
 * Says on which shards a migration runs, is reverted and is marked as done: on their primaries, each
 * once. A static property `migrateOn` says the same. Whether the names exist is checked before
 * migrations run.
 *
 * @param targets - at least one shard or group
 * @returns a class decorator, for legacy and for standard decorators
 * @throws InvalidDecoratorError if it names nothing
 */
export const MigrateOn = (targets: MigrationTargets) => {
  const wrong = whyWrong(targets)
  if (wrong !== undefined) throw new InvalidDecoratorError(`@MigrateOn ${wrong}.`)
  return (migration: Function, _context?: ClassDecoratorContext): void => {
    declared.set(migration, targets)
  }
}

/** What a migration's class or one that it extends declares, the nearest first. */
export const declaredTargets = (migration: object): unknown => {
  for (
    let at = migration.constructor as object | null;
    at !== null && at !== Function.prototype;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    const found = declared.get(at)
    if (found !== undefined) return found
    if (Object.hasOwn(at, 'migrateOn')) return (at as { migrateOn?: unknown }).migrateOn
  }
  return undefined
}

const isNames = (value: unknown): value is Names =>
  typeof value === 'string' ||
  (Array.isArray(value) && value.every((each) => typeof each === 'string'))

const listOf = (names: Names | undefined): readonly string[] =>
  names === undefined ? [] : typeof names === 'string' ? [names] : names

/** What is wrong with targets, whatever the topology; undefined if nothing is. */
const whyWrong = (targets: unknown): string | undefined => {
  if (typeof targets !== 'object' || targets === null || Array.isArray(targets))
    return 'takes an object, such as { shards: ["brazil"] } or { groups: ["americas"] }'
  for (const [key, names] of Object.entries(targets)) {
    if (!(targetKeys as readonly string[]).includes(key))
      return `does not know "${key}"; ${suggest(key, targetKeys, 'known keys')}`
    if (names !== undefined && !isNames(names)) return `takes a name or a list of names as "${key}"`
  }
  const { shard, shards, group, groups } = targets as MigrationTargets
  if ([shard, shards, group, groups].every((names) => listOf(names).length === 0))
    return 'names no shard and no group'
  return undefined
}

/** The shards that were found, in the order of the topology, and what is wrong. */
interface FoundShards {
  readonly shards: readonly string[]
  readonly problems: readonly string[]
}

type Lookup = readonly string[] | { readonly problem: string }

/** `default` and `all`, unless a shard or group is called so. */
const shardsByWord = (word: string, topology: Topology): readonly string[] | undefined => {
  if (topology.groups.has(word)) return undefined
  if (word === 'default') return [topology.defaultShard]
  return word === 'all' ? topology.shardNames : undefined
}

const shardOfReplica = (name: string, { shards }: Topology): string | undefined =>
  [...shards.values()].find(({ replicas }) =>
    replicas.some(({ node, group }) => node === name || group === name),
  )?.name

const shardsByName = (name: string, topology: Topology): Lookup => {
  const { shardNames, groups } = topology
  if (shardNames.includes(name)) return [name]
  const meant = shardsByWord(name, topology)
  if (meant !== undefined) return meant
  if (groups.has(name)) return { problem: `"${name}" is a shard group; name it under "groups"` }
  const owner = shardOfReplica(name, topology)
  if (owner !== undefined)
    return {
      problem: `"${name}" is a replica of shard "${owner}", and migrations run on primaries; name the shard`,
    }
  const known = `configured shards: ${shardNames.join(', ')}`
  return { problem: `unknown shard "${name}"; ${hint(name, shardNames)}${known}` }
}

const shardsOfGroup = (name: string, topology: Topology): Lookup => {
  const { shardNames, groups } = topology
  const members = groups.get(name)
  if (members !== undefined) return members
  if (shardNames.includes(name)) return { problem: `"${name}" is a shard; name it under "shards"` }
  const known = [...groups.keys()]
  return {
    problem: `unknown shard group "${name}"; ${hint(name, known)}configured groups: ${known.join(', ') || 'none'}`,
  }
}

const hint = (name: string, known: readonly string[]): string => {
  const near = suggest(name, known, '')
  return near.startsWith('did you mean') ? `${near} ` : ''
}

const found = (lookups: readonly Lookup[], { shardNames }: Topology): FoundShards => {
  const named = new Set(lookups.flatMap((each) => ('problem' in each ? [] : each)))
  return {
    shards: shardNames.filter((shard) => named.has(shard)),
    problems: lookups.flatMap((each) => ('problem' in each ? [each.problem] : [])),
  }
}

/** The shards that a migration's own targets stand for. */
export const shardsOfTargets = (targets: unknown, topology: Topology): FoundShards => {
  const wrong = whyWrong(targets)
  if (wrong !== undefined) return { shards: [], problems: [`migrateOn ${wrong}`] }
  const { shard, shards, group, groups } = targets as MigrationTargets
  return found(
    [
      ...[...listOf(shard), ...listOf(shards)].map((name) => shardsByName(name, topology)),
      ...[...listOf(group), ...listOf(groups)].map((name) => shardsOfGroup(name, topology)),
    ],
    topology,
  )
}

/** The shards that the names of `migrations.default` stand for, which were checked. */
export const shardsOfDefault = (names: readonly string[], topology: Topology): readonly string[] =>
  found(
    names.map((name) => topology.groups.get(name) ?? shardsByName(name, topology)),
    topology,
  ).shards

/** What a migration could say, for a message. */
export const targetChoices = ({ shardNames, groups }: Topology): string =>
  `shards: ${shardNames.join(', ')}; groups: ${[...groups.keys()].join(', ') || 'none'}; or ${migrationTargetWords.join(', ')}`

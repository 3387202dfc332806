import { MigrationPlanError, type MigrationProblem } from '../errors.js'
import { targetShards } from '../scopes/targets.js'
import type { Topology } from '../topology/snapshot.js'
import { shardsOfDefault, shardsOfTargets, targetChoices } from './targets.js'

/** A migration in the code. */
export interface KnownMigration {
  readonly name: string
  /** The time in its name, in milliseconds since the epoch. */
  readonly timestamp: number
  /** What it declares about where it runs; undefined if nothing. */
  readonly targets: unknown
}

/** Which shards a caller means. */
export type ShardChoice =
  /** None in particular. */
  | { readonly kind: 'all' }
  /** The one of a scope, a handle or the environment: it takes the migrations that name none too. */
  | { readonly kind: 'named'; readonly shard: string }
  /** Those that options list: of what would run, only there. */
  | { readonly kind: 'restricted'; readonly shards: readonly string[] }

/** Options that name shards and groups. */
export interface ShardSelection {
  /** Only these shards. */
  readonly shards?: readonly string[] | undefined
  /** Only the shards of these groups. */
  readonly groups?: readonly string[] | undefined
}

/**
 * The choice that options make; undefined if they name nothing.
 *
 * @throws UnknownShardError, UnknownGroupError
 */
export const choiceOf = (
  { shards, groups }: ShardSelection,
  topology: Topology,
): ShardChoice | undefined => {
  if (shards === undefined && groups === undefined) return undefined
  return { kind: 'restricted', shards: targetShards(topology, { shards, groups }) }
}

/** Which migrations run where. */
export interface Assignment<M extends KnownMigration> {
  /** All that the code has, in the order in which they run, with the shards on which they do. */
  readonly migrations: readonly { readonly migration: M; readonly shards: ReadonlySet<string> }[]
  /** The shards that are visited, in the order of the topology. */
  readonly shards: readonly string[]
}

const within = (shards: readonly string[], choice: ShardChoice): readonly string[] => {
  switch (choice.kind) {
    case 'all':
      return shards
    case 'named':
      return shards.filter((shard) => shard === choice.shard)
    case 'restricted':
      return shards.filter((shard) => choice.shards.includes(shard))
    default:
      return choice satisfies never
  }
}

/** Where a migration runs that names nothing; undefined if nothing tells. */
const withoutTargets = (
  choice: ShardChoice,
  topology: Topology,
  byDefault: readonly string[] | undefined,
): readonly string[] | undefined => {
  if (choice.kind === 'named') return [choice.shard]
  if (byDefault !== undefined) return shardsOfDefault(byDefault, topology)
  if (choice.kind === 'restricted') return choice.shards
  return topology.shardNames.length === 1 ? topology.shardNames : undefined
}

const noTarget = (topology: Topology): string =>
  `says nowhere on which shards it runs, and there are ${topology.shardNames.length}. Say @MigrateOn({ shards: […] }) or @MigrateOn({ groups: […] }), or set migrations.default (${targetChoices(topology)})`

/**
 * Says for each migration on which shards it runs. Needs no server.
 *
 * @param migrations - in the order in which they run
 * @param byDefault - what `migrations.default` says
 * @throws MigrationPlanError with every migration that names what does not exist, or nothing where
 *   nothing else tells
 */
export const assignShards = <M extends KnownMigration>(
  migrations: readonly M[],
  choice: ShardChoice,
  topology: Topology,
  byDefault: readonly string[] | undefined,
): Assignment<M> => {
  const problems: MigrationProblem[] = []
  const assigned = migrations.map((migration) => {
    const report = (message: string): void => {
      problems.push({ migration: migration.name, shard: undefined, message })
    }
    let shards: readonly string[] | undefined
    if (migration.targets === undefined) {
      shards = withoutTargets(choice, topology, byDefault)
      if (shards === undefined) report(noTarget(topology))
    } else {
      const named = shardsOfTargets(migration.targets, topology)
      for (const problem of named.problems) report(problem)
      ;({ shards } = named)
    }
    return { migration, shards: new Set(within(shards ?? [], choice)) }
  })
  if (problems.length > 0) throw new MigrationPlanError(problems)
  return { migrations: assigned, shards: visited(assigned, choice, topology) }
}

/** A shard that was asked for is looked at, whatever runs there. */
const visited = (
  assigned: readonly { readonly shards: ReadonlySet<string> }[],
  choice: ShardChoice,
  { shardNames }: Topology,
): readonly string[] => {
  if (choice.kind === 'named') return [choice.shard]
  if (choice.kind === 'restricted') return choice.shards
  return shardNames.filter((shard) => assigned.some(({ shards }) => shards.has(shard)))
}

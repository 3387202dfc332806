import { suggest } from './nearest.js'
import type { MigrationOptions, OctopusOptions } from './options.js'
import type { Problems } from './problems.js'
import { repeatedIn } from './repeated.js'
import type { ResolvedMigrations } from './resolved.js'
import { migrationTargetWords } from './words.js'

const listOf = (names: string | readonly string[] | undefined): readonly string[] | undefined =>
  typeof names === 'string' ? [names] : names

/** Checks that what migrations run on by default exists. */
export const checkMigrations = (
  { migrations = {}, groups = {} }: OctopusOptions,
  shards: readonly string[],
  problems: Problems,
): void => {
  const targets = listOf(migrations.default) ?? []
  const at = (index: number): (string | number)[] =>
    typeof migrations.default === 'string'
      ? ['migrations', 'default']
      : ['migrations', 'default', index]
  for (const index of repeatedIn(targets))
    problems.report(at(index), 'is listed twice; list each name once')
  const known = [...migrationTargetWords, ...shards, ...Object.keys(groups)]
  for (const [index, name] of targets.entries())
    if (!known.includes(name))
      problems.report(
        at(index),
        `neither a shard nor a group "${name}"; ${suggest(name, known, 'choices')}`,
      )
}

/** The settings of migrations, complete. */
export const resolveMigrations = (
  given: MigrationOptions = {},
  fanOutConcurrency: number,
): ResolvedMigrations => {
  const targets = listOf(given.default)
  return Object.freeze({
    default: targets && Object.freeze([...targets]),
    concurrency: given.concurrency ?? fanOutConcurrency,
    onError: given.onError ?? 'stop',
    lockTimeoutMs: given.lockTimeoutMs ?? 60_000,
    transaction: given.transaction,
  })
}

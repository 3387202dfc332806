import type { z } from 'zod'
import { suggest } from './nearest.js'
import type { OctopusOptions } from './options.js'
import { poolKeys } from './pool.js'
import type { Path, Problems } from './problems.js'
import { dropUndefined, isMapping, withoutKey, withoutPath } from './prune.js'
import {
  migrationShape,
  nameRule,
  octopusSchema,
  replicaShape,
  shardShape,
  topShape,
} from './schema.js'

const isReplicaPath = (path: Path): boolean => path.includes('replicas') || path.includes('slaves')

/** Keys that people write in the wrong place or by the name another tool gives them. */
const remedyFor = (key: string, path: Path): string | undefined => {
  switch (key) {
    case 'entities':
    case 'subscribers':
    case 'migrations':
      return 'is one set for all shards; give it to the DataSource'
    case 'replication':
      return 'is TypeORM\'s own; list the replicas under "replicas" instead'
    case 'user':
      return 'is called "username"'
    case 'shardGroups':
      return 'is called "groups"'
    case 'synchronize':
    case 'migrationsRun':
    case 'dropSchema':
      if (isReplicaPath(path)) return 'changes the schema, which only a primary can do; remove it'
  }
  if (isReplicaPath(path)) {
    if (key === 'replicas' || key === 'slaves')
      return 'belongs to the shard; a replica has no replicas of its own (does a merge key bring it along?)'
    if (Object.hasOwn(shardShape, key))
      return 'belongs to the shard, not to a replica (does a merge key bring it along?)'
  }
  if (path.length === 0 && Object.hasOwn(shardShape, key))
    return 'is an option of the default shard\'s connection; give it to the DataSource, or to a shard under "shards"'
  if (path.length > 0 && Object.hasOwn(topShape, key))
    return 'belongs to the top level, not to a shard'
  return undefined
}

const ownKeys = ['replicas', 'reads', 'onNoReplica', 'connect', ...poolKeys]
const commonKeys = ['type', 'host', 'port', 'url', 'username', 'password', 'database', 'poolSize']

const writesKeys = Object.keys(topShape.readYourWrites.shape)

const unknownKey = (key: string, path: Path): string => {
  const remedy = remedyFor(key, path)
  if (remedy !== undefined) return remedy
  if (path.length === 0) return `unknown key; ${suggest(key, Object.keys(topShape), 'known keys')}`
  if (path.at(-1) === 'readYourWrites')
    return `unknown key; ${suggest(key, writesKeys, 'known keys')}`
  if (path.length === 1 && path[0] === 'migrations')
    return `unknown key; ${suggest(key, Object.keys(migrationShape), 'known keys')}`
  if (path.at(-1) === 'invalidWhereValuesBehavior')
    return 'unknown key; known keys: null, undefined'
  const near = suggest(key, Object.keys(isReplicaPath(path) ? replicaShape : shardShape), '')
  if (near.startsWith('did you')) return `unknown key; ${near}`
  const own = isReplicaPath(path) ? ['name', 'group', 'weight'] : ownKeys
  return `unknown key; known keys: ${own.join(', ')} and TypeORM's connection options, such as ${commonKeys.join(', ')}`
}

/**
 * An unknown key as it may be shown. `password:secret`, without a space, is a key to YAML, so only
 * the word it begins with is.
 */
const shownKey = (key: string): string => {
  const word = /^[\w-]{0,40}/.exec(key)?.[0] ?? ''
  return word === key ? key : `${word}…`
}

/** What users call the kinds of values. */
const plainWords: Readonly<Record<string, string>> = {
  object: 'mapping',
  record: 'mapping',
  array: 'list',
  int: 'whole number',
}

const describeIssue = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'invalid_value')
    return `expected one of ${issue.values.map(String).join(', ')}`
  if (issue.code === 'invalid_key') return `not a name for this; ${nameRule}`
  return issue.message
    .replace(/^(Invalid input|Too small|Too big): /, '')
    .replaceAll(/\b(object|record|array|int)\b(?=,| to|$)/g, (word) => plainWords[word] ?? word)
}

/** Reports an issue, and yields the options without what is wrong. */
const settleIssue = (options: unknown, issue: z.core.$ZodIssue, problems: Problems): unknown => {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  if (issue.code === 'unrecognized_keys')
    return issue.keys.reduce((rest: unknown, key) => {
      problems.report([...path, shownKey(key)], unknownKey(key, path))
      return withoutKey(rest, [...path, key])
    }, options)
  if (issue.code === 'invalid_key') {
    problems.report([...path.slice(0, -1), shownKey(String(path.at(-1)))], describeIssue(issue))
    return withoutKey(options, path)
  }
  problems.report(path, describeIssue(issue))
  return withoutPath(options, path)
}

/**
 * Checks the shape of options from code or from a file. What is wrong is reported and taken out, so
 * that the rest can be checked further in the same run.
 */
export const checkShape = (given: unknown, problems: Problems): OctopusOptions => {
  if (!isMapping(given)) {
    problems.report([], 'expected a mapping of options, such as { shards: { … } }')
    return {}
  }
  for (const key of ['shards', 'groups'])
    // zod passes over this key, and nothing else would tell that it had no effect
    if (isMapping(given[key]) && Object.hasOwn(given[key], '__proto__'))
      problems.report([key, '__proto__'], `not a name for this; ${nameRule}`)
  let sound = dropUndefined(given)
  for (;;) {
    const result = octopusSchema.safeParse(sound)
    if (result.success) return result.data
    for (const issue of result.error.issues) sound = settleIssue(sound, issue, problems)
  }
}

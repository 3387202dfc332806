import type { Path } from './problems.js'

export type Plain = Record<string, unknown>

/** Whether a value is a mapping as YAML or an object literal makes it, and not an instance. */
export const isPlain = (value: unknown): value is Plain => {
  if (typeof value !== 'object' || value === null) return false
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === Object.prototype || proto === null
}

/** A mapping of any kind: what the schema takes for an object. */
export const isMapping = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isListOfReplicas = (key: string | number | undefined): boolean =>
  key === 'replicas' || key === 'slaves'

/** Whether a path is that of a shard or a replica, which other problems count on being there. */
const isSection = (path: Path): boolean =>
  (path.length === 2 && path[0] === 'shards') ||
  (typeof path.at(-1) === 'number' && isListOfReplicas(path.at(-2)))

const replaceAt = (value: unknown, path: Path, replacement: unknown): unknown => {
  const [part, ...rest] = path
  if (part === undefined) return replacement
  if (Array.isArray(value))
    return value.map((item: unknown, index) =>
      index === part ? replaceAt(item, rest, replacement) : item,
    )
  if (!isMapping(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, entry]) => [key, key === part ? replaceAt(entry, rest, replacement) : entry])
      .filter(([, entry]) => entry !== undefined),
  )
}

/** Takes out a key with what it holds. */
export const withoutKey = (value: unknown, path: Path): unknown => replaceAt(value, path, undefined)

/**
 * Takes out what is wrong at a path, so that the rest can be checked in the same run. A wrong item
 * takes its list with it, since the others would change places; a wrong shard or replica stays, empty.
 */
export const withoutPath = (value: unknown, path: Path): unknown => {
  if (isSection(path)) return replaceAt(value, path, {})
  if (typeof path.at(-1) === 'number') return withoutPath(value, path.slice(0, -1))
  return path.length === 0 ? {} : withoutKey(value, path)
}

const withoutUndefined = (value: unknown): unknown =>
  isMapping(value)
    ? Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined))
    : value

const inReplicaLists = (value: unknown): unknown => {
  if (!isMapping(value)) return value
  const copy = withoutUndefined(value) as Plain
  for (const key of ['replicas', 'slaves']) {
    const list = copy[key]
    if (Array.isArray(list)) copy[key] = list.map(withoutUndefined)
  }
  return copy
}

/**
 * Takes `port: undefined` for a port that was not given. Looks only where the library's own keys
 * stand: what is inside `extra`, a carrier or a logger stays as it is.
 */
export const dropUndefined = (options: unknown): unknown => {
  const top = inReplicaLists(options)
  if (!isMapping(top)) return top
  if (isMapping(top['shards']))
    top['shards'] = Object.fromEntries(
      Object.entries(withoutUndefined(top['shards']) as Plain).map(([name, shard]) => [
        name,
        inReplicaLists(shard),
      ]),
    )
  if (isMapping(top['readYourWrites']))
    top['readYourWrites'] = withoutUndefined(top['readYourWrites'])
  return top
}

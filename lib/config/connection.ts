import { connectionKeys } from './connection-keys.js'
import { type Connection, inherited, isFileEngine, serverKeysInExtra } from './inherit.js'
import type { ConnectionOptions } from './options.js'
import type { Path, Problems } from './problems.js'
import { isPlain } from './prune.js'
import { replicaShape, shardShape } from './schema.js'
import { parseUrl } from './url.js'
import { type Engine, type EngineFamily, familyOf } from './words.js'

/** What a connection takes over from: the default shard, or a replica's primary. */
export interface Heritage {
  readonly connection: Connection
  readonly family: EngineFamily | undefined
}

/** A value that the drivers write into: mysql2 and pg both do so to `ssl`. */
const driverValues = ['extra', 'ssl', 'cache', 'sqlJsConfig', 'invalidWhereValuesBehavior']

const copied = (value: unknown, copies = new Map<unknown, unknown>()): unknown => {
  if (!Array.isArray(value) && !isPlain(value)) return value
  if (copies.has(value)) return copies.get(value)
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [] : {}
  copies.set(value, copy)
  return Object.assign(
    copy,
    Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copied(entry, copies)])),
  )
}

const wrongEngine = (key: string, engine: Engine): string => {
  if (key === 'location' && engine === 'better-sqlite3')
    return 'better-sqlite3 names its file by "database"'
  if (key === 'schema' && familyOf(engine) === 'mysql')
    return `${engine} has no schemas inside a database; use "database"`
  if (key === 'socketPath' && engine === 'postgres')
    return 'postgres takes the directory of a socket as "host"'
  if (key === 'connectTimeout' && engine === 'postgres')
    return 'postgres calls it "connectTimeoutMS"'
  if (key === 'connectTimeoutMS' && familyOf(engine) === 'mysql')
    return `${engine} calls it "connectTimeout"`
  if (key === 'poolSize') return `${engine} has one connection and no pool; remove it`
  return `is not an option of ${engine}; remove it, or set the "type" that it is for`
}

const checkKeys = (
  own: ConnectionOptions,
  engine: Engine,
  path: Path,
  problems: Problems,
): void => {
  const schemas: Readonly<Record<string, { safeParse(value: unknown): { success: boolean } }>> =
    connectionKeys[familyOf(engine)]
  for (const [key, value] of Object.entries(own)) {
    if (key === 'type') continue
    const schema = schemas[key]
    if (schema === undefined) problems.report([...path, key], wrongEngine(key, engine))
    else if (!schema.safeParse(value).success)
      problems.report(
        [...path, key],
        key === 'database' && engine === 'sqljs'
          ? 'is the initial content, as bytes, for sqljs; name the file by "location"'
          : `has a value that ${engine} does not take`,
      )
  }
  const { extra } = own
  if (extra === undefined) return
  for (const key of serverKeysInExtra)
    if (Object.hasOwn(extra, key))
      problems.report(
        [...path, 'extra', key],
        'names a server where it would win over the other keys unseen; use "host", "port", "url" or "socketPath" of the shard or replica',
      )
}

/** Says a URL in keys, and refuses what is said twice. */
const withUrlParts = (
  own: Connection,
  family: EngineFamily,
  path: Path,
  problems: Problems,
): Connection => {
  const { url, ...rest } = own
  if (typeof url !== 'string' || isFileEngine(family)) return own
  const parts = parseUrl(url, family, [...path, 'url'], problems)
  const serverKeys = ['host', 'port', 'socketPath']
  for (const key of new Set([...serverKeys, ...Object.keys(parts)]))
    if (rest[key] !== undefined)
      problems.report(
        [...path, key],
        serverKeys.includes(key)
          ? 'names a server, and so does "url" beside it (does a merge key bring one of them along?); keep one'
          : 'is in "url" too; keep one',
      )
  return { ...rest, ...parts }
}

/** Keys without which, or with wrong ones of which, a server cannot be told. */
const namingKeys = [
  'type',
  'host',
  'port',
  'url',
  'socketPath',
  'database',
  'location',
  'schema',
  'extra',
]

/** Whether what an endpoint connects to is known, so that it is fair to judge it. */
export const namesAreSound = (path: Path, problems: Problems): boolean =>
  !problems.beneath(path).some((damaged) => {
    const key = damaged[path.length]
    // an unknown key may be a misspelt `host`
    return (
      key === undefined ||
      namingKeys.includes(String(key)) ||
      !(Object.hasOwn(shardShape, key) || Object.hasOwn(replicaShape, key))
    )
  })

const checkServer = (own: Connection, engine: Engine, path: Path, problems: Problems): void => {
  const { host, port, socketPath, database } = own
  if (
    engine !== 'postgres' &&
    socketPath !== undefined &&
    (host !== undefined || port !== undefined)
  )
    problems.report(
      [...path, 'socketPath'],
      'names a server, and so do "host" and "port" beside it; keep one',
    )
  if (!namesAreSound(path, problems)) return
  if (engine === 'better-sqlite3') {
    if (database === undefined)
      problems.report(path, 'names no file; set "database" to one, or to ":memory:"')
  } else if (!isFileEngine(familyOf(engine)) && host === undefined && socketPath === undefined)
    problems.report(
      path,
      `names no server; set "host", "url"${engine === 'postgres' ? '' : ' or "socketPath"'} (a server is never inherited)`,
    )
}

/**
 * What sql.js would do with an inherited `autoSave` and nowhere to save: refuse to start. Given
 * on the shard itself it is a mistake.
 */
const settleAutoSave = (
  connection: Record<string, unknown>,
  own: Connection,
  path: Path,
  problems: Problems,
): void => {
  if (connection['autoSave'] !== true) return
  if (connection['location'] !== undefined || connection['autoSaveCallback'] !== undefined) return
  if (own['autoSave'] === undefined) delete connection['autoSave']
  else if (namesAreSound(path, problems))
    problems.report([...path, 'autoSave'], 'has nowhere to save; set "location" too')
}

/** The complete options of one endpoint: its own, and what it inherits. */
export const resolveConnection = (
  options: ConnectionOptions,
  engine: Engine,
  from: Heritage,
  path: Path,
  problems: Problems,
): Connection => {
  const family = familyOf(engine)
  checkKeys(options, engine, path, problems)
  const own = withUrlParts({ ...options }, family, path, problems)
  checkServer(own, engine, path, problems)
  const connection: Record<string, unknown> = { type: engine, ...inherited(from, family), ...own }
  settleAutoSave(connection, own, path, problems)
  for (const key of driverValues) if (key in connection) connection[key] = copied(connection[key])
  return Object.freeze(connection)
}

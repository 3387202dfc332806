import { resolve } from 'node:path'
import { isFileEngine, type Connection } from './inherit.js'
import { Problems } from './problems.js'
import { parseUrl } from './url.js'
import { type EngineFamily, familyOf, isEngine } from './words.js'

export const defaultPorts = { mysql: 3306, postgres: 5432 } as const

const localhost = ['127.0.0.1', '::1', '[::1]']

const hostOf = (host: unknown): string => {
  const name = typeof host === 'string' && host !== '' ? host.toLowerCase() : 'localhost'
  return localhost.includes(name) ? 'localhost' : name
}

const textOf = (value: unknown, otherwise = ''): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise

const fileOf = (connection: Connection, family: 'sqljs' | 'better-sqlite3'): string | undefined => {
  const file = connection[family === 'sqljs' ? 'location' : 'database']
  const isFile = typeof file === 'string' && file !== '' && file !== ':memory:'
  return isFile ? `the file ${resolve(file)}` : undefined
}

/** A driver lets `extra` win over the connection's own keys; on a DataSource that is allowed. */
const withExtra = (connection: Connection): Connection => {
  const { extra } = connection
  return typeof extra === 'object' && extra !== null ? { ...connection, ...extra } : connection
}

/**
 * What a connection reaches, in words: equal for two connections exactly if they reach the same
 * database. Undefined for a database in memory, which is always one of its own. Free of credentials.
 */
export const serverOf = (connection: Connection, family: EngineFamily): string | undefined => {
  if (isFileEngine(family)) return fileOf(connection, family)
  const { host, port, socketPath, database, schema, username } = withExtra(connection)
  const server =
    typeof socketPath === 'string'
      ? `the socket ${socketPath}`
      : `${hostOf(host)}:${textOf(port, String(defaultPorts[family]))}`
  const parts =
    family === 'postgres'
      ? // the server takes the user's name for a database that is not named
        [
          server,
          `database ${textOf(database, textOf(username))}`,
          `schema ${textOf(schema, 'public')}`,
        ]
      : [server, `database ${textOf(database)}`]
  return parts.join(', ')
}

/** Where a server is. */
export interface ServerAddress {
  /** TypeORM's `type`, such as `mysql`. */
  readonly engine: string
  /** Its host, or the path of its socket; undefined for a file, and for what is in memory. */
  readonly host: string | undefined
  readonly port: number | undefined
  /** The database that is named, or SQLite's file. */
  readonly database: string | undefined
}

/** A connection's own keys, also those that stand in its `url`, or in TypeORM's `replication`. */
const flat = (connection: Connection, family: 'mysql' | 'postgres'): Connection => {
  const { replication } = connection as { replication?: { master?: Connection } }
  const own = withExtra({ ...connection, ...replication?.master })
  const { url } = own
  if (typeof url !== 'string') return own
  return { ...own, ...parseUrl(url, family, [], new Problems(), 'ignored') }
}

const named = (value: unknown): string | undefined => textOf(value) || undefined

/** Where a connection leads, with the engine's own port where none is named. Free of credentials. */
export const addressOf = (engine: string, connection: Connection | undefined): ServerAddress => {
  const nowhere = { engine, host: undefined, port: undefined, database: undefined }
  if (!isEngine(engine) || connection === undefined) return nowhere
  const family = familyOf(engine)
  if (isFileEngine(family))
    return {
      ...nowhere,
      database: named(connection[family === 'sqljs' ? 'location' : 'database']),
    }
  const { host, port, socketPath, database } = flat(connection, family)
  const isSocket = named(socketPath) !== undefined
  return {
    engine,
    host: named(socketPath) ?? named(host) ?? 'localhost',
    port: isSocket ? undefined : Number(textOf(port, String(defaultPorts[family]))),
    database: named(database),
  }
}

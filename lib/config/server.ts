import { resolve } from 'node:path'
import { isFileEngine, type Connection } from './inherit.js'
import type { EngineFamily } from './words.js'

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

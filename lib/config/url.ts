import type { Path, Problems } from './problems.js'

/** The parts of a URL that TypeORM has keys for; parts that the URL does not state are absent. */
export interface UrlParts {
  host?: string
  port?: number
  username?: string
  password?: string
  database?: string
  applicationName?: string
  ssl?: boolean | object
}

const schemes = {
  mysql: ['mysql', 'mariadb'],
  postgres: ['postgres', 'postgresql'],
} as const

/** The engine families whose servers a URL can name. */
export type ServerFamily = keyof typeof schemes

const percentDecoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const splitAt = (text: string, index: number): [string, string | undefined] =>
  index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)]

const hostAndPort = /^(?:\[([\da-f:.]+)\]|([^\s:,/[\]]+))(?::(\d+))?$/i

/** What `pg` makes of the parameters that it reads from a URL itself. */
const postgresParameter = (key: string, value: string): UrlParts | undefined => {
  if (key === 'application_name') return { applicationName: value }
  if (key === 'sslmode') {
    if (value === 'disable') return { ssl: false }
    if (value === 'no-verify') return { ssl: { rejectUnauthorized: false } }
    if (['prefer', 'require', 'verify-ca', 'verify-full'].includes(value)) return { ssl: true }
  }
  if (key === 'ssl') {
    if (value === 'true' || value === '1') return { ssl: true }
    if (value === 'false' || value === '0') return { ssl: false }
  }
  return undefined
}

const splitAtFirst = (text: string, mark: string): [string, string | undefined] =>
  splitAt(text, text.indexOf(mark))

/** The parts of what follows the scheme, and the parameters; undefined if it cannot be read. */
const takeApart = (rest: string): [UrlParts, URLSearchParams] | undefined => {
  const [authority, tail = ''] = splitAtFirst(rest, '/')
  // the last @, as TypeORM does: passwords with a bare @ are common
  const at = authority.lastIndexOf('@')
  const [rawUser, rawPassword] = splitAtFirst(authority.slice(0, Math.max(at, 0)), ':')
  const [server, queryOfServer] = splitAtFirst(authority.slice(at + 1), '?')
  const [rawDatabase, query] = splitAtFirst(tail, '?')
  const match = hostAndPort.exec(server)
  const username = percentDecoded(rawUser)
  const password = percentDecoded(rawPassword ?? '')
  const database = percentDecoded(rawDatabase)
  if (match === null || username === undefined || password === undefined || database === undefined)
    return undefined
  // a password with a bare slash ends up here
  if (rawDatabase.includes('@')) return undefined
  return [
    {
      host: match[1] ?? match[2] ?? '',
      ...(match[3] === undefined ? {} : { port: Number(match[3]) }),
      ...(username === '' ? {} : { username }),
      ...(rawPassword === undefined ? {} : { password }),
      ...(database === '' ? {} : { database }),
    },
    new URLSearchParams(query ?? queryOfServer ?? ''),
  ]
}

/**
 * Takes a server's URL apart, so that a shard can inherit what the URL leaves out. No part of it
 * appears in a message: a badly written one can have its password anywhere.
 */
export const parseUrl = (
  url: string,
  family: ServerFamily,
  path: Path,
  problems: Problems,
  parameters: 'refused' | 'ignored' = 'refused',
): UrlParts => {
  const [scheme, afterScheme] = splitAtFirst(url, '://')
  if (afterScheme === undefined || !(schemes[family] as readonly string[]).includes(scheme)) {
    problems.report(
      path,
      `expected a URL that begins with ${schemes[family][0]}://, as the engine is ${family}; correct it, or set "type"`,
    )
    return {}
  }
  const taken = takeApart(afterScheme.slice('//'.length))
  if (taken === undefined) {
    problems.report(
      path,
      `cannot be read; expected ${scheme}://user:password@host:port/database with / ? # @ and % in the parts written as %2F %3F %23 %40 and %25, or give host, port, username, password and database`,
    )
    return {}
  }
  const [parts, query] = taken
  for (const [key, value] of query) {
    const read = family === 'postgres' ? postgresParameter(key, value) : undefined
    if (read !== undefined) Object.assign(parts, read)
    else if (parameters === 'refused')
      problems.report(
        path,
        'has a parameter that is not understood here and would be lost, perhaps a TLS setting; give its meaning as a key ("ssl", "extra", …) instead',
      )
  }
  return parts
}

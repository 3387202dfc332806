import type { LogLine, LogLineReader } from '../statement-log.js'

/**
 * An entry begins with the time (left out within the same second), the connection and the command:
 * `251122 21:20:11⇥     5 Query⇥SELECT 1`. A line that looks otherwise continues the last statement.
 */
const entryPattern =
  /^(?:\d{6} [ \d]\d:\d\d:\d\d\t|\t\t) *(\d+) ([A-Z][A-Za-z_]*(?: [A-Za-z]+)?)(?:\t(.*))?$/

const serverStartPattern = /, Version: .* started with:$/

const kinds: Readonly<Record<string, 'query' | 'execute'>> = {
  Query: 'query',
  Execute: 'execute',
  Bulk_execute: 'execute',
}

/** Reads MariaDB's general log. Only `Connect` names the user, so it keeps who has which connection. */
export function generalLogReader(): LogLineReader {
  const users = new Map<number, string>()
  return (line): LogLine => {
    const entry = entryPattern.exec(line)
    if (!entry) return outsideEntry(line, users)
    const [, id, command = '', argument = ''] = entry
    const connection = Number(id)
    if (command === 'Connect' || command === 'Change user') {
      users.set(connection, /^(\S+?)@/.exec(argument)?.[1] ?? '')
    }
    const kind = kinds[command]
    if (!kind) return { kind: 'other' }
    const user = users.get(connection) ?? ''
    return { kind: 'statement', statement: { sql: argument, user, connection, kind } }
  }
}

function outsideEntry(line: string, users: Map<number, string>): LogLine {
  if (!serverStartPattern.test(line)) return { kind: 'continued', text: line }
  users.clear() // a restarted server counts its connections from 1 again
  return { kind: 'other' }
}

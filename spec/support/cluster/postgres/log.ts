import type { LogLine, LogLineReader } from '../statement-log.js'

/** Process, and user: empty for the server's own processes. */
export const logLinePrefix = '%m [%p] <%u> '

const entryPattern = /^\S+ \S+ \S+ \[(\d+)\] <([^>]*)> ([A-Z]+):  (.*)$/
const statementPattern = /^(?:(statement)|execute [^:]*): (.*)$/

/** Reads PostgreSQL's log with `log_statement = all`. It indents the further lines of an entry. */
export const postgresLogReader = (): LogLineReader => (line) => {
  if (line.startsWith('\t')) return { kind: 'continued', text: line.slice(1) }
  const [, connection, user = '', level, message = ''] = entryPattern.exec(line) ?? []
  const statement = level === 'LOG' ? statementPattern.exec(message) : null
  if (!statement) return other
  const [, isSimple, sql = ''] = statement
  const kind = isSimple ? 'query' : 'execute'
  return { kind: 'statement', statement: { sql, user, connection: Number(connection), kind } }
}

const other: LogLine = { kind: 'other' }

import { randomUUID } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { until } from '../until.js'

/**
 * A statement that the application sent, as the server's own log has it. Several statements sent as
 * one text are one. PostgreSQL keeps quiet about what it cannot parse, and about a prepared
 * statement that names unknown tables; MariaDB logs values in the place of a prepared statement's `?`.
 */
export interface LoggedStatement {
  readonly sql: string
  readonly user: string
  /** The server's number for the connection: thread id or process id. */
  readonly connection: number
  /** `execute` is a run of a prepared statement (the extended protocol in PostgreSQL). */
  readonly kind: 'query' | 'execute'
}

/** A place in the log: statements answered before it was taken lie before it. */
export interface StatementMark {
  readonly bytes: number
}

/** A part of the log that does not count. */
export interface StatementPause {
  readonly from: StatementMark
  readonly to: StatementMark
}

/** What one line of a log is: the start of an entry, a statement or other, or more of the last one. */
export type LogLine =
  | { readonly kind: 'statement'; readonly statement: LoggedStatement }
  | { readonly kind: 'other' }
  | { readonly kind: 'continued'; readonly text: string }

/** Reads the lines of one log in their order; may remember, say, who opened which connection. */
export type LogLineReader = (line: string) => LogLine

/** Reads a growing statement log, each byte once. */
export class StatementLog {
  readonly #file: string
  readonly #user: string
  readonly #readLine: LogLineReader
  readonly #statements: LocatedStatement[] = []
  #unread: Buffer = Buffer.alloc(0)
  #bytesParsed = 0

  constructor(file: string, user: string, readLine: LogLineReader) {
    this.#file = file
    this.#user = user
    this.#readLine = readLine
  }

  mark(): StatementMark {
    return { bytes: statSync(this.#file).size }
  }

  /**
   * The user's statements from `mark` on, without those of the pauses. `send` puts a statement of our own into the log: when it
   * is there, all that the server received before is there as well.
   */
  async since(
    mark: StatementMark,
    send: (sql: string) => Promise<unknown>,
    pauses: readonly StatementPause[] = [],
  ): Promise<LoggedStatement[]> {
    const marker = randomUUID()
    await send(`SELECT '${marker}'`)
    const end = await until(() => this.#endOfLineWith(marker), {
      what: `a marker statement to appear in ${this.#file}`,
      intervalMs: 1,
    })
    this.#parse(end)
    return this.#from(mark, pauses)
  }

  /** The same for a server that answers nobody: its log holds all that it received. */
  sinceWithoutServer(
    mark: StatementMark,
    pauses: readonly StatementPause[] = [],
  ): LoggedStatement[] {
    this.#load()
    this.#parse(this.#unread.lastIndexOf(newline) + 1)
    return this.#from(mark, pauses)
  }

  /** Where the line with our marker ends in the unread bytes; 0 while it is not complete. */
  #endOfLineWith(marker: string): number {
    this.#load()
    const found = this.#unread.indexOf(marker)
    return found < 0 ? 0 : this.#unread.indexOf(newline, found) + 1
  }

  #load(): void {
    const more = readFrom(this.#file, this.#bytesParsed + this.#unread.length)
    if (more.length > 0) this.#unread = Buffer.concat([this.#unread, more])
  }

  /** Always ends at the end of an entry, so no statement is open between two calls. */
  #parse(end: number): void {
    let open: LocatedStatement | undefined
    for (const { text, start } of linesOf(this.#unread.subarray(0, end))) {
      const line = this.#readLine(text)
      if (line.kind === 'continued') {
        if (open) open.sql += `\n${line.text}`
      } else {
        open = undefined
        if (line.kind === 'statement' && line.statement.user === this.#user) {
          open = { ...line.statement, position: this.#bytesParsed + start }
          this.#statements.push(open)
        }
      }
    }
    this.#bytesParsed += end
    this.#unread = this.#unread.subarray(end)
  }

  #from(mark: StatementMark, pauses: readonly StatementPause[]): LoggedStatement[] {
    const isInPause = (position: number) =>
      pauses.some(({ from, to }) => position >= from.bytes && position < to.bytes)
    return this.#statements
      .filter(({ position }) => position >= mark.bytes && !isInPause(position))
      .map(({ sql, user, connection, kind }) => ({ sql, user, connection, kind }))
  }
}

type LocatedStatement = { -readonly [Key in keyof LoggedStatement]: LoggedStatement[Key] } & {
  position: number
}

const newline = 0x0a

function* linesOf(bytes: Buffer): Generator<{ text: string; start: number }> {
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(newline, start)
    const end = found < 0 ? bytes.length : found
    yield { text: bytes.toString('utf8', start, end), start }
    start = end + 1
  }
}

function readFrom(file: string, position: number): Buffer {
  const handle = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(handle).size - position))
    return bytes.subarray(0, readSync(handle, bytes, 0, bytes.length, position))
  } finally {
    closeSync(handle)
  }
}

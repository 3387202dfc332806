import initSqlJs, { type Database, type SqlJsStatic } from 'sql.js'
import type { BedEndpoint, Row } from './endpoint.js'

/** The part of sql.js that TypeORM's driver asks for. */
interface SqljsModule {
  readonly Database: new (content?: Uint8Array | null) => Database
}

/**
 * A database of sql.js. It has no server and so no log: what TypeORM's driver prepares or executes
 * is written down by the database object itself.
 */
export class SqljsEndpoint implements BedEndpoint {
  readonly engine = 'sqljs'
  readonly name: string
  readonly #statements: string[] = []
  readonly #module: SqljsModule
  #database: Database | undefined

  private constructor(name: string, { Database }: SqlJsStatic) {
    this.name = name
    const opened = (database: Database | undefined): void => {
      this.#database = database
    }
    const statements = this.#statements
    this.#module = {
      Database: class extends Database {
        constructor(content?: Uint8Array | null) {
          super(content)
          opened(this)
        }

        override prepare(...args: Parameters<Database['prepare']>) {
          statements.push(args[0])
          return super.prepare(...args)
        }

        override exec(...args: Parameters<Database['exec']>) {
          statements.push(args[0])
          return super.exec(...args)
        }

        override close(): void {
          opened(undefined)
          super.close()
        }
      },
    }
  }

  static async open(name: string): Promise<SqljsEndpoint> {
    return new SqljsEndpoint(name, await initSqlJs())
  }

  get connection() {
    return { type: this.engine, driver: this.#module }
  }

  /** The open database itself, which stays open when a further data source closes it. */
  get furtherConnection() {
    const open = this.#open
    const shared: Database = Object.create(open, { close: { value: () => undefined } }) as Database
    const driver = {
      Database: class {
        constructor() {
          return shared
        }
      },
    }
    return { type: this.engine, driver }
  }

  mark(): number {
    return this.#statements.length
  }

  since(mark: number, pauses: readonly { from: number; to: number }[] = []): Promise<string[]> {
    const counts = (_sql: string, at: number) =>
      at >= mark && !pauses.some(({ from, to }) => at >= from && at < to)
    return Promise.resolve(this.#statements.filter(counts))
  }

  async sql(text: string): Promise<Row[]> {
    const mark = this.mark()
    const results = this.#open.exec(text)
    this.#statements.length = mark
    const { columns, values } = results.at(-1) ?? { columns: [], values: [] }
    return values.map((row) => Object.fromEntries(row.map((value, at) => [columns[at], value])))
  }

  async startIdsAt(tables: readonly string[], start: number): Promise<void> {
    for (const table of tables)
      await this.sql(
        `DELETE FROM sqlite_sequence WHERE name = '${table}'; INSERT INTO sqlite_sequence (name, seq) VALUES ('${table}', ${String(start - 1)})`,
      )
  }

  async empty(tables: readonly string[]): Promise<void> {
    const deletes = tables.map((table) => `DELETE FROM ${table}`).join('; ')
    await this.sql(`PRAGMA foreign_keys = OFF; ${deletes}; PRAGMA foreign_keys = ON`)
  }

  /** Becomes a copy of another database, as a replica would. */
  async copyFrom(primary: SqljsEndpoint): Promise<void> {
    const [own, its] = [await this.#tables(), await primary.#tables()]
    await this.sql('PRAGMA foreign_keys = OFF')
    for (const [name, sql] of own)
      await this.sql(`${its.get(name) === sql ? 'DELETE FROM' : 'DROP TABLE'} "${name}"`)
    for (const [name, sql] of its) {
      if (own.get(name) !== sql) await this.sql(sql)
      for (const row of await primary.sql(`SELECT * FROM "${name}"`)) {
        const values = Object.values(row) as (string | number | null)[]
        const places = values.map(() => '?').join(', ')
        this.#open.run(`INSERT INTO "${name}" VALUES (${places})`, values)
      }
    }
    await this.sql('PRAGMA foreign_keys = ON')
  }

  /** The tables, with what created each. */
  async #tables(): Promise<Map<string, string>> {
    const own = "type = 'table' AND name NOT LIKE 'sqlite_%'"
    const found = await this.sql(`SELECT name, sql FROM sqlite_master WHERE ${own}`)
    return new Map(found.map(({ name, sql }) => [String(name), String(sql)]))
  }

  connections(): Promise<number> {
    return Promise.resolve(this.#database === undefined ? 0 : 1)
  }

  get #open(): Database {
    if (this.#database === undefined) throw new Error(`The database ${this.name} is not open.`)
    return this.#database
  }
}

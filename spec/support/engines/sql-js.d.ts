/** The part of sql.js that specs use; the package has no types of its own. */
declare module 'sql.js' {
  type SqlValue = string | number | null | Uint8Array

  interface QueryExecResult {
    columns: string[]
    values: SqlValue[][]
  }

  export class Database {
    constructor(content?: Uint8Array | null)
    prepare(sql: string, parameters?: unknown): object
    exec(sql: string, parameters?: unknown): QueryExecResult[]
    run(sql: string, parameters?: SqlValue[]): this
    close(): void
  }

  export interface SqlJsStatic {
    readonly Database: typeof Database
  }

  const initSqlJs: () => Promise<SqlJsStatic>
  export default initSqlJs
}

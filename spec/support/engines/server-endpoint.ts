import type { ClusterNode, StatementMark, StatementPause } from '../cluster/index.js'
import type { BedEndpoint, Row } from './endpoint.js'

/** A server of a test cluster; its statements are those of its own general log. */
export class ServerEndpoint implements BedEndpoint {
  readonly name: string
  readonly #node: ClusterNode

  constructor(name: string, node: ClusterNode) {
    this.name = name
    this.#node = node
  }

  get engine(): 'mariadb' | 'postgres' {
    return this.#node.engine
  }

  get connection() {
    return { type: this.engine, ...this.#node.connectionOptions() }
  }

  get furtherConnection() {
    return this.connection
  }

  mark(): StatementMark {
    return this.#node.mark()
  }

  async since(mark: StatementMark, pauses: readonly StatementPause[] = []): Promise<string[]> {
    return (await this.#node.statementsSince(mark, pauses)).map(({ sql }) => sql)
  }

  sql(text: string): Promise<Row[]> {
    return this.#node.sql(this.engine === 'mariadb' ? `USE app; ${text}` : text)
  }

  async startIdsAt(tables: readonly string[], start: number): Promise<void> {
    const statements = tables.map((table) =>
      this.engine === 'mariadb'
        ? `ALTER TABLE ${table} AUTO_INCREMENT = ${start}`
        : `ALTER SEQUENCE ${table}_id_seq RESTART WITH ${start}`,
    )
    await this.sql(statements.join('; '))
  }

  async empty(tables: readonly string[]): Promise<void> {
    const deletes = tables.map((table) => `DELETE FROM ${table}`).join('; ')
    await this.sql(
      this.engine === 'mariadb'
        ? `SET FOREIGN_KEY_CHECKS = 0; ${deletes}; SET FOREIGN_KEY_CHECKS = 1`
        : `SET session_replication_role = replica; ${deletes}; SET session_replication_role = DEFAULT`,
    )
  }

  connections(): Promise<number> {
    return this.#node.connections()
  }
}

import pg from 'pg'
import type { AdminConnection, Row } from '../admin.js'
import { application } from '../application.js'
import { administrator } from './template.js'

/** Connects as the superuser through the socket, and may write even where the default is read-only. */
export async function connectPostgresAdmin(
  socketFolder: string,
  port: number,
  onLost: () => void,
): Promise<AdminConnection> {
  const client = new pg.Client({
    host: socketFolder,
    port,
    user: administrator,
    database: application.database,
  })
  client.on('error', onLost)
  client.on('end', onLost)
  await client.connect()
  await client.query('SET default_transaction_read_only = off')
  return {
    async query(text, values) {
      // Several statements give several results, which the types do not say.
      const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await client.query<Row>(text, [
        ...values,
      ])
      return (Array.isArray(result) ? result.at(-1)?.rows : result.rows) ?? []
    },
    close: () => client.end(),
    destroy: () => client.connection.stream.destroy(),
  }
}

import mysql from 'mysql2/promise'
import type { AdminConnection, Row } from '../admin.js'

/** Connects as root, whom the socket lets in without a password. */
export async function connectMariadbAdmin(
  socketPath: string,
  onLost: () => void,
): Promise<AdminConnection> {
  const connection = await mysql.createConnection({
    socketPath,
    user: 'root',
    multipleStatements: true,
    supportBigNumbers: true,
  })
  connection.on('error', onLost)
  connection.on('end', onLost)
  return {
    async query(text, values) {
      const [result, fields] = await connection.query(text, [...values])
      return rowsOf(result, fields)
    },
    close: () => connection.end(),
    destroy: () => connection.destroy(),
  }
}

/** Several statements give a list of results, and a list of lists of columns (none for a write). */
function rowsOf(result: unknown, fields: readonly unknown[] | undefined): Row[] {
  const isList = fields?.some((columns) => columns === undefined || Array.isArray(columns)) ?? false
  const last = isList && Array.isArray(result) ? result.at(-1) : result
  return Array.isArray(last) ? last : []
}

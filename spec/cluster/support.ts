import { readFileSync } from 'node:fs'
import mysql from 'mysql2/promise'
import pg from 'pg'
import type { ClusterNode } from '../support/cluster/index.js'

/** A connection as the application has it, through the engine's own driver. */
export interface Client {
  /** Plain text in MariaDB, the extended protocol in PostgreSQL. */
  query(sql: string, values?: readonly unknown[]): Promise<unknown>
  prepared(sql: string, values: readonly unknown[]): Promise<unknown>
  end(): Promise<void>
}

export const connectTo = (node: ClusterNode): Promise<Client> =>
  node.engine === 'mariadb' ? connectToMariadb(node) : connectToPostgres(node)

async function connectToMariadb(node: ClusterNode): Promise<Client> {
  const { username, ...options } = node.connectionOptions()
  const connection = await mysql.createConnection({ ...options, user: username })
  connection.on('error', () => {}) // specs kill servers
  return {
    query: (sql, values = []) => connection.query(sql, [...values]),
    prepared: (sql, values) => connection.execute(sql, values as string[]),
    end: () => connection.end(),
  }
}

async function connectToPostgres(node: ClusterNode): Promise<Client> {
  const { username, ...options } = node.connectionOptions()
  const client = new pg.Client({ ...options, user: username })
  client.on('error', () => {}) // specs kill servers
  await client.connect()
  return {
    query: (sql, values) => client.query(sql, values && [...values]),
    prepared: (sql, values) => client.query({ name: 'prepared', text: sql, values: [...values] }),
    end: () => client.end(),
  }
}

/** Runs `work` with a connection to `node`, and closes it. */
export async function withClient<T>(
  node: ClusterNode,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connectTo(node)
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** False for a process that has ended, though its new parent may not have asked how (a zombie). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

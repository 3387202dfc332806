import type { ResolvedPool } from '../config/resolved.js'
import { isUnreachable } from '../pool/connect-failure.js'
import type { VerifiedConnection } from '../pool/lease.js'
import type { Endpoint } from '../topology/snapshot.js'

/** What a server says of its own limits. */
interface ServerLimits {
  /** After how many milliseconds it closes an idle connection; 0 is never. */
  readonly idleMs: number
  readonly maxConnections: number
}

const limitsOf = async (connection: VerifiedConnection): Promise<ServerLimits> => {
  if (connection.engine === 'mysql') {
    const [row] = await connection.query(
      'SELECT @@wait_timeout AS idleSeconds, @@max_connections AS maxConnections',
    )
    return {
      idleMs: Number(row?.['idleSeconds']) * 1000,
      maxConnections: Number(row?.['maxConnections']),
    }
  }
  const rows = await connection.query(
    "SELECT name, setting FROM pg_settings WHERE name IN ('idle_session_timeout', 'max_connections')",
  )
  const setting = (name: string): number =>
    Number(rows.find((row) => row['name'] === name)?.['setting'] ?? 0)
  return {
    idleMs: setting('idle_session_timeout'),
    maxConnections: setting('max_connections'),
  }
}

/** What a pool's settings and a server's limits come to, where they do not fit. */
export const misfits = (
  endpoint: Endpoint,
  { idleMs, maxConnections }: ServerLimits,
  pool: ResolvedPool,
  size: number,
  workers: number,
): readonly string[] => {
  const found: string[] = []
  const { idleTimeoutMs, verify, verifyIdleMs } = pool
  const closes = `the server closes a connection that is idle for ${idleMs} ms`
  if (idleMs > 0 && idleTimeoutMs !== undefined && idleTimeoutMs >= idleMs)
    found.push(`${closes}, and idleTimeoutMs is ${idleTimeoutMs}; make it shorter than that.`)
  if (idleMs > 0 && verify.includes('idle') && !verify.includes('always') && verifyIdleMs >= idleMs)
    found.push(`${closes}, and verifyIdleMs is ${verifyIdleMs}; make it shorter than that.`)
  if (maxConnections > 0 && size * workers > maxConnections)
    found.push(
      `${workers} workers × ${size} connections = ${size * workers}, and the server takes ${maxConnections}; make poolSize or the number of workers smaller.`,
    )
  return found.map((text) => `${endpoint.id}: ${text}`)
}

/**
 * Asks a server, once for each opening of its pool, for the limits that the pool's settings have to fit.
 *
 * @returns warnings; one where the server does not tell
 * @throws the driver's error if the server was lost
 */
export const checkServer = async (
  endpoint: Endpoint,
  connection: VerifiedConnection,
  pool: ResolvedPool,
  size: number,
  workers: number,
): Promise<readonly string[]> => {
  let limits: ServerLimits
  try {
    limits = await limitsOf(connection)
  } catch (error) {
    if (isUnreachable(error)) throw error
    // What speaks a protocol need not have these settings: poolers and other databases do not.
    return [`${endpoint.id}: its limits are not known: ${String(error)}`]
  }
  return misfits(endpoint, limits, pool, size, workers)
}

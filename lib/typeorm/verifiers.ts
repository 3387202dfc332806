import { type DeclaredVerifier, verifierFamilies } from '../config/words.js'
import type { Verifier } from '../pool/verify.js'
import type { EngineFamily } from './internals.js'

const isOff = (value: unknown): boolean =>
  value === null || value === undefined || [0, '0', 'OFF', 'off', false].includes(value as string)

const isPrimary: NonNullable<Verifier['handles']> = ({ role }) => role === 'primary'

const isReplicaNode: NonNullable<Verifier['handles']> = ({ role }) => role === 'replica'

/** Whether the server answers. Every verification begins so; on its own it asks for nothing more. */
export const PING: Verifier = { name: 'ping', verify: () => true }

/** Whether a MySQL or MariaDB primary takes writes: `read_only` and `innodb_read_only` are off. */
export const MYSQL_WRITER: Verifier = {
  name: 'mysql-writer',
  handles: isPrimary,
  async verify(connection) {
    const [row] = await connection.query(
      'SELECT @@global.read_only AS readOnly, @@global.innodb_read_only AS innodbReadOnly',
    )
    return isOff(row?.['readOnly']) && isOff(row?.['innodbReadOnly'])
  },
}

/** Whether an Aurora MySQL primary is the cluster's writer: `innodb_read_only` is off. */
export const AURORA_WRITER: Verifier = {
  name: 'aurora-writer',
  handles: isPrimary,
  async verify(connection) {
    const [row] = await connection.query('SELECT @@innodb_read_only AS innodbReadOnly')
    return isOff(row?.['innodbReadOnly'])
  },
}

/** Whether a PostgreSQL primary takes writes: it is not in recovery, nor read-only by default. */
export const PG_WRITER: Verifier = {
  name: 'pg-writer',
  handles: isPrimary,
  async verify(connection) {
    const [row] = await connection.query(
      `SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only') AS "readOnly"`,
    )
    return row?.['standby'] === false && isOff(row['readOnly'])
  },
}

const postgresLag = `SELECT CASE
  WHEN NOT pg_is_in_recovery() OR pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
  ELSE EXTRACT(EPOCH FROM now() - pg_last_xact_replay_timestamp()) * 1000 END AS lag`

const mysqlLag = (row: Record<string, unknown> | undefined): number => {
  const seconds = row?.['Seconds_Behind_Master'] ?? row?.['Seconds_Behind_Source']
  return seconds === null || seconds === undefined ? Number.NaN : Number(seconds) * 1000
}

/**
 * Whether a replica is no more than `maxMs` milliseconds behind its primary, as it knows itself. MySQL and
 * MariaDB count whole seconds, and the user needs the privilege to see it (`REPLICA MONITOR`, in MySQL
 * `REPLICATION CLIENT`); a replica that does not replicate is refused.
 */
export const REPLICA_LAG = (maxMs: number): Verifier => ({
  name: `replica lag of ${maxMs} ms`,
  handles: isReplicaNode,
  async verify(connection) {
    const isPostgres = connection.engine === 'postgres'
    const [row] = await connection.query(isPostgres ? postgresLag : 'SHOW REPLICA STATUS')
    const lagMs = isPostgres ? Number(row?.['lag'] ?? Number.NaN) : mysqlLag(row)
    return lagMs <= maxMs
  },
})

const byWord: Readonly<Record<string, Verifier>> = {
  ping: PING,
  'mysql-writer': MYSQL_WRITER,
  'aurora-writer': AURORA_WRITER,
  'pg-writer': PG_WRITER,
}

const defaults: Readonly<Record<EngineFamily, readonly Verifier[]>> = {
  mysql: [MYSQL_WRITER],
  postgres: [PG_WRITER],
  sqlite: [],
  other: [],
}

const isVerifier = (declared: object): declared is Verifier =>
  'verify' in declared && typeof declared.verify === 'function'

const verifierOf = (declared: DeclaredVerifier, family: EngineFamily): readonly Verifier[] => {
  if (typeof declared === 'string') {
    const verifier = byWord[declared]
    return verifier === undefined || (verifierFamilies[declared] ?? family) !== family
      ? []
      : [verifier]
  }
  if (isVerifier(declared)) return [declared]
  return 'replicaLagMs' in declared ? [REPLICA_LAG(Number(declared.replicaLagMs))] : []
}

const isReplica = ({ handles }: Verifier): boolean => handles === isReplicaNode

/**
 * The verifiers of a shard: those that are declared for its engine, and its engine's own unless one of
 * them is for primaries.
 */
export const verifiersOf = (
  declared: readonly DeclaredVerifier[] | undefined,
  family: EngineFamily,
): readonly Verifier[] => {
  const own = declared?.flatMap((one) => verifierOf(one, family)) ?? []
  return own.every(isReplica) ? [...defaults[family], ...own] : own
}

import type { VerifiedConnection } from '../../pool/lease.js'
import { clockOf } from './clock.js'
import type { ReplicationFacts, ServerFacts } from './facts.js'
import { type Row, textOf } from './row.js'

const general = `SELECT current_setting('server_version') AS version,
  pg_is_in_recovery() AS standby,
  current_setting('default_transaction_read_only') AS "readOnly",
  current_setting('TimeZone') AS "timeZone",
  current_setting('server_encoding') AS "characterSet",
  (SELECT datcollate FROM pg_database WHERE datname = current_database()) AS collation,
  current_setting('default_transaction_isolation') AS isolation,
  (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END
    - '0/0'::pg_lsn)::text AS position`

// Who may not see more of a receiver sees that there is one.
const receiving = `SELECT pg_is_wal_replay_paused() AS paused,
  (SELECT count(*) FROM pg_stat_wal_receiver)::int AS receivers,
  (SELECT sender_host || ':' || sender_port FROM pg_stat_wal_receiver LIMIT 1) AS source,
  CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
    ELSE EXTRACT(EPOCH FROM now() - pg_last_xact_replay_timestamp()) * 1000 END AS lag`

const why = ({ paused, receivers }: Row): string | undefined => {
  if (receivers === 0) return 'it receives nothing: it has no connection to its primary'
  return paused === true ? 'applying is paused (pg_wal_replay_pause)' : undefined
}

const replicationOf = (row: Row): ReplicationFacts => {
  const stopped = why(row)
  const lag = textOf(row['lag'])
  return {
    isRunning: stopped === undefined,
    lagMs: stopped === undefined && lag !== undefined ? Math.round(Number(lag)) : undefined,
    why: stopped ?? (lag === undefined ? 'nothing was applied since it was started' : undefined),
    source: textOf(row['source']),
    // Copies have the identity of what they copy.
    sourceIdentity: undefined,
  }
}

const forbidden = '42501'
const undefinedFunction = '42883'

/** The identity that copies share; services may keep it to themselves. */
const askIdentity = async (connection: VerifiedConnection): Promise<string | undefined> => {
  try {
    const [row] = await connection.query(
      'SELECT system_identifier::text AS identity FROM pg_control_system()',
    )
    return textOf(row?.['identity'])
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
    if (code === forbidden || code === undefinedFunction) return undefined
    throw error
  }
}

/** What a PostgreSQL server tells of itself. */
export const askPostgres = async (connection: VerifiedConnection): Promise<ServerFacts> => {
  const [row = {}] = await connection.query(general)
  const isStandby = row['standby'] === true
  const clock = await clockOf(async () => {
    const [answer] = await connection.query(
      'SELECT EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS now',
    )
    return Number(answer?.['now'])
  })
  const [status] = isStandby ? await connection.query(receiving) : []
  return {
    version: textOf(row['version']) ?? 'unknown',
    actualRole: isStandby ? 'replica' : 'primary',
    takesWrites: !isStandby && row['readOnly'] === 'off',
    identity: await askIdentity(connection),
    replication: status === undefined ? undefined : replicationOf(status),
    clusteredBy: undefined,
    position: textOf(row['position']),
    ...clock,
    timeZone: textOf(row['timeZone']),
    characterSet: textOf(row['characterSet']),
    collation: textOf(row['collation']),
    isolation: textOf(row['isolation']),
  }
}

import type { VerifiedConnection } from '../../pool/lease.js'
import { clockOf } from './clock.js'
import type { ReplicationFacts, ServerFacts } from './facts.js'
import { type Row, textOf } from './row.js'

/** Their names differ between MySQL, MariaDB and versions of both, so all are asked for at once. */
const variables = [
  'version',
  'read_only',
  'super_read_only',
  'innodb_read_only',
  'server_id',
  'server_uuid',
  'system_time_zone',
  'time_zone',
  'transaction_isolation',
  'tx_isolation',
  'wsrep_on',
  'aurora_version',
  'group_replication_group_name',
] as const

type Variables = Readonly<Partial<Record<(typeof variables)[number], string>>>

const askVariables = async (connection: VerifiedConnection): Promise<Variables> => {
  const names = variables.map((name) => `'${name}'`).join(', ')
  const rows = await connection.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names})`)
  return Object.fromEntries(rows.map((row) => [row['Variable_name'], String(row['Value'])]))
}

/** A column of the replication status, which MySQL has renamed. */
const column = (row: Row, name: string): string | undefined =>
  textOf(row[name]) ?? textOf(row[name.replace('Master', 'Source').replace('Slave', 'Replica')])

const syntaxError = 1064
const accessDenied = 1227

const errno = (error: unknown): unknown =>
  typeof error === 'object' && error !== null ? Reflect.get(error, 'errno') : undefined

/** Servers before MySQL 8.0.22 and MariaDB 10.5.1 know the older words only. */
const askStatus = async (connection: VerifiedConnection): Promise<Row | undefined> => {
  try {
    const [row] = await connection.query('SHOW REPLICA STATUS')
    return row
  } catch (error) {
    if (errno(error) !== syntaxError) throw error
    const [row] = await connection.query('SHOW SLAVE STATUS')
    return row
  }
}

const whyStopped = (row: Row): string => {
  const [receives, applies] = [column(row, 'Slave_IO_Running'), column(row, 'Slave_SQL_Running')]
  const said = [textOf(row['Last_IO_Error']), textOf(row['Last_SQL_Error'])].filter(Boolean)
  return [`receiving: ${receives}, applying: ${applies}`, ...said].join('; ')
}

/** A replica that has not reached its source yet says 0. */
const identityOf = (serverId: string | undefined): string | undefined =>
  serverId === '0' ? undefined : serverId

const replicationOf = (row: Row): ReplicationFacts => {
  const isRunning =
    column(row, 'Slave_IO_Running') === 'Yes' && column(row, 'Slave_SQL_Running') === 'Yes'
  const seconds = column(row, 'Seconds_Behind_Master')
  return {
    isRunning,
    lagMs: isRunning && seconds !== undefined ? Number(seconds) * 1000 : undefined,
    why: isRunning ? undefined : whyStopped(row),
    source: `${column(row, 'Master_Host')}:${column(row, 'Master_Port')}`,
    sourceIdentity: column(row, 'Master_UUID') ?? identityOf(column(row, 'Master_Server_Id')),
  }
}

const askReplication = async (
  connection: VerifiedConnection,
): Promise<ReplicationFacts | undefined> => {
  try {
    const row = await askStatus(connection)
    return row === undefined ? undefined : replicationOf(row)
  } catch (error) {
    if (errno(error) !== accessDenied) throw error
    return {
      isRunning: undefined,
      lagMs: undefined,
      why: 'the user lacks the privilege REPLICA MONITOR (MySQL: REPLICATION CLIENT)',
      source: undefined,
      sourceIdentity: undefined,
    }
  }
}

const isOn = (value: string | undefined): boolean => value === 'ON' || value === '1'

const clusterOf = (found: Variables): string | undefined => {
  if (isOn(found.wsrep_on)) return 'Galera'
  if (found.aurora_version !== undefined) return 'Aurora'
  return textOf(found.group_replication_group_name) && 'group replication'
}

/** What a MySQL or MariaDB server tells of itself. */
export const askMysql = async (connection: VerifiedConnection): Promise<ServerFacts> => {
  const found = await askVariables(connection)
  const clock = await clockOf(async () => {
    const [row] = await connection.query(
      `SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1000 AS now`,
    )
    return Number(row?.['now'])
  })
  const [defaults] = await connection.query(
    'SELECT @@character_set_database AS characterSet, @@collation_database AS collation',
  )
  const clusteredBy = clusterOf(found)
  const replication = clusteredBy === undefined ? await askReplication(connection) : undefined
  const takesWrites = ![found.read_only, found.super_read_only, found.innodb_read_only].some(isOn)
  const isCopy = replication !== undefined && replication.source !== undefined
  return {
    version: found.version ?? 'unknown',
    actualRole: isCopy || !takesWrites ? 'replica' : 'primary',
    takesWrites,
    identity: found.server_uuid ?? found.server_id,
    replication,
    clusteredBy,
    position: undefined,
    ...clock,
    timeZone: found.time_zone === 'SYSTEM' ? found.system_time_zone : found.time_zone,
    characterSet: textOf(defaults?.['characterSet']),
    collation: textOf(defaults?.['collation']),
    isolation: found.transaction_isolation ?? found.tx_isolation,
  }
}

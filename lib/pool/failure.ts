import { ConnectError } from '../errors.js'

/**
 * What an error of a driver says about the server and the connection. `lost`, `refused`, `shutdown`
 * and `timeout` say that the server could not be used; `read-only` that it takes no writes; `busy`
 * that it has no place for a connection; `denied` that it does not let this user or database in;
 * `deadlock`, `lock-wait` and `serialization` that the work met other work; `cancelled` that the
 * statement was ended; `stale` that the server has forgotten what the connection prepared; `statement` everything else that SQL can be refused for.
 */
export const failureKinds = [
  'lost',
  'refused',
  'shutdown',
  'timeout',
  'read-only',
  'busy',
  'denied',
  'deadlock',
  'lock-wait',
  'serialization',
  'cancelled',
  'stale',
  'statement',
] as const
export type FailureKind = (typeof failureKinds)[number]

/** The parts of a driver's error that tell what happened. TypeORM copies them to its own. */
interface DriverError {
  readonly code?: unknown
  readonly errno?: unknown
  readonly sqlState?: unknown
  readonly fatal?: unknown
  readonly message?: unknown
}

/** Node's and mysql2's words for a server that was not reached. */
const networkCodes: Readonly<Record<string, FailureKind>> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'refused',
  EAI_AGAIN: 'refused',
  ENOENT: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  EHOSTDOWN: 'refused',
  ECONNRESET: 'lost',
  EPIPE: 'lost',
  PROTOCOL_CONNECTION_LOST: 'lost',
  // mysql2 calls these fatal; the server is there.
  HANDSHAKE_SSL_ERROR: 'denied',
  HANDSHAKE_NO_SSL_SUPPORT: 'denied',
  ETIMEDOUT: 'timeout',
  ESOCKETTIMEDOUT: 'timeout',
  // The statement's own timeout: mysql2 leaves the connection in the middle of the answer.
  PROTOCOL_SEQUENCE_TIMEOUT: 'timeout',
}

/** Error numbers of MySQL and MariaDB; mariadb.com/kb/en/mariadb-error-code-reference. */
const mysqlNumbers: Readonly<Record<number, FailureKind>> = {
  1044: 'denied', // ER_DBACCESS_DENIED_ERROR
  1045: 'denied', // ER_ACCESS_DENIED_ERROR
  1049: 'denied', // ER_BAD_DB_ERROR
  1698: 'denied', // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
  1040: 'busy', // ER_CON_COUNT_ERROR
  1203: 'busy', // ER_TOO_MANY_USER_CONNECTIONS
  1226: 'busy', // ER_USER_LIMIT_REACHED
  1053: 'shutdown', // ER_SERVER_SHUTDOWN
  1079: 'shutdown', // ER_SHUTDOWN_COMPLETE
  1927: 'lost', // ER_CONNECTION_KILLED
  4031: 'lost', // ER_CLIENT_INTERACTION_TIMEOUT: MySQL says so before it closes what was idle
  2006: 'lost', // CR_SERVER_GONE_ERROR and
  2013: 'lost', // CR_SERVER_LOST: proxies pass on what their own client library says
  1205: 'lock-wait', // ER_LOCK_WAIT_TIMEOUT
  1213: 'deadlock', // ER_LOCK_DEADLOCK
  1317: 'cancelled', // ER_QUERY_INTERRUPTED
  1969: 'cancelled', // ER_STATEMENT_TIMEOUT of MariaDB, which mysql2 has no name for
  3024: 'cancelled', // ER_QUERY_TIMEOUT of MySQL
  1036: 'read-only', // ER_OPEN_AS_READONLY, MariaDB with innodb_read_only
  1836: 'read-only', // ER_READ_ONLY_MODE
  1243: 'stale', // ER_UNKNOWN_STMT_HANDLER, after a server was patched without closing connections
}

/** SQLSTATE of PostgreSQL; postgresql.org/docs/current/errcodes-appendix.html. */
const postgresStates: Readonly<Record<string, FailureKind>> = {
  '57P01': 'shutdown', // admin_shutdown, and pg_terminate_backend
  '57P02': 'shutdown', // crash_shutdown
  '57P03': 'refused', // cannot_connect_now
  '57P05': 'lost', // idle_session_timeout
  '25P03': 'lost', // idle_in_transaction_session_timeout
  '53300': 'busy', // too_many_connections
  '28000': 'denied', // invalid_authorization_specification
  '28P01': 'denied', // invalid_password
  '3D000': 'denied', // invalid_catalog_name
  '40P01': 'deadlock', // deadlock_detected
  '40001': 'serialization', // serialization_failure
  '55P03': 'lock-wait', // lock_not_available
  '57014': 'cancelled', // query_canceled, and statement_timeout
  '25006': 'read-only', // read_only_sql_transaction
}

/** What pg and mysql2 say of a connection that is gone, without a code. */
const lostMessages =
  /^(?:Connection terminated|Client has encountered a connection error|Can't add new command when connection is in closed state|Connection lost)/
const timeoutMessages =
  /^(?:timeout expired|Connection terminated due to connection timeout|Query read timeout|timeout exceeded when trying to connect|connect ETIMEDOUT)/

/** 1290 is raised for other options of the server too; only one of them is about writing. */
const isReadOnlyOption = (message: string): boolean => /--(?:super-)?read[-_]only/i.test(message)

/** On a connection that stands, the system's own timeout says that nobody answers any more. */
const isSocketTimeout = (error: { readonly syscall?: unknown }): boolean =>
  error.syscall === 'read' || error.syscall === 'write'

const isPostgresState = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code)

/**
 * What an error says about the server and the connection it came from; undefined for what is no
 * driver's error. Reads the fields that mysql2 and pg set, and that TypeORM copies to its own.
 */
export const failureOf = (error: unknown): FailureKind | undefined => {
  if (!(error instanceof Error)) return undefined
  // A server that was reached in the wrong role is a failover that is not over.
  if ((error as { failure?: unknown }).failure === 'wrong-role') return 'read-only'
  if (error instanceof ConnectError) return failureOf(error.cause)
  const { code, errno, sqlState, fatal, message } = error as DriverError & Error
  if (typeof errno === 'number' && errno > 0) {
    if (errno === 1290) return isReadOnlyOption(message) ? 'read-only' : 'statement'
    return mysqlNumbers[errno] ?? 'statement'
  }
  if (typeof code === 'string') {
    if (code === 'query-timeout') return 'timeout'
    const network = networkCodes[code]
    if (network === 'timeout' && isSocketTimeout(error as { syscall?: unknown })) return 'lost'
    if (network !== undefined) return network
    const state = postgresStates[code]
    if (state !== undefined) return state
    if (code.startsWith('08')) return 'lost' // connection exceptions
    if (isPostgresState(code)) return 'statement'
  }
  if (timeoutMessages.test(message)) return 'timeout'
  if (lostMessages.test(message) || fatal === true) return 'lost'
  return sqlState === undefined ? undefined : 'statement'
}

const failover: ReadonlySet<FailureKind | undefined> = new Set<FailureKind>([
  'lost',
  'refused',
  'shutdown',
  'timeout',
  'read-only',
])
const collision: ReadonlySet<FailureKind | undefined> = new Set<FailureKind>([
  'deadlock',
  'lock-wait',
  'serialization',
  'busy',
])

/**
 * Whether an error says that the server is gone, was not reached, or takes no writes any more, as in a
 * failover. The statement may have been carried out or not. For errors of TypeORM, mysql2 and pg.
 */
export const isFailoverError = (error: unknown): boolean => failover.has(failureOf(error))

/**
 * Whether a whole unit of work (a transaction from its beginning, not the one statement) may succeed
 * when it is done again: after a failover, a deadlock, a serialization failure, a lock that was waited
 * for in vain, or a server without a free connection. Whether doing it twice is harmless, only the
 * application knows.
 */
export const isRetryable = (error: unknown): boolean => {
  const kind = failureOf(error)
  return failover.has(kind) || collision.has(kind)
}

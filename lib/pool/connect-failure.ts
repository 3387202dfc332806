import { ConnectError, type ConnectFailure } from '../errors.js'
import type { Endpoint } from '../topology/snapshot.js'
import { type FailureKind, failureOf } from './failure.js'

interface DriverFields {
  readonly code?: unknown
  readonly errno?: unknown
  readonly message?: unknown
}

const isTls = ({ code, message }: DriverFields): boolean =>
  (typeof code === 'string' &&
    /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HANDSHAKE_(?:NO_)?SSL|EPROTO$)/.test(
      code,
    )) ||
  /does not support SSL|does not support secure/i.test(String(message))

const byKind: Partial<Record<FailureKind, ConnectFailure>> = {
  denied: 'access-denied',
  busy: 'too-many-connections',
  refused: 'host-unreachable',
  timeout: 'host-unreachable',
  lost: 'host-unreachable',
  shutdown: 'host-unreachable',
  'read-only': 'wrong-role',
}

const connectFailureOf = (error: unknown): ConnectFailure => {
  const fields = error as DriverFields
  if (isTls(fields)) return 'tls'
  if (fields.code === 'ENOTFOUND' || fields.code === 'EAI_AGAIN') return 'dns'
  if (fields.code === '3D000' || fields.errno === 1049) return 'unknown-database'
  const kind = failureOf(error)
  return (kind === undefined ? undefined : byKind[kind]) ?? 'other'
}

/** The library's error for a connection that could not be made. */
export const connectErrorOf = (endpoint: Endpoint, error: unknown): ConnectError => {
  if (error instanceof ConnectError) return error
  const text = error instanceof Error ? error.message : String(error)
  return new ConnectError(endpoint.id, connectFailureOf(error), text, { cause: error })
}

const unreachable: ReadonlySet<FailureKind | undefined> = new Set<FailureKind>([
  'refused',
  'timeout',
  'lost',
  'shutdown',
])

/** What happened, without the server's name before it. */
export const reasonOf = (error: Error): string =>
  error instanceof ConnectError && error.cause instanceof Error
    ? error.cause.message
    : error.message

/** Whether a server could not be reached: not whether it refused this user, or had no place. */
export const isUnreachable = (error: unknown): boolean => unreachable.has(failureOf(error))

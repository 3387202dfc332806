import { QueryFailedError } from 'typeorm'
import { OctopusError } from '../errors.js'
import { type FailureKind, failureOf } from '../pool/failure.js'
import type { Role } from '../trace/event.js'
import type { RunnerState } from './runner-state.js'

/**
 * A connection was lost after COMMIT had been sent on it: whether the transaction was committed is not
 * known. Class, message and `driverError` are those that TypeORM would have thrown.
 */
export class CommitUnknownError extends QueryFailedError {}

/** Where an error arose. */
export interface ErrorSite {
  readonly shard: string
  readonly role: Role
  /** The server; undefined if none was reached. */
  readonly node: string | undefined
  /** Before a connection was had, while it was made, by a statement, or by COMMIT. */
  readonly stage: 'acquire' | 'connect' | 'query' | 'commit'
  /** What it says about the server; undefined for what is no error of a driver. */
  readonly kind: FailureKind | undefined
}

const siteKey = Symbol.for('typeorm-octopus.error-site')

/** Notes on an error where it arose. The error is else as it was thrown. */
export const markSite = (error: unknown, site: ErrorSite): void => {
  if (typeof error !== 'object' || error === null || !Object.isExtensible(error)) return
  if (siteKey in error) return
  Object.defineProperty(error, siteKey, { value: Object.freeze(site), configurable: true })
}

/**
 * Where an error of a statement arose: shard, server and stage. The error itself is the one that TypeORM
 * or the driver threw.
 *
 * @returns undefined for an error of something else
 */
export const errorSite = (error: unknown): ErrorSite | undefined =>
  typeof error === 'object' && error !== null
    ? (Reflect.get(error, siteKey) as ErrorSite | undefined)
    : undefined

const committing = 'COMMIT'

/** What drivers say when the connection was gone before the statement could be written. */
const wasNotSent = (error: QueryFailedError): boolean =>
  /closed state|not queryable/i.test(error.message)

const leavesOpen: ReadonlySet<FailureKind | undefined> = new Set<FailureKind>([
  'lost',
  'shutdown',
  'timeout',
])

/** The error to throw for a statement: another only where COMMIT may have been carried out. */
export const statementError = (error: unknown, sql: string): unknown => {
  if (sql !== committing || !(error instanceof QueryFailedError)) return error
  if (!leavesOpen.has(failureOf(error)) || wasNotSent(error)) return error
  return new CommitUnknownError(error.query, error.parameters, error.driverError)
}

/** At which stage a statement failed. */
export const stageOf = (
  error: unknown,
  sql: string,
  hasConnection: boolean,
): ErrorSite['stage'] => {
  if (error instanceof OctopusError && (error.stage === 'acquire' || error.stage === 'connect'))
    return error.stage
  if (!hasConnection) return 'connect'
  return sql === committing ? 'commit' : 'query'
}

/** Whether a read that failed so may be sent once more: its connection was lost. */
export const isLost = (error: unknown): boolean => {
  const kind = failureOf(error)
  return kind === 'lost' || kind === 'shutdown'
}

/** Notes on an error of a runner's statement where it arose. */
export const located = (state: RunnerState, error: unknown, sql: string): unknown => {
  const { lease, shard, route } = state
  markSite(error, {
    shard: shard.name,
    role: lease?.endpoint.role ?? route.role,
    node: lease?.endpoint.node,
    stage: stageOf(error, sql, lease !== undefined),
    kind: failureOf(error),
  })
  return error
}

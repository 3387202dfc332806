import { type Frame, scopeLabels } from '../context/frame.js'
import { scopeIdOf } from '../context/scope-id.js'
import { type RouteEvent, type RouteEventError, statementKeyword } from '../trace/event.js'
import type { StatementStart } from '../trace/observers.js'
import type { RunnerState } from './runner-state.js'

/** What is known of one statement when it is sent. */
export interface SentStatement {
  readonly at: number
  readonly sql: string
  readonly inTransaction: boolean
  /** The scope around the caller. */
  readonly ambient: Frame | undefined
  /** Whether the result cache answers it. */
  readonly isCached: boolean
  /** Whether it is the second try of a lost read. */
  readonly retried: boolean
}

/** How it ended. */
export interface StatementOutcome {
  readonly durationMs: number
  readonly stage: RouteEventError['stage']
  readonly error: unknown
}

const errorOf = ({ error, stage }: StatementOutcome): RouteEventError => {
  const { name, code, errno } = error as { name?: unknown; code?: unknown; errno?: unknown }
  return {
    stage,
    name: typeof name === 'string' ? name : 'Error',
    code: typeof code === 'string' ? code : undefined,
    ...(typeof errno === 'number' ? { errno } : {}),
  }
}

/** What an observer is told before a statement is sent. */
export const statementStart = (
  state: RunnerState,
  { at, sql, inTransaction, ambient }: SentStatement,
): StatementStart => {
  const { route, routeId, kind, operation, metadata, frame } = state
  return Object.freeze({
    routeId,
    scopeId: scopeIdOf(ambient ?? frame),
    kind,
    at,
    shard: route.shard,
    role: route.role,
    reason: route.reason,
    shardReason: route.shardReason,
    operation,
    entity: metadata?.name,
    statement: statementKeyword(sql),
    inTransaction,
    sql,
  })
}

/** The event of one statement: the runner's route, its lease and the outcome. */
export const routeEvent = (
  state: RunnerState,
  sent: SentStatement,
  outcome: StatementOutcome,
): RouteEvent => {
  const { route, lease } = state
  const scope = sent.ambient ?? state.frame
  return Object.freeze({
    version: 1,
    routeId: state.routeId,
    scopeId: scopeIdOf(scope),
    kind: state.kind,
    at: sent.at,
    shard: route.shard,
    role: lease?.isFallback === true ? 'primary' : route.role,
    node: sent.isCached ? undefined : state.node,
    replicaGroup: route.replicaGroup,
    reason: route.reason,
    shardReason: route.shardReason,
    passedOver: route.passedOver,
    scopes: scopeLabels(scope),
    entity: state.metadata?.name,
    operation: state.operation,
    statement: statementKeyword(sent.sql),
    inTransaction: sent.inTransaction,
    candidates: (lease?.candidates ?? (state.endpoint ? [state.endpoint] : [])).map(
      ({ node }) => node,
    ),
    skipped: lease?.skipped ?? [],
    waitedMs: lease?.waitedMs ?? 0,
    verified: lease?.verified ?? false,
    retried: sent.retried,
    cached: sent.isCached,
    durationMs: outcome.durationMs,
    error: outcome.error === undefined ? undefined : errorOf(outcome),
  })
}

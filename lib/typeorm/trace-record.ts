import { type Frame, scopeLabels } from '../context/frame.js'
import { type RouteEvent, type RouteEventError, statementKeyword } from '../trace/event.js'
import type { RunnerState } from './runner-state.js'

/** What is known of one statement once it has settled. */
export interface StatementOutcome {
  readonly at: number
  readonly sql: string
  readonly inTransaction: boolean
  readonly ambient: Frame | undefined
  readonly durationMs: number
  readonly stage: RouteEventError['stage']
  readonly error: unknown
  readonly isCached: boolean
  /** Whether it is the second try of a lost read. */
  readonly retried: boolean
}

const errorOf = (error: unknown, stage: RouteEventError['stage']): RouteEventError => {
  const { name, code } = error as { name?: unknown; code?: unknown }
  return {
    stage,
    name: typeof name === 'string' ? name : 'Error',
    code: typeof code === 'string' ? code : undefined,
  }
}

/** The event of one statement: the runner's route, its lease and the outcome. */
export const routeEvent = (state: RunnerState, outcome: StatementOutcome): RouteEvent => {
  const { route, lease } = state
  return Object.freeze({
    version: 1,
    kind: state.kind,
    at: outcome.at,
    shard: route.shard,
    role: lease?.isFallback === true ? 'primary' : route.role,
    node: outcome.isCached ? undefined : state.node,
    replicaGroup: route.replicaGroup,
    reason: route.reason,
    shardReason: route.shardReason,
    passedOver: route.passedOver,
    scopes: scopeLabels(outcome.ambient ?? state.frame),
    entity: state.metadata?.name,
    operation: state.operation,
    statement: statementKeyword(outcome.sql),
    inTransaction: outcome.inTransaction,
    candidates: (lease?.candidates ?? (state.endpoint ? [state.endpoint] : [])).map(
      ({ node }) => node,
    ),
    skipped: lease?.skipped ?? [],
    waitedMs: lease?.waitedMs ?? 0,
    verified: lease?.verified ?? false,
    retried: outcome.retried,
    cached: outcome.isCached,
    durationMs: outcome.durationMs,
    error: outcome.error === undefined ? undefined : errorOf(outcome.error, outcome.stage),
  })
}

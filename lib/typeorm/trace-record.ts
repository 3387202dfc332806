import { QueryRunnerAlreadyReleasedError } from 'typeorm'
import { type Frame, userScopes } from '../context/frame.js'
import { scopeIdOf } from '../context/scope-id.js'
import { type RouteEvent, type RouteEventError, statementKeyword } from '../trace/event.js'
import type { StatementStart } from '../trace/observers.js'
import { skippedServers } from './passed-servers.js'
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

const none: readonly never[] = Object.freeze([])

/** How a statement came by its server. */
type Choice = Pick<RouteEvent, 'candidates' | 'node' | 'skipped' | 'verified' | 'waitedMs'>

const noChoice: Choice = {
  node: undefined,
  candidates: none,
  skipped: none,
  waitedMs: 0,
  verified: false,
}

const choiceOf = (state: RunnerState): Choice => {
  const { lease, shard, route, runtime } = state
  const candidates = lease?.candidates ?? state.candidates
  // Later statements of a runner come by their connection without waiting.
  const isNews = lease !== undefined && state.toldLease !== lease
  state.toldLease = lease
  const topology = runtime.store.current.shards.get(shard.name)
  return {
    node: state.node,
    candidates: candidates.map(({ node }) => node),
    skipped: topology
      ? skippedServers(topology, route, candidates, lease?.skipped ?? none)
      : (lease?.skipped ?? none),
    waitedMs: isNews ? lease.waitedMs : 0,
    verified: isNews && lease.verified,
  }
}

/** Whether no server can have had it: the result cache answered, or its query runner was at its end. */
const stayedHere = ({ isCached }: SentStatement, { error }: StatementOutcome): boolean =>
  isCached || error instanceof QueryRunnerAlreadyReleasedError

const callSitesOf = (scopes: readonly Frame[]): readonly (string | undefined)[] =>
  scopes.some(({ callSite }) => callSite !== undefined)
    ? scopes.map(({ callSite }) => callSite)
    : none

/** The event of one statement: the runner's route, its lease and the outcome. */
export const routeEvent = (
  state: RunnerState,
  sent: SentStatement,
  outcome: StatementOutcome,
): RouteEvent => {
  const { route, lease } = state
  const scope = sent.ambient ?? state.frame
  const scopes = userScopes(scope)
  return Object.freeze({
    version: 1,
    routeId: state.routeId,
    scopeId: scopeIdOf(scope),
    kind: state.kind,
    at: sent.at,
    shard: route.shard,
    role: lease?.isFallback === true ? 'primary' : route.role,
    replicaGroup: route.replicaGroup,
    reason: route.reason,
    shardReason: route.shardReason,
    passedOver: route.passedOver,
    scopes: scopes.map(({ label }) => label),
    callSites: callSitesOf(scopes),
    entity: state.metadata?.name,
    operation: state.operation,
    statement: statementKeyword(sent.sql),
    inTransaction: sent.inTransaction,
    ...(stayedHere(sent, outcome) ? noChoice : choiceOf(state)),
    retried: sent.retried,
    cached: sent.isCached,
    durationMs: outcome.durationMs,
    error: outcome.error === undefined ? undefined : errorOf(outcome),
  })
}

import type { QueryRunner } from 'typeorm'
import type { Frame } from '../context/frame.js'
import type { RouteCollector } from '../trace/hub.js'
import type { RunnerState } from './runner-state.js'
import { stageOf } from './statement-failures.js'
import { type StatementOutcome, routeEvent } from './trace-record.js'

/** Who collects the events of a statement's scope, see `withTrace`. */
const collectorOf = (state: RunnerState, ambient: Frame | undefined): RouteCollector | undefined =>
  ambient?.collector ?? state.frame?.collector

/** Whether anybody is to be told of a statement. */
export const isListenedTo = (state: RunnerState, ambient: Frame | undefined): boolean =>
  state.runtime.trace.isOn || collectorOf(state, ambient) !== undefined

const eventStage = (error: unknown, sql: string, state: RunnerState) => {
  const stage = stageOf(error, sql, state.lease !== undefined || state.endpoint !== undefined)
  return stage === 'commit' ? 'query' : stage
}

/** A statement that has settled, as its runner knows it. */
interface Settled extends Omit<StatementOutcome, 'durationMs' | 'isCached' | 'stage'> {
  readonly parameters: unknown
  /** When it was sent, by the runtime's clock. */
  readonly started: number
}

/** Tells the trace of a statement that has settled. */
export const tell = (state: RunnerState, { parameters, started, ...outcome }: Settled): void => {
  const { sql, ambient, error } = outcome
  const durationMs = state.runtime.now() - started
  const stage = eventStage(error, sql, state)
  const event = routeEvent(state, { ...outcome, durationMs, stage, isCached: false })
  state.runtime.trace.emit({ event, sql, parameters }, collectorOf(state, ambient))
}

/** Tells the trace that the result cache answered in a server's place. */
export const tellCacheHit = (state: RunnerState, runner: QueryRunner, sql: string): void => {
  const ambient = state.ambient()
  if (!isListenedTo(state, ambient)) return
  const event = routeEvent(state, {
    at: Date.now(),
    sql,
    inTransaction: runner.isTransactionActive,
    ambient,
    durationMs: 0,
    stage: 'query',
    error: undefined,
    isCached: true,
    retried: false,
  })
  state.runtime.trace.emit({ event, sql, parameters: undefined }, collectorOf(state, ambient))
}

import type { QueryRunner } from 'typeorm'
import type { Frame } from '../context/frame.js'
import type { RouteCollector } from '../trace/hub.js'
import type { Observation } from '../trace/observers.js'
import type { RunnerState } from './runner-state.js'
import { stageOf } from './statement-failures.js'
import { type SentStatement, routeEvent, statementStart } from './trace-record.js'

/** Who collects the events of a statement's scope, see `withTrace`. */
const collectorOf = (state: RunnerState, ambient: Frame | undefined): RouteCollector | undefined =>
  ambient?.collector ?? state.frame?.collector

/** Whether anybody is to be told of a statement. */
export const isListenedTo = (state: RunnerState, ambient: Frame | undefined): boolean =>
  (state.runtime.trace.isOn && state.runtime.trace.mayWant(state)) ||
  collectorOf(state, ambient) !== undefined

const eventStage = (error: unknown, sql: string, state: RunnerState) => {
  const stage = stageOf(error, sql, state.lease !== undefined || state.endpoint !== undefined)
  return stage === 'commit' ? 'query' : stage
}

/** One statement that somebody listens to, from just before it is sent. */
export class TracedStatement {
  readonly #state: RunnerState
  readonly #sent: SentStatement
  readonly #parameters: unknown
  readonly #started: number
  /** Who follows it; undefined for most. */
  readonly observation: Observation | undefined

  constructor(state: RunnerState, sent: Omit<SentStatement, 'at'>, parameters: unknown) {
    const { runtime } = state
    this.#state = state
    this.#sent = { at: Date.now(), ...sent }
    this.#parameters = parameters
    this.#started = runtime.now()
    const { observers } = runtime.trace
    this.observation =
      observers.size === 0 ? undefined : observers.begin(statementStart(state, this.#sent))
  }

  settled(error?: unknown, durationMs = this.#state.runtime.now() - this.#started): void {
    const state = this.#state
    const sent = this.#sent
    const stage = eventStage(error, sent.sql, state)
    const event = routeEvent(state, sent, { durationMs, stage, error })
    const record = { event, sql: sent.sql, parameters: this.#parameters }
    state.runtime.trace.emit(record, collectorOf(state, sent.ambient))
    this.observation?.settled(event)
  }
}

/** Tells the trace that the result cache answered in a server's place. */
export const tellCacheHit = (state: RunnerState, runner: QueryRunner, sql: string): void => {
  const ambient = state.ambient()
  if (!isListenedTo(state, ambient)) return
  const { isTransactionActive: inTransaction } = runner
  const hit = { sql, inTransaction, ambient, isCached: true, retried: false }
  new TracedStatement(state, hit, undefined).settled(undefined, 0)
}

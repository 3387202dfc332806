import type { QueryRunner } from 'typeorm'
import { errorMonitor } from 'node:events'
import { Readable } from 'node:stream'
import type { Frame } from '../context/frame.js'
import type { RunnerState } from './runner-state.js'
import { TracedStatement } from './statement-trace.js'

/** A statement on its way of which somebody has to hear: the trace, or the scopes that it writes in. */
export class FollowedStatement {
  readonly #state: RunnerState
  readonly #sql: string
  readonly #ambient: Frame | undefined
  readonly #trace: TracedStatement | undefined
  readonly #isWrite: boolean
  readonly #awaitsCommit: boolean

  constructor(
    state: RunnerState,
    runner: QueryRunner,
    sql: string,
    parameters: unknown,
    ambient: Frame | undefined,
    isTraced: boolean,
    isWrite: boolean,
  ) {
    const inTransaction = runner.isTransactionActive
    this.#state = state
    this.#sql = sql
    this.#ambient = ambient
    this.#isWrite = isWrite
    // Now: another may begin a transaction on SQLite's one connection before the statement settles.
    this.#awaitsCommit = inTransaction && state.ownsTransaction
    const sent = {
      sql,
      inTransaction,
      ambient,
      isCached: false,
      retried: state.isRetry && state.sent === 1,
    }
    this.#trace = isTraced ? new TracedStatement(state, sent, parameters) : undefined
  }

  /** Whether it has to be sent through `send`. */
  get isObserved(): boolean {
    return this.#trace?.observation !== undefined
  }

  /** Sends it, in the context of those who observe it. */
  send<T>(work: () => T): T {
    const observation = this.#trace?.observation
    return observation === undefined ? work() : observation.send(work)
  }

  /** Notes the write, which may have been carried out, and tells the trace. */
  failed(error: unknown): void {
    this.#note()
    this.#trace?.settled(error)
  }

  /** As `failed`, of an answer. Of a stream the trace is told when it has ended. */
  answered(value: unknown): void {
    this.#note()
    const trace = this.#trace
    if (trace === undefined) return
    if (value instanceof Readable) onceOver(value, (error) => trace.settled(error))
    else trace.settled()
  }

  #note(): void {
    if (this.#isWrite) this.#state.noteWrite(this.#sql, this.#awaitsCommit, this.#ambient)
  }
}

/** Waits for the end of a stream, whoever reads it. Its errors stay its reader's to hear. */
const onceOver = (stream: Readable, over: (error?: unknown) => void): void => {
  let failure: unknown
  stream.once(errorMonitor, (error) => {
    failure = error
  })
  stream.once('close', () => over(failure))
}

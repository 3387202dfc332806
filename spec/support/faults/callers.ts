import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../until.js'
import type { Call, CallFacts, CallLog } from './call-log.js'

/** What one caller does, over and over. */
export interface Job extends CallFacts {
  work(): Promise<unknown>
}

/** Callers at the same time, each of which makes its next call shortly after its last has ended. */
export class Callers {
  readonly #log: CallLog
  readonly #jobs: readonly Job[]
  #running: Promise<void>[] = []
  #isStopping = false

  constructor(log: CallLog, jobs: readonly Job[]) {
    this.#log = log
    this.#jobs = jobs
  }

  start(): void {
    this.#isStopping = false
    this.#running = this.#jobs.map((job) => this.#repeat(job))
  }

  /** Waits for the calls under way. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#running)
  }

  /** Waits until each caller has ended so many calls since `time`, begun before or after. */
  async done(each: number, time: number): Promise<void> {
    const hasDone = ({ caller }: Job): boolean => {
      const last = this.#log.of(caller).at(-each)
      return last !== undefined && last.at + last.ms >= time
    }
    await this.#each(hasDone)
  }

  /** Waits until so many calls in a row, begun since `time`, have succeeded for each caller. Gives when
   *  the first of them had ended for all. */
  async wellAgain(time: number, inRow = 3): Promise<number> {
    const run = (job: Job): readonly Call[] => {
      const calls = this.#callsOf(job, time)
      return calls.slice(calls.findLastIndex(({ error }) => error !== undefined) + 1)
    }
    await this.#each((job) => run(job).length >= inRow)
    const ends = this.#jobs
      .map((job) => run(job)[0])
      .map((call) => (call ? call.at + call.ms : NaN))
    return Math.max(...ends)
  }

  async #each(isSo: (job: Job) => boolean): Promise<void> {
    const missing = (): readonly Job[] => this.#jobs.filter((job) => !isSo(job))
    await until(() => missing().length === 0, {
      what: () =>
        `the calls of ${missing()
          .map(({ caller }) => caller)
          .join(', ')}`,
      timeoutMs: 10_000,
    })
  }

  #callsOf({ caller }: Job, time: number): readonly Call[] {
    const calls = this.#log.of(caller)
    return calls.slice(calls.findLastIndex(({ at }) => at < time) + 1)
  }

  async #repeat({ work, ...facts }: Job): Promise<void> {
    while (!this.#isStopping) {
      const isWell = await this.#log.call(facts, work)
      // A caller that failed does not hammer: the errors counted are those of a caller with manners.
      await delay(isWell ? 15 : 50)
    }
  }
}

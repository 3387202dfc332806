import type { QueryRunner } from 'typeorm'
import type { MigrationTransactionWord } from '../../config/words.js'
import { InvalidScopeError } from '../../errors.js'
import type { Assignment } from '../../migrations/assignment.js'
import { type MigrationEventBody, asError, eventError } from '../../migrations/events.js'
import { HeldLock, type LockSeat, takeLock } from '../../migrations/lock.js'
import { driftWarnings, pendingOn, planShard } from '../../migrations/plan.js'
import {
  type FinishedMigration,
  type MigrationDirection,
  type ShardOutcome,
  type ShardReport,
  isFake,
  isReverting,
} from '../../migrations/report.js'
import type { RunGate } from '../../migrations/run.js'
import type { Shard } from '../shard.js'
import { type CodeMigration, ownInstance } from './code.js'
import { type MigrationHistory, closeWith, readDone, withHistory } from './history.js'
import { runSeatOf, workSeatOf } from './lock-seats.js'
import { MigrationWork } from './migration-work.js'
import { type PerformedSteps, ShardSteps } from './shard-steps.js'

/** What is to be done on a shard, and how. */
export interface ShardRunOptions {
  readonly direction: MigrationDirection
  /** undefined is as the shard's own options say. */
  readonly transaction: MigrationTransactionWord | undefined
  readonly lockTimeoutMs: number
  /** The migration to revert, where it was done last. */
  readonly reverted: string | undefined
  readonly tell: (event: MigrationEventBody) => void
}

/** A migration that was done in a transaction which is still open. */
interface Performed {
  readonly finished: FinishedMigration
  readonly work: MigrationWork
}

/** One shard's part of a run. */
export class ShardRun implements PerformedSteps {
  readonly #shard: Shard
  readonly #assignment: Assignment<CodeMigration>
  readonly #options: ShardRunOptions
  #finished: FinishedMigration[] = []
  /** Done, and perhaps not committed. */
  #performed: Performed[] = []
  #current: { readonly name: string; readonly work: MigrationWork } | undefined
  #waitedMs = 0
  /** Whether a migration may have left a transaction open of which nobody knows. */
  #mayBeOpen = false

  constructor(shard: Shard, assignment: Assignment<CodeMigration>, options: ShardRunOptions) {
    this.#shard = shard
    this.#assignment = assignment
    this.#options = options
  }

  /** Does it. Never rejects. */
  async run(gate: RunGate): Promise<ShardReport> {
    try {
      const outcome = await withHistory(this.#shard, (history, runner) =>
        this.#begin(history, runner, gate),
      )
      return this.#ended(outcome, await this.#left(outcome))
    } catch (error) {
      return this.#failed(asError(error))
    }
  }

  async #begin(
    history: MigrationHistory,
    runner: QueryRunner,
    gate: RunGate,
  ): Promise<ShardOutcome> {
    // Most shards of most runs have nothing to do, and need no lock for that. A revert has looked.
    const mayBeDone = !isReverting(this.#options.direction)
    if (mayBeDone && this.#todoOf(await history.done()).length === 0) return 'up to date'
    const runSeat = await runSeatOf(this.#shard)
    if (!(await this.#take(runSeat, gate))) return 'stopped'
    const lock = new HeldLock(this.#shard.name, runSeat)
    try {
      const workSeat = workSeatOf(this.#shard, runner)
      if (workSeat === undefined) return await this.#underLock(history, runner, gate, lock)
      if (!(await this.#take(workSeat, gate))) return 'stopped'
      let outcome: ShardOutcome
      try {
        outcome = await this.#underLock(history, runner, gate, lock)
      } finally {
        await workSeat.leave()
      }
      await this.#checkKept(runner)
      return outcome
    } finally {
      await lock.release()
    }
  }

  /**
   * Looks whether another connection sees what was done, where there may be a difference. TypeORM does
   * not know of a transaction that a migration begins in SQL: where it is not ended, it takes the
   * version along.
   *
   * @throws InvalidScopeError if it does not
   */
  async #checkKept(runner: QueryRunner): Promise<void> {
    const { direction } = this.#options
    if (!this.#mayBeOpen || this.#finished.length === 0) return
    await runner.release()
    const done = new Set(await readDone(this.#shard))
    const isKept = ({ migration }: FinishedMigration): boolean =>
      done.has(migration) === (direction === 'up')
    const lost = this.#finished.filter((each) => !isKept(each))
    if (lost.length === 0) return
    this.#finished = this.#finished.filter(isKept)
    const names = lost.map(({ migration }) => migration).join(', ')
    throw new InvalidScopeError(
      `A transaction that was begun in SQL on shard "${this.#shard.name}" was not ended, and took these with it: ${names}. COMMIT it in the migration.`,
    )
  }

  /** Takes a lock; says whether it did before the run was ended. */
  async #take(seat: LockSeat, { signal }: RunGate): Promise<boolean> {
    const { name: shard, runtime } = this.#shard
    const waitedMs = await takeLock(shard, seat, {
      timeoutMs: this.#options.lockTimeoutMs,
      signal,
      waiting: (holder) => this.#tell({ type: 'lock-waiting', shard, holder }),
      now: runtime.now,
    })
    this.#waitedMs += waitedMs ?? 0
    return waitedMs !== undefined
  }

  async #underLock(
    history: MigrationHistory,
    runner: QueryRunner,
    gate: RunGate,
    lock: HeldLock,
  ): Promise<ShardOutcome> {
    const todo = this.#todoOf(await history.prepared(), true)
    if (todo.length === 0) return 'up to date'
    const { name: shard, view } = this.#shard
    const { direction, transaction = view.options.migrationsTransactionMode ?? 'all' } =
      this.#options
    this.#tell({ type: 'shard-started', shard, migrations: todo })
    if (!isFake(direction)) closeWith(runner)
    const steps = new ShardSteps(this, history, runner, gate, lock)
    const migrations = todo.map((name) => this.#named(name))
    return transaction === 'all' && !isReverting(direction)
      ? steps.together(migrations)
      : steps.oneByOne(migrations, transaction !== 'none')
  }

  #named(name: string): CodeMigration {
    const found = this.#assignment.migrations.find(({ migration }) => migration.name === name)
    if (found === undefined) throw new TypeError(`No migration ${name} in the code`)
    return found.migration
  }

  #todoOf(done: readonly { readonly name: string }[], warns = false): readonly string[] {
    const names = done.map(({ name }) => name)
    const plan = planShard(this.#shard.name, this.#assignment, names)
    if (warns)
      for (const message of driftWarnings(plan, this.#options.direction))
        this.#tell({ type: 'warning', shard: this.#shard.name, message })
    const { direction, reverted } = this.#options
    if (!isReverting(direction)) return pendingOn(plan)
    return reverted !== undefined && plan.last === reverted ? [reverted] : []
  }

  async perform(
    migration: CodeMigration,
    history: MigrationHistory,
    runner: QueryRunner,
  ): Promise<void> {
    const { runtime, name: shard } = this.#shard
    const { name, source } = migration
    const { direction } = this.#options
    this.#tell({ type: 'migration-started', shard, migration: name })
    const started = runtime.now()
    const work = new MigrationWork(this.#shard, name, runner)
    this.#current = { name, work }
    const instance = ownInstance(migration)
    if (direction === 'up') await work.run((own) => instance.up(own))
    if (direction === 'down') await work.run((own) => instance.down(own))
    this.#mayBeOpen ||= work.mayHaveBegun
    if (isReverting(direction)) await history.deleteMigration(source)
    else await history.insertMigration(source)
    const durationMs = Math.round(runtime.now() - started)
    const finished = { migration: name, durationMs, effects: work.effects.byShard }
    this.#performed.push({ finished, work })
    this.#current = undefined
  }

  committed(): void {
    for (const { finished } of this.#performed.splice(0)) this.#keep(finished)
  }

  rolledBack(): void {
    const { name: shard } = this.#shard
    for (const { finished, work } of this.#performed.splice(0))
      for (const each of work.effects.leftBehind)
        this.#tell({
          type: 'warning',
          shard,
          message: `${finished.migration} was rolled back, but not on ${each.shard}: ${each.statements.join(', ')}`,
        })
  }

  #keep(finished: FinishedMigration): void {
    const { name: shard, view } = this.#shard
    this.#finished.push(finished)
    this.#tell({ type: 'migration-finished', shard, ...finished })
    const { direction } = this.#options
    const verb = isReverting(direction) ? 'reverted' : 'executed'
    const fake = isFake(direction) ? '(fake) ' : ''
    view.logger.logSchemaBuild(
      `Migration ${finished.migration} has been ${fake}${verb} successfully.`,
    )
  }

  #tell(event: MigrationEventBody): void {
    this.#options.tell(event)
  }

  #ended(outcome: ShardOutcome, left: readonly string[] | undefined): ShardReport {
    const { name: shard } = this.#shard
    this.#tell({ type: 'shard-finished', shard, outcome, error: undefined })
    const waitedMs = this.#waitedMs
    return { shard, outcome, finished: this.#finished, left, failure: undefined, waitedMs }
  }

  /** What is still to do; the version table is asked where something stopped half way. */
  async #left(outcome: ShardOutcome): Promise<readonly string[] | undefined> {
    if (outcome === 'done' || outcome === 'up to date') return []
    try {
      return this.#todoOf((await readDone(this.#shard)).map((name) => ({ name })))
    } catch {
      // The server that failed may not answer; then nobody knows.
      return undefined
    }
  }

  async #failed(error: Error): Promise<ShardReport> {
    const { name: shard, view } = this.#shard
    const left = await this.#left('failed')
    // MySQL has committed more than the client believes: what the version table lists is done.
    const isLeft = ({ finished }: Performed): boolean =>
      left === undefined || left.includes(finished.migration)
    for (const each of this.#performed) if (!isLeft(each)) this.#keep(each.finished)
    const undone = this.#performed.filter(isLeft).map(({ work }) => work)
    this.#performed = []
    const migration = this.#current?.name
    const leftBehind = [...undone, ...(this.#current ? [this.#current.work] : [])].flatMap(
      ({ effects }) => effects.leftBehind,
    )
    const told = eventError(error)
    if (migration !== undefined) {
      view.logger.logMigration(`Migration "${migration}" failed, error: ${error.message}`)
      this.#tell({ type: 'migration-failed', shard, migration, error: told, leftBehind })
    }
    this.#tell({ type: 'shard-finished', shard, outcome: 'failed', error: told })
    return {
      shard,
      outcome: 'failed',
      finished: this.#finished,
      left,
      failure: { migration, error, leftBehind },
      waitedMs: this.#waitedMs,
    }
  }
}

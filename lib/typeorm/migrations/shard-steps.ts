import { ForbiddenTransactionModeOverrideError, type QueryRunner } from 'typeorm'
import type { HeldLock } from '../../migrations/lock.js'
import type { ShardOutcome } from '../../migrations/report.js'
import type { RunGate } from '../../migrations/run.js'
import type { CodeMigration } from './code.js'
import type { MigrationHistory } from './history.js'
import { inTransaction } from './transactions.js'

/** Who does single migrations, and is told what becomes of them. */
export interface PerformedSteps {
  /** Does one migration through the runner, and notes it in the version table. */
  perform(migration: CodeMigration, history: MigrationHistory, runner: QueryRunner): Promise<void>
  /** Takes what was done for good. */
  committed(): void
  /** Forgets what was done. */
  rolledBack(): void
}

/** The migrations of one shard, one after the other, in the transactions that are wanted. */
export class ShardSteps {
  readonly #run: PerformedSteps
  readonly #history: MigrationHistory
  readonly #runner: QueryRunner
  readonly #gate: RunGate
  readonly #lock: HeldLock

  constructor(
    run: PerformedSteps,
    history: MigrationHistory,
    runner: QueryRunner,
    gate: RunGate,
    lock: HeldLock,
  ) {
    this.#run = run
    this.#history = history
    this.#runner = runner
    this.#gate = gate
    this.#lock = lock
  }

  /** All of them in one transaction, or none. */
  async together(migrations: readonly CodeMigration[]): Promise<ShardOutcome> {
    // As TypeORM: a wish that one transaction for all cannot fulfil.
    const overriding = migrations.filter(({ instance }) => instance.transaction !== undefined)
    if (overriding.length > 0)
      throw new ForbiddenTransactionModeOverrideError(overriding.map(({ source }) => source))
    const isWhole = await inTransaction(this.#runner, async () => {
      for (const migration of migrations) {
        if (!(await this.#mayBegin())) return false
        await this.#run.perform(migration, this.#history, this.#runner)
      }
      return true
    })
    if (isWhole) this.#run.committed()
    else this.#run.rolledBack()
    return isWhole ? 'done' : 'stopped'
  }

  /** @param inTransactions - whether each has a transaction of its own, where it does not say it itself */
  async oneByOne(
    migrations: readonly CodeMigration[],
    inTransactions: boolean,
  ): Promise<ShardOutcome> {
    for (const migration of migrations) {
      if (!(await this.#mayBegin())) return 'stopped'
      const perform = (): Promise<void> => this.#run.perform(migration, this.#history, this.#runner)
      if (migration.instance.transaction ?? inTransactions)
        await inTransaction(this.#runner, async () => {
          await perform()
          return true
        })
      else await perform()
      this.#run.committed()
    }
    return 'done'
  }

  async #mayBegin(): Promise<boolean> {
    if (!this.#gate.isOpen) return false
    await this.#lock.check()
    return this.#gate.isOpen
  }
}

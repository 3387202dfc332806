import type { QueryRunner } from 'typeorm'
import { type Frame, encloses, namingFrame, userFrame } from '../context/frame.js'
import { CrossShardError } from '../errors.js'
import { framesTransaction } from '../router/read-only-sql.js'
import type { RunnerInternals } from './internals.js'

export const startTransaction = 'START TRANSACTION'

/** What was begun through one runner, and the user's scope in which it was. */
export class TransactionScope {
  readonly #shard: string
  /** On SQLite a transaction beside another's is a savepoint in that. */
  #begun: 'nothing' | 'transaction' | 'savepoint' = 'nothing'
  #frame: Frame | undefined

  constructor(shard: string) {
    this.#shard = shard
  }

  /** Whether its runner began the transaction, and so will commit it. */
  get isOwn(): boolean {
    return this.#begun === 'transaction'
  }

  /**
   * Looks at a statement of the transaction before it is sent.
   *
   * @throws CrossShardError in a scope of another shard that was entered after the transaction began
   */
  check(runner: QueryRunner, sql: string, ambient: Frame | undefined): void {
    const scope = namingFrame(ambient)
    // Not what a user sends by hand later: it would move the transaction into his present scope.
    const isOutermost = runnerIsStarting(sql) && depthOf(runner) === 0
    if (isOutermost || (this.#begun === 'nothing' && ownSavepoint.test(sql))) {
      this.#begun = isOutermost ? 'transaction' : 'savepoint'
      this.#frame = userFrame(ambient)
      return
    }
    if (this.#begun === 'nothing' || scope?.shard === undefined || scope.shard === this.#shard)
      return
    if (framesTransaction(sql) || encloses(scope, this.#frame)) return
    throw new CrossShardError(
      'A transaction was used inside a scope of another shard that was entered after it began',
      [this.#shard, scope.shard],
      'Leave the scope, or use the data source there instead of the transaction’s manager.',
    )
  }
}

/** How many transactions and savepoints of TypeORM's are open on a runner. */
export const depthOf = (runner: QueryRunner): number =>
  (runner as QueryRunner & Partial<RunnerInternals>).transactionDepth ?? 0

/** TypeORM's own. */
const ownSavepoint = /^SAVEPOINT typeorm_\d+$/

const runnerIsStarting = (sql: string): boolean =>
  sql === startTransaction || sql === 'BEGIN TRANSACTION' || /^set transaction isolation/i.test(sql)

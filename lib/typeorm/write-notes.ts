import type { Frame, WriteLedger } from '../context/frame.js'
import { framesTransaction } from '../router/read-only-sql.js'
import { statementKeyword } from '../trace/event.js'

const writeStart = /^\s*(?:insert|update|delete)\b/i

/** Tells the ledgers of scopes what was written through one query runner, when it counts. */
export class WriteNotes {
  readonly #shard: string
  readonly #now: () => number
  /** The ledgers of the scopes that wrote in the open transaction, told at its commit. */
  #pending: Set<WriteLedger> | undefined = undefined

  /** @param now - monotonic clock, in milliseconds */
  constructor(shard: string, now: () => number) {
    this.#shard = shard
    this.#now = now
  }

  /** Whether the open transaction has written. */
  get isPending(): boolean {
    return this.#pending !== undefined
  }

  /**
   * A statement has settled. A transaction's writes count from its commit, others from their own end;
   * a failed one counts too, for its outcome is not known when the connection was lost.
   *
   * @param ledgers - of the scopes that the statement was sent in
   */
  settle(sql: string, inTransaction: boolean, ledgers: readonly WriteLedger[]): void {
    // Nearly every write; the rest is about transactions.
    if (!inTransaction && writeStart.test(sql)) return this.#note(ledgers)
    const keyword = statementKeyword(sql)
    if (keyword === 'ROLLBACK') {
      if (!/^\s*rollback\s+to\b/i.test(sql)) this.#pending = undefined
    } else if (keyword === 'COMMIT') {
      this.#note(this.#pending ?? [])
      this.#pending = undefined
    } else if (framesTransaction(sql)) return
    else if (inTransaction) this.#pending = new Set([...(this.#pending ?? []), ...ledgers])
    else this.#note(ledgers)
  }

  #note(ledgers: Iterable<WriteLedger>): void {
    for (const ledger of ledgers) ledger.set(this.#shard, this.#now())
  }
}

/** The ledgers of the route's scope and of the scope around the statement: most often one. */
export const ledgersOf = (
  frame: Frame | undefined,
  ambient: Frame | undefined,
): readonly WriteLedger[] => {
  if (frame === undefined) return ambient === undefined ? [] : [ambient.writes]
  return ambient === undefined || ambient.writes === frame.writes
    ? [frame.writes]
    : [frame.writes, ambient.writes]
}

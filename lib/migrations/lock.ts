import { setTimeout as delay } from 'node:timers/promises'
import { MigrationLockError, type MigrationLockKind } from '../errors.js'
import { settlesIn } from '../pool/leases.js'

/** One shard's lock, as an engine has it. */
export interface LockSeat {
  readonly kind: MigrationLockKind
  /** Takes the lock if it is free, without waiting. */
  tryTake(): Promise<boolean>
  /** Who holds it, in words; undefined if that cannot be told. */
  holder(): Promise<string | undefined>
  /** Whether it is still held here. */
  isHeld(): Promise<boolean>
  /** Gives it back, and the connection that it is bound to. */
  leave(): Promise<void>
}

/** How a lock is waited for; times in milliseconds. */
export interface LockWait {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Is told once, when somebody else holds it. */
  readonly waiting: (holder: string | undefined) => void
  /** Monotonic clock. */
  readonly now: () => number
}

/** How often a lock that is held elsewhere is asked for, in milliseconds. */
const pollMs = 200
/** How often it is looked whether the lock is still there: servers close what rests for long. */
const watchMs = 20_000

/** How long a server has to say that a lock is held, in milliseconds. */
const patienceMs = 10_000

/** A lock that is held on a connection of its own, which is looked after until it is released. */
export class HeldLock {
  readonly #shard: string
  readonly #seat: LockSeat
  readonly #answerMs: number
  readonly #watch: NodeJS.Timeout
  #lost: { readonly cause: unknown } | undefined
  #looking: Promise<void> = Promise.resolve()

  /** @param answerMs - how long the server has to say that it is held, in milliseconds */
  constructor(shard: string, seat: LockSeat, answerMs = patienceMs) {
    this.#shard = shard
    this.#seat = seat
    this.#answerMs = answerMs
    this.#watch = setInterval(() => void this.#look(), watchMs).unref()
  }

  /**
   * Looks whether it is still held.
   *
   * @throws MigrationLockError if not
   */
  async check(): Promise<void> {
    await this.#look()
    if (this.#lost !== undefined)
      throw new MigrationLockError(this.#shard, 'lost', { lock: this.#seat.kind, ...this.#lost })
  }

  /** One look after the other: a connection of pg is to be asked one thing at a time. */
  #look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#ask())
    return this.#looking
  }

  async #ask(): Promise<void> {
    if (this.#lost !== undefined) return
    const answer = this.#seat.isHeld()
    try {
      // A server that has gone without a goodbye never answers.
      if (!(await settlesIn(answer, this.#answerMs)))
        this.#lost = { cause: new Error(`no answer in ${this.#answerMs} ms`) }
      else if (!(await answer)) this.#lost = { cause: undefined }
    } catch (cause) {
      this.#lost = { cause }
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#watch)
    await this.#looking
    await this.#seat.leave()
  }
}

const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await delay(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/**
 * Takes a shard's lock. Where it is not taken, its seat is left.
 *
 * @returns the milliseconds that it took; undefined if the signal came first
 * @throws MigrationLockError if somebody else holds it for longer than `timeoutMs`
 */
export const takeLock = async (
  shard: string,
  seat: LockSeat,
  { timeoutMs, signal, waiting, now }: LockWait,
): Promise<number | undefined> => {
  const started = now()
  let isHeld = false
  try {
    for (let tries = 0; !signal.aborted; tries += 1) {
      isHeld = await seat.tryTake()
      const waitedMs = Math.round(now() - started)
      if (isHeld) return waitedMs
      const isOver = waitedMs >= timeoutMs
      if (tries === 0 || isOver) {
        const holder = await seat.holder()
        if (isOver)
          throw new MigrationLockError(shard, 'timeout', { lock: seat.kind, waitedMs, holder })
        waiting(holder)
      }
      await pause(Math.min(pollMs, Math.max(1, timeoutMs - waitedMs)), signal)
    }
    return undefined
  } finally {
    if (!isHeld) await seat.leave()
  }
}

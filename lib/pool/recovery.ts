import { type BackoffLimits, backoffMs, pause } from './backoff.js'

const connecting: BackoffLimits = { firstMs: 50, longestMs: 1000 }

/** What it needs of its surroundings. */
export interface RecoverySettings {
  /** Monotonic clock, in milliseconds. */
  readonly now: () => number
  readonly random: () => number
}

/** Holds callers back from a server that could not be connected: one tries for all, after a while. */
export class Recovery {
  readonly #settings: RecoverySettings
  #failures = 0
  #retryAt = 0
  #trial: Promise<void> | undefined

  constructor(settings: RecoverySettings) {
    this.#settings = settings
  }

  /** Whether the last attempt to connect failed. */
  get isDue(): boolean {
    return this.#failures > 0
  }

  failed(): void {
    const { now, random } = this.#settings
    this.#retryAt = now() + backoffMs(this.#failures, connecting, random)
    this.#failures += 1
  }

  succeeded(): void {
    this.#failures = 0
  }

  /** Milliseconds until the next try, for who tries on his own account. */
  waitMs(tries: number): number {
    return backoffMs(tries, connecting, this.#settings.random)
  }

  /** Waits for one try, which all callers share, and throws what it throws. */
  wait(attempt: () => Promise<void>): Promise<void> {
    this.#trial ??= this.#try(attempt).finally(() => {
      this.#trial = undefined
    })
    return this.#trial
  }

  async #try(attempt: () => Promise<void>): Promise<void> {
    const waitMs = this.#retryAt - this.#settings.now()
    if (waitMs > 0) await pause(waitMs)
    await attempt()
  }
}

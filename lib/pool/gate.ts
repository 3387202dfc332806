/** Somebody waiting at a gate. */
interface Waiter {
  readonly enter: (waitedMs: number) => void
  readonly refuse: (error: unknown) => void
  readonly since: number
  timer: NodeJS.Timeout | undefined
}

/**
 * Lets at most `max` callers in at a time, the rest in the order in which they came. It stands in
 * front of a driver's own pool, whose queue has no timeout (mysql2) and hands connections over in
 * the releaser's asynchronous context.
 */
export class Gate {
  readonly #max: number
  readonly #now: () => number
  #inside = 0
  readonly #waiters = new Set<Waiter>()

  constructor(max: number, now: () => number) {
    this.#max = max
    this.#now = now
  }

  get max(): number {
    return this.#max
  }

  get inside(): number {
    return this.#inside
  }

  get waiting(): number {
    return this.#waiters.size
  }

  /** Whether who comes has to wait. */
  get isFull(): boolean {
    return this.#inside >= this.#max || this.#waiters.size > 0
  }

  /** Goes in if there is room and nobody waits; says whether it did. */
  tryEnter(): boolean {
    if (this.isFull) return false
    this.#inside += 1
    return true
  }

  /**
   * Waits for room.
   *
   * @param timeoutMs - milliseconds to wait at most; 0 waits for ever
   * @param timeoutError - makes the error for a caller whose time is up, from the time it waited in ms
   * @returns the milliseconds waited
   */
  enter(timeoutMs: number, timeoutError: (waitedMs: number) => Error): Promise<number> {
    if (this.tryEnter()) return Promise.resolve(0)
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        enter: resolve,
        refuse: reject,
        since: this.#now(),
        timer: undefined,
      }
      this.#waiters.add(waiter)
      if (timeoutMs > 0)
        waiter.timer = setTimeout(() => {
          // The error is made first: it counts this waiter too.
          const error = timeoutError(Math.round(this.#now() - waiter.since))
          this.#waiters.delete(waiter)
          reject(error)
        }, timeoutMs)
    })
  }

  /** Leaves; the first in the queue takes the place. */
  leave(): void {
    const [next] = this.#waiters
    if (next === undefined) {
      this.#inside -= 1
      return
    }
    this.#waiters.delete(next)
    clearTimeout(next.timer)
    next.enter(this.#now() - next.since)
  }

  /** Refuses everybody who waits. */
  refuseAll(error: Error): void {
    for (const waiter of this.#waiters) {
      clearTimeout(waiter.timer)
      waiter.refuse(error)
    }
    this.#waiters.clear()
  }
}

import { setTimeout as delay } from 'node:timers/promises'

/** What `until` needs to know: the deadline, and words for the error when it passes. */
export interface UntilOptions {
  /** What is waited for, as it ends the sentence "Waited 5000 ms for …". */
  readonly what: string | (() => string)
  readonly timeoutMs?: number
  readonly intervalMs?: number
}

/** A condition did not come true before its deadline. */
class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>

/**
 * Asks again and again until `condition` is truthy, and returns what it said.
 * An exception in `condition` ends the wait at once: only "not yet" is worth asking again.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = 5000, intervalMs = 4 }: UntilOptions,
): Promise<Truthy<T>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await condition()
    if (answer) return answer as Truthy<T>
    if (performance.now() >= deadline) {
      throw new DeadlineError(
        `Waited ${timeoutMs} ms for ${typeof what === 'string' ? what : what()}`,
      )
    }
    await delay(intervalMs)
  }
}

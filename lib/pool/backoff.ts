/** How long to wait between tries, in milliseconds. */
export interface BackoffLimits {
  readonly firstMs: number
  readonly longestMs: number
}

/**
 * How long to wait before try number `tries` + 1: twice as long after each, up to the longest, and a
 * random part of up to a quarter less, so that clients do not come back together.
 *
 * @param random - a source of numbers in [0, 1)
 */
export const backoffMs = (
  tries: number,
  { firstMs, longestMs }: BackoffLimits,
  random: () => number,
): number => Math.min(longestMs, firstMs * 2 ** Math.min(tries, 30)) * (1 - random() / 4)

/** Waits; somebody is waiting for it, so the timer keeps the process alive. */
export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

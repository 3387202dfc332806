/** How far a server's clock is from this process's. */
export interface ClockFacts {
  readonly clockOffsetMs: number
  readonly clockErrorMs: number
}

/**
 * Compares a clock with this process's: the answer is taken to be from the middle of the time that it
 * took.
 *
 * @param ask - yields the other clock, in milliseconds since the epoch
 */
export const clockOf = async (ask: () => Promise<number>): Promise<ClockFacts> => {
  const before = Date.now()
  const started = performance.now()
  const there = await ask()
  const half = (performance.now() - started) / 2
  return {
    clockOffsetMs: Math.round(there - (before + half)),
    clockErrorMs: Math.ceil(half),
  }
}

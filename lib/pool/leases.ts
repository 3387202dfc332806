import type { PoolHolders } from '../errors.js'
import { PoolClosedError } from '../errors.js'
import type { Lease } from './lease.js'

/** Who holds what a caller waits for. */
export const holdersOf = (
  leases: ReadonlySet<Lease>,
  owner: object | undefined,
  now: number,
): PoolHolders => {
  const [oldest] = leases
  const own = owner === undefined ? [] : [...leases].filter((lease) => lease.owner === owner)
  return {
    oldestLeaseMs: oldest === undefined ? undefined : Math.round(now - oldest.since),
    heldByScope: own.length,
    takenAt: oldest?.takenAt,
  }
}

/** Whether `work` settles in that many milliseconds. */
export const settlesIn = async (work: Promise<unknown>, ms: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  try {
    return await Promise.race([
      work.then(
        () => true,
        () => true,
      ),
      late,
    ])
  } finally {
    clearTimeout(timer)
  }
}

/** Lets running statements end, then takes every connection back and closes it. */
export const takeBack = async (leases: ReadonlySet<Lease>, drainMs: number): Promise<void> => {
  const running = [...leases].filter(({ isRunning }) => isRunning)
  if (running.length > 0)
    await settlesIn(Promise.all(running.map((lease) => lease.rested())), drainMs)
  for (const lease of leases) {
    lease.abort()
    void lease.holder?.release()
    lease.release(new PoolClosedError(lease.endpoint.id))
  }
}

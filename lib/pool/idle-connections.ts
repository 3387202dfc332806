import type { Gate } from './gate.js'
import type { PhysicalConnection } from './lease.js'
import type { Supply } from './supply.js'

/** Closes one idle connection; says whether there was one. */
export const shed = async (supply: Supply): Promise<boolean> => {
  if (supply.idle === 0) return false
  try {
    await supply.borrow(async (connection) => {
      connection.close()
      await connection.closed()
    })
    return true
  } catch {
    return false // it went by itself, and there is no other
  }
}

/** Closes idle connections, unheard, up to the first that is not doubted. */
export const dropDoubted = async (
  supply: Supply,
  isDoubted: (connection: PhysicalConnection) => boolean,
): Promise<void> => {
  const isDropped = (connection: PhysicalConnection): boolean => {
    const isOver = isDoubted(connection)
    if (isOver) connection.close()
    else connection.giveBack()
    return isOver
  }
  try {
    while (supply.idle > 0 && (await supply.borrow(isDropped)));
  } catch {
    // The server says nothing new.
  }
}

/**
 * Looks at the idle connections, all at a time, and closes the bad ones. Waits for none.
 *
 * @param isGood - looks at one
 * @returns how many were bad
 * @throws the driver's error if the server cannot be reached
 */
export const inspect = async (
  supply: Supply,
  gate: Gate,
  isGood: (connection: PhysicalConnection) => Promise<boolean>,
): Promise<number> => {
  const looking: Promise<boolean>[] = []
  for (let left = supply.idle; left > 0 && gate.tryEnter(); left -= 1)
    looking.push(
      supply
        .borrow(async (connection) => {
          const isKept = await isGood(connection)
          if (isKept) connection.giveBack()
          else connection.close()
          return isKept
        })
        .finally(() => gate.leave()),
    )
  const looked = await Promise.allSettled(looking)
  for (const each of looked) if (each.status === 'rejected') throw each.reason
  return looked.filter((each) => each.status === 'fulfilled' && !each.value).length
}

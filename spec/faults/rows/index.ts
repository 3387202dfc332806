import type { Fault } from '../fault.js'
import { killed } from './killed.js'
import { moved, promoted } from './moved.js'
import { network } from './network.js'
import { server } from './server.js'
import { start } from './start.js'

/** All rows of the matrix, in the order in which they run. */
export const faults: readonly Fault[] = [
  ...killed,
  ...network,
  ...server,
  ...moved,
  ...start,
  ...promoted,
]

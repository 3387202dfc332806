import { addPools } from './commands/pools.js'
import type { AddCommand } from './frame.js'

/** Every command, in the order of `octopus --help`. */
export const commands: readonly AddCommand[] = [addPools]

import { addCheck } from './commands/check.js'
import { addExplain } from './commands/explain.js'
import { addMigrate } from './commands/migrate.js'
import { addInspect } from './commands/inspect.js'
import { addPools } from './commands/pools.js'
import { addQuery } from './commands/query.js'
import { addSchema } from './commands/schema.js'
import { addSeed } from './commands/seed.js'
import { addShard } from './commands/shard.js'
import { addTopology } from './commands/topology.js'
import type { AddCommand } from './frame.js'

/** Every command, in the order of `octopus --help`. */
export const commands: readonly AddCommand[] = [
  addCheck,
  addTopology,
  addPools,
  addExplain,
  addQuery,
  addMigrate,
  addSchema,
  addShard,
  addSeed,
  addInspect,
]

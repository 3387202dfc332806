import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../support/child.js'
import { circumstances } from '../support/markdown.js'
import type { Task } from './child.js'
import { contextReport, poolCells, storageReport, targetReport } from './report.js'
import type { Cell, Plan } from './rounds.js'
import { type Servers, nullServers, withServers } from './servers.js'
import { type Context, contexts } from './variants.js'

const { values: options } = parseArgs({
  options: {
    null: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

const plan: Plan = options.quick
  ? { processes: 1, rounds: 6, sliceMs: 25, warmUpCalls: 2000 }
  : { processes: 3, rounds: 10, sliceMs: 40, warmUpCalls: 3000 }

const measuring = fileURLToPath(new URL('child.js', import.meta.url))

const run = async (servers: Servers): Promise<Record<Context, readonly Cell[]>> => {
  const runs: Record<Context, (readonly Cell[])[]> = { none: [], storage: [] }
  for (let turn = 0; turn < plan.processes; turn += 1)
    for (const context of contexts) {
      const task: Task = { context, servers, plan }
      runs[context].push(await messageOf<readonly Cell[]>(measuring, [JSON.stringify(task)]))
    }
  return { none: poolCells(runs.none), storage: poolCells(runs.storage) }
}

const cells = options.null ? await run(nullServers) : await withServers(run)

if (options.json) console.log(JSON.stringify(cells))
else
  console.log(
    [
      `## ${options.null ? 'Over a driver that answers from memory' : 'Over MariaDB on the same machine'}`,
      circumstances(),
      targetReport(cells),
      storageReport(cells),
      ...contexts.flatMap((context) => [
        `### ${context === 'none' ? 'Without AsyncLocalStorage' : 'With AsyncLocalStorage'}`,
        contextReport(cells[context], context),
      ]),
    ].join('\n\n'),
  )

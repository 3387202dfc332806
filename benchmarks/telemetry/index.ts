import { fileURLToPath } from 'node:url'
import { messageOf } from '../support/child.js'
import { circumstances, table } from '../support/markdown.js'
import { quartilesOf } from '../support/statistics.js'
import type { Costs, Task } from './child.js'

const processes = 3
const measuring = fileURLToPath(new URL('child.js', import.meta.url))

const run = async (task: Task): Promise<Costs> => {
  const pooled: Record<string, number[]> = {}
  for (let turn = 0; turn < processes; turn += 1) {
    const costs = await messageOf<Costs>(measuring, [JSON.stringify(task)])
    for (const [name, values] of Object.entries(costs)) (pooled[name] ??= []).push(...values)
  }
  return pooled
}

const report = (costs: Costs): string => {
  const [base = []] = Object.values(costs)
  const { median: without } = quartilesOf(base)
  const rows = Object.entries(costs).map(([name, values]) => {
    const { low, median, high } = quartilesOf(values)
    const [middle, lower, upper] = [median, low, high].map((value) => value.toFixed(1))
    return [
      name,
      `${middle} (${lower}–${upper})`,
      `${median < without ? '' : '+'}${(median - without).toFixed(1)}`,
    ]
  })
  return table(['observer', 'CPU per find, µs', 'added'], rows)
}

console.log(
  [
    '## Telemetry, over a driver that answers from memory',
    circumstances(),
    '### Without an SDK of OpenTelemetry',
    report(await run({ hasSdk: false })),
    '### With the SDK, which carries its context in an AsyncLocalStorage',
    report(await run({ hasSdk: true })),
  ].join('\n\n'),
)

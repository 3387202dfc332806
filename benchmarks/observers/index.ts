import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { messageOf } from '../support/child.js'
import { circumstances, table } from '../support/markdown.js'
import { quartilesOf } from '../support/statistics.js'
import type { ObserverCosts, ObserverPlan } from './child.js'

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })

const plan = options.quick ? { rounds: 12, calls: 1000 } : { rounds: 40, calls: 2000 }

const measuring = fileURLToPath(new URL('child.js', import.meta.url))
const measure = (isProcessWide: boolean): Promise<ObserverCosts> => {
  const task: ObserverPlan = { ...plan, isProcessWide }
  return messageOf<ObserverCosts>(measuring, [JSON.stringify(task)])
}
const switched = await measure(false)
const lasting = await measure(true)
const costs = Object.entries(switched).map(
  ([operation, own]) => [operation, { ...own, ...lasting[operation] }] as const,
)

const microseconds = (value: number): string => value.toFixed(1)

console.log([circumstances(), ''].join('\n'))
for (const [operation, byVariant] of costs) {
  const base = quartilesOf(Object.values(byVariant)[0] ?? []).median
  const rows = Object.entries(byVariant).map(([name, values]) => {
    const { low, median, high } = quartilesOf(values)
    const more = median - base
    return [
      name,
      microseconds(median),
      `${microseconds(low)} to ${microseconds(high)}`,
      microseconds(more),
    ]
  })
  console.log(
    `${operation}, over a driver that answers from memory: microseconds of CPU for a call\n`,
  )
  console.log(`${table(['observer', 'median', 'quartiles', 'more than nobody'], rows)}\n`)
}

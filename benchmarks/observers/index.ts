import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { messageOf } from '../support/child.js'
import { circumstances, table } from '../support/markdown.js'
import { quartilesOf } from '../support/statistics.js'
import type { ObserverCosts, ObserverPlan, ObserverSet } from './child.js'

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })

const plan = options.quick ? { rounds: 12, calls: 1000 } : { rounds: 40, calls: 2000 }

const measuring = fileURLToPath(new URL('child.js', import.meta.url))
const measure = (set: ObserverSet): Promise<ObserverCosts> => {
  const task: ObserverPlan = { ...plan, set }
  return messageOf<ObserverCosts>(measuring, [JSON.stringify(task)])
}

const microseconds = (value: number): string => value.toFixed(1)

const report = (title: string, costs: ObserverCosts): void => {
  for (const [operation, byVariant] of Object.entries(costs)) {
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
      `${title}: ${operation}, over a driver that answers from memory: microseconds of CPU for a call\n`,
    )
    console.log(`${table(['observer', 'median', 'quartiles', 'more than nobody'], rows)}\n`)
  }
}

console.log([circumstances(), ''].join('\n'))
const switched = await measure('switched')
const lasting = await measure('lasting')
const own = Object.entries(switched).map(
  ([operation, costs]) => [operation, { ...lasting[operation], ...costs }] as const,
)
report("the library's own", Object.fromEntries(own))
report('telemetry without an SDK of OpenTelemetry', await measure('withoutSdk'))
report('telemetry with the SDK, and its AsyncLocalStorage', await measure('withSdk'))

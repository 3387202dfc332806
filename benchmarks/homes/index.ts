import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../support/child.js'
import { circumstances, table } from '../support/markdown.js'
import { quartilesOf } from '../support/statistics.js'
import type { FindCost } from './child.js'

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } })

const measuring = fileURLToPath(new URL('child.js', import.meta.url))
const processes = 5

const runs: Record<string, FindCost>[] = []
for (let turn = 0; turn < processes; turn += 1)
  runs.push(await messageOf<Record<string, FindCost>>(measuring, []))

const p99 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN
const medianOf = (values: readonly number[]): number => quartilesOf(values).median

const rowOf = (name: string): string[] => {
  const costs = runs.flatMap((run) => run[name] ?? [])
  const ms = costs.flatMap((cost) => cost.ms)
  const ratios = quartilesOf(
    runs.map((run) => medianOf(run[name]?.ms ?? []) / medianOf(run['plain']?.ms ?? [])),
  )
  return [
    name,
    medianOf(ms).toFixed(2),
    p99(ms).toFixed(2),
    `${ratios.median.toFixed(3)} (${ratios.low.toFixed(2)}–${ratios.high.toFixed(2)})`,
    (medianOf(costs.map(({ bytes }) => bytes)) / 1024).toFixed(0),
  ]
}

if (options.json) console.log(JSON.stringify(runs))
else
  console.log(
    [
      '## The homes of 1,000 entities',
      circumstances(),
      `\`find()\` of 1,000 rows over sql.js, whose every entity gets its home, against plain TypeORM: the finds of ${processes} processes, in turns. The ratio is that of the medians of each process, with its quartiles.`,
      table(
        ['variant', 'median, ms', 'p99, ms', '× plain', 'allocated, KiB'],
        ['plain', 'plain again', 'handle'].map(rowOf),
      ),
    ].join('\n\n'),
  )

import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../support/child.js'
import { circumstances, table } from '../support/markdown.js'
import { quartilesOf } from '../support/statistics.js'
import type { FindCost, Task } from './child.js'
import { type FindName, finds } from './finds.js'

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } })

const measuring = fileURLToPath(new URL('child.js', import.meta.url))
const processes = 5
type Run = Readonly<Record<string, FindCost>>

const drivers = ['memory', 'sql.js'] as const
const tasks = drivers.flatMap((driver) =>
  (Object.keys(finds) as FindName[]).map((find): Task => ({ driver, find })),
)
const measured: { readonly task: Task; readonly runs: Run[] }[] = []
for (const task of tasks) measured.push({ task, runs: [] })
for (let turn = 0; turn < processes; turn += 1)
  for (const { task, runs } of measured)
    runs.push(await messageOf<Run>(measuring, [JSON.stringify(task)]))

const p99 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN
const medianOf = (values: readonly number[]): number => quartilesOf(values).median

const rowsOf = ({ task, runs }: (typeof measured)[number]): string[][] =>
  ['plain', 'plain again', 'handle'].map((variant) => {
    const costs = runs.flatMap((run) => run[variant] ?? [])
    const ms = costs.flatMap((cost) => cost.ms)
    const ratios = quartilesOf(
      runs.map((run) => medianOf(run[variant]?.ms ?? []) / medianOf(run['plain']?.ms ?? [])),
    )
    return [
      `${task.find}, ${variant}`,
      medianOf(ms).toFixed(2),
      p99(ms).toFixed(2),
      `${ratios.median.toFixed(3)} (${ratios.low.toFixed(2)}–${ratios.high.toFixed(2)})`,
      (medianOf(costs.map(({ bytes }) => bytes)) / 1024).toFixed(0),
    ]
  })

const reportOn = (driver: Task['driver']): string[] => [
  driver === 'memory' ? 'From memory:' : 'Over sql.js:',
  table(
    ['find', 'median, ms', 'p99, ms', '× plain', 'allocated, KiB'],
    measured.filter(({ task }) => task.driver === driver).flatMap(rowsOf),
  ),
]

if (options.json) console.log(JSON.stringify(measured))
else
  console.log(
    [
      '## The homes of 1,000 entities',
      circumstances(),
      `A find of 1,000 rows, whose every entity gets its home, against plain TypeORM: the finds of ${processes} processes, in turns. The ratio is that of the medians of each process, with its quartiles. Rows that a driver has ready in memory show the entities best, and the ratio there is the worst case. Entities without relations are told their home when all are loaded; others as TypeORM makes them, before listeners see them. A joined find makes 2,000 entities.`,
      ...drivers.flatMap(reportOn),
    ].join('\n\n'),
  )

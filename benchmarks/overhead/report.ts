import { table } from '../support/markdown.js'
import { type Quartiles, quartilesOf } from '../support/statistics.js'
import { concurrencies } from './operations.js'
import type { Cell, Cost } from './rounds.js'
import { type Context, baseOf } from './variants.js'

type Measure = keyof Cost

const twoDigits = (value: number): string => value.toFixed(2)

const spread = ({ low, median, high }: Quartiles): string =>
  `${median.toFixed(3)} (${twoDigits(low)}–${twoDigits(high)})`

/** The ratios of a variant to another of the same rounds. */
const ratios = (cell: Cell, variant: string, base: string, measure: Measure): number[] =>
  (cell.costs[variant] ?? []).map((cost, round) => {
    const of = cell.costs[base]?.[round]?.[measure] ?? Number.NaN
    // Throughput is the reciprocal of the time a call took.
    return measure === 'cpu' ? cost.cpu / of : of / cost.wall
  })

const pooled = (cells: readonly Cell[], variant: string, base: string, measure: Measure) =>
  quartilesOf(cells.flatMap((cell) => ratios(cell, variant, base, measure)))

/** One line per operation and concurrency, one column per variant: times the base, with quartiles. */
const ratioTable = (cells: readonly Cell[], context: Context, measure: Measure): string => {
  const base = baseOf[context]
  const variants = Object.keys(cells[0]?.costs ?? {}).filter((name) => name !== base)
  const unit = measure === 'cpu' ? 'µs' : 'calls/s'
  const absolute = (cell: Cell): string => {
    const { median } = quartilesOf((cell.costs[base] ?? []).map((cost) => cost[measure]))
    return (measure === 'cpu' ? median : 1e6 / median).toFixed(0)
  }
  const summary = (title: string, chosen: readonly Cell[]): string[] => [
    title,
    '',
    ...variants.map((variant) => spread(pooled(chosen, variant, base, measure))),
  ]
  return table(
    ['operation', `${base}, ${unit}`, ...variants],
    [
      ...cells.map((cell) => [
        `${cell.operation}, ${cell.concurrency} at a time`,
        absolute(cell),
        ...variants.map((variant) => spread(quartilesOf(ratios(cell, variant, base, measure)))),
      ]),
      ...concurrencies.map((concurrency) =>
        summary(
          `all, ${concurrency} at a time`,
          cells.filter((cell) => cell.concurrency === concurrency),
        ),
      ),
      summary('all', cells),
    ],
  )
}

/** Client CPU and throughput of the variants of one context. */
export const contextReport = (cells: readonly Cell[], context: Context): string =>
  [
    `Client CPU, × ${baseOf[context]}:`,
    ratioTable(cells, context, 'cpu'),
    `Throughput, × ${baseOf[context]}:`,
    ratioTable(cells, context, 'wall'),
  ].join('\n\n')

/** The cells of several processes as one. */
export const poolCells = (runs: readonly (readonly Cell[])[]): readonly Cell[] =>
  (runs[0] ?? []).map((first, index) => {
    const costs: Record<string, readonly Cost[]> = {}
    for (const variant of Object.keys(first.costs))
      costs[variant] = runs.flatMap((cells) => cells[index]?.costs[variant] ?? [])
    return { ...first, costs }
  })

const targets = [
  ['none', 'handle', 'plain', 1.02],
  ['storage', 'scope', 'plain in a run', 1.02],
  ['none', 'handle, two replicas', 'TypeORM replication', 1],
  ['storage', 'scope, two replicas', 'TypeORM replication', 1],
] as const

/** What the library promises, beside what was measured. */
export const targetReport = (cells: Readonly<Record<Context, readonly Cell[]>>): string =>
  table(
    ['client CPU, all operations', 'measured', 'target'],
    targets.map(([context, variant, base, target]) => [
      `${variant} ÷ ${base}`,
      spread(pooled(cells[context], variant, base, 'cpu')),
      `≤ ${target.toFixed(2)}`,
    ]),
  )

/** What an AsyncLocalStorage alone costs a plain DataSource. */
export const storageReport = (cells: Readonly<Record<Context, readonly Cell[]>>): string => {
  const medians = (context: Context): number[] =>
    cells[context].map(
      ({ costs }) => quartilesOf((costs[baseOf[context]] ?? []).map(({ cpu }) => cpu)).median,
    )
  const without = medians('none')
  const factors = medians('storage').map((cpu, index) => cpu / (without[index] ?? Number.NaN))
  return `A plain DataSource inside an AsyncLocalStorage run took ${spread(quartilesOf(factors))} times the client CPU it took without one.`
}

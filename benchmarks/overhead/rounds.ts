import { shuffled } from '../support/statistics.js'
import { type Operation, type OperationName, concurrencies, operations } from './operations.js'
import { type Context, type Variant, baseOf } from './variants.js'

/** How much is measured. */
export interface Plan {
  /** Processes of each context, whose figures are pooled. */
  readonly processes: number
  readonly rounds: number
  readonly sliceMs: number
  readonly warmUpCalls: number
}

/** What one call cost in one slice, in microseconds. */
export interface Cost {
  readonly cpu: number
  readonly wall: number
}

/** One operation at one concurrency: the costs of each variant, round by round. */
export interface Cell {
  readonly operation: OperationName
  readonly concurrency: number
  readonly costs: Readonly<Record<string, readonly Cost[]>>
}

const slice = async (
  variant: Variant,
  operation: Operation,
  concurrency: number,
  calls: number,
): Promise<Cost> => {
  let turn = 0
  const caller = async (): Promise<void> => {
    while (turn < calls) await variant.call(operation, turn++)
  }
  const before = process.cpuUsage()
  const started = performance.now()
  await Promise.all(Array.from({ length: concurrency }, caller))
  const wallMs = performance.now() - started
  const { user, system } = process.cpuUsage(before)
  return { cpu: (user + system) / calls, wall: (wallMs * 1000) / calls }
}

/** Collects no garbage between slices: a forced collection throws optimised code away. */
const measureCell = async (
  variants: readonly Variant[],
  base: Variant,
  name: OperationName,
  concurrency: number,
  { rounds, sliceMs }: Plan,
): Promise<Cell> => {
  const operation = operations[name]
  const { wall } = await slice(base, operation, concurrency, 200)
  const calls = Math.max(concurrency, Math.round((sliceMs * 1000) / wall))
  const costs = Object.fromEntries(variants.map((variant) => [variant.name, [] as Cost[]]))
  for (let round = 0; round < rounds; round += 1)
    for (const variant of shuffled(variants))
      costs[variant.name]?.push(await slice(variant, operation, concurrency, calls))
  return { operation: name, concurrency, costs }
}

/** Measures every operation at every concurrency: each round runs all variants, in random order. */
export const measure = async (
  context: Context,
  variants: readonly Variant[],
  plan: Plan,
): Promise<readonly Cell[]> => {
  const base = variants.find(({ name }) => name === baseOf[context])
  if (base === undefined) throw new TypeError(`No variant ${baseOf[context]}`)
  const names = Object.keys(operations) as OperationName[]
  for (const name of names)
    for (const variant of variants) await slice(variant, operations[name], 16, plan.warmUpCalls)
  const cells: Cell[] = []
  for (const name of names)
    for (const concurrency of concurrencies)
      cells.push(await measureCell(variants, base, name, concurrency, plan))
  return cells
}

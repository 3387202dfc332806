import type { Route } from './route.js'

/** How many seconds the small charts show. */
export const chartSeconds = 60

/** Statements of each shard, by second. */
export type Rates = ReadonlyMap<string, ReadonlyMap<number, Readonly<Bar>>>

/** One second of a shard: where its statements went. */
export interface Bar {
  readonly primary: number
  readonly replica: number
}

const nobody: Bar = { primary: 0, replica: 0 }
export const noRates: Rates = new Map()

/** Adds what came in, and forgets seconds that no chart shows any more. */
export const countedRates = (rates: Rates, routes: readonly Route[]): Rates => {
  const after = new Map([...rates].map(([shard, bars]) => [shard, new Map(bars)]))
  const oldest = secondOf(Date.now()) - chartSeconds
  for (const { shard, role, at, kind, cached } of routes) {
    if (kind === 'internal' || cached) continue
    const second = secondOf(at)
    const bars = after.get(shard) ?? new Map<number, Bar>()
    const bar = bars.get(second) ?? nobody
    bars.set(second, { ...bar, [role]: bar[role] + 1 })
    after.set(shard, bars)
  }
  for (const bars of after.values())
    for (const second of bars.keys()) if (second < oldest) bars.delete(second)
  return after
}

export const secondOf = (at: number): number => Math.floor(at / 1000)

/** The last minute of a shard, oldest second first. The present second is not over, and not shown. */
export const lastMinute = (rates: Rates, shard: string, now: number): readonly Bar[] => {
  const bars = rates.get(shard)
  const from = secondOf(now) - chartSeconds
  return Array.from({ length: chartSeconds }, (_, at) => bars?.get(from + at) ?? nobody)
}

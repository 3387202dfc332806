import type { MigrationEvent } from '../../index.js'
import type { Output } from '../frame.js'
import { eventData } from './data.js'

type Groups = ReadonlyMap<string, readonly string[]>

/** What is to be done on each shard: how many migrations. */
export type Workload = ReadonlyMap<string, number>

/** The name of the bar that a shard is in: the first group that has it. */
const barOf = (shard: string, groups: Groups): string =>
  [...groups].find(([, members]) => members.includes(shard))?.[0] ?? 'other shards'

/** A bar for each shard group, on a terminal. */
const barsFor = (output: Output, workload: Workload, groups: Groups) => {
  const totals = new Map<string, number>()
  for (const [shard, count] of workload) {
    const bar = barOf(shard, groups)
    totals.set(bar, (totals.get(bar) ?? 0) + count)
  }
  const widest = Math.max(0, ...[...totals.keys()].map(({ length }) => length))
  return new Map(
    [...totals].map(([bar, total]) => [bar, output.progress(total, bar.padEnd(widest))]),
  )
}

/** What people are told at once, beside the bars. */
const notice = (event: MigrationEvent): string | undefined => {
  if (event.type === 'lock-waiting')
    return `${event.shard}: waiting for another runner${event.holder === undefined ? '' : `: ${event.holder}`}`
  if (event.type === 'warning') return `${event.shard}: ${event.message}`
  return event.type === 'migration-failed'
    ? `${event.shard}: ${event.migration} failed: ${event.error.message}`
    : undefined
}

/** Shows a run while it goes on: one JSON line for each event, or bars and what is to be known at once. */
export const followRun = (
  output: Output,
  workload: Workload,
  groups: Groups,
): { readonly onEvent: (event: MigrationEvent) => void; readonly stop: () => void } => {
  const bars = barsFor(output, workload, groups)
  return {
    onEvent(event) {
      output.event(eventData(event), () => {
        const said = notice(event)
        if (said !== undefined) output.warn(said)
      })
      if (event.type === 'migration-finished') bars.get(barOf(event.shard, groups))?.step()
    },
    stop() {
      for (const bar of bars.values()) bar.stop()
    },
  }
}

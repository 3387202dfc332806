import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../support/child.js'
import { circumstances, table } from '../support/markdown.js'
import { quartilesOf } from '../support/statistics.js'
import type { TopologyCost } from './child.js'

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } })

const measuring = fileURLToPath(new URL('child.js', import.meta.url))
const shardCounts = [0, 10, 100, 1000]
const processes = 5

const costs: Record<number, TopologyCost[]> = {}
for (let turn = 0; turn < processes; turn += 1)
  for (const count of shardCounts)
    (costs[count] ??= []).push(
      await messageOf<TopologyCost>(measuring, [String(count)], ['--expose-gc']),
    )

const rowOf = (count: number): string[] => {
  const ms = quartilesOf((costs[count] ?? []).map((cost) => cost.ms))
  const heap = quartilesOf((costs[count] ?? []).map(({ heapBytes }) => heapBytes / 2 ** 20))
  return [
    `${count}`,
    `${ms.median.toFixed(0)} (${ms.low.toFixed(0)}–${ms.high.toFixed(0)})`,
    `${heap.median.toFixed(1)} (${heap.low.toFixed(1)}–${heap.high.toFixed(1)})`,
  ]
}

if (options.json) console.log(JSON.stringify(costs))
else
  console.log(
    [
      '## A large topology',
      circumstances(),
      'Wrapping a DataSource with 50 entities, `initialize()`, and a repository of every shard. Each shard has a primary and two replicas; nothing but the default primary is connected.',
      table(['shards', 'ms', 'heap, MiB'], shardCounts.map(rowOf)),
    ].join('\n\n'),
  )

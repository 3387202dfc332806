import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../support/child.js'
import { circumstances, table } from '../support/markdown.js'
import { quartilesOf } from '../support/statistics.js'
import type { MigrationCost } from './child.js'

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } })

const measuring = fileURLToPath(new URL('child.js', import.meta.url))
const shardCounts = [50, 100, 200]
const migrationCount = 30
const processes = 5

const costs: Record<number, MigrationCost[]> = {}
for (let turn = 0; turn < processes; turn += 1)
  for (const count of shardCounts)
    (costs[count] ??= []).push(
      await messageOf<MigrationCost>(
        measuring,
        [String(count), String(migrationCount)],
        ['--expose-gc'],
      ),
    )

const rowOf = (count: number): string[] => {
  const of = (pick: (cost: MigrationCost) => number, digits = 0): string => {
    const { median, low, high } = quartilesOf((costs[count] ?? []).map(pick))
    return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`
  }
  const [first] = costs[count] ?? []
  return [
    `${count}`,
    of(({ planMs }) => planMs),
    of(({ runMs }) => runMs),
    of(({ againMs }) => againMs),
    `${first?.planStatements}`,
    `${first?.runStatements}`,
    of(({ peakBytes }) => peakBytes / 2 ** 20),
  ]
}

const columns = [
  'shards',
  'plan, ms',
  'run, ms',
  'run again, ms',
  'statements of a plan, each shard',
  'statements of the run, each shard',
  'peak memory, MiB',
]

if (options.json) console.log(JSON.stringify(costs))
else
  console.log(
    [
      '## Migrations across shards',
      circumstances(),
      `${migrationCount} migrations, each with one CREATE TABLE, over embedded shards (sql.js), 8 at a time: the plan, the run, and a run with nothing to do. Memory is what the process (RSS) came to above what it had with its empty databases, so that it contains the tables.`,
      table(columns, shardCounts.map(rowOf)),
    ].join('\n\n'),
  )

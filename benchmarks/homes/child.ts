import 'reflect-metadata'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { octopus } from '../../lib/index.js'
import { nullDriver } from '../overhead/null-driver.js'
import { answer } from '../support/child.js'
import { shuffled } from '../support/statistics.js'
import { Reading, entities } from './entities.js'
import { type FindName, fill, finds, rowsInMemory } from './finds.js'

/** Where the rows come from: a driver that has them ready shows the entities best. */
export type HomesDriver = 'memory' | 'sql.js'

/** What one measuring process is told. */
export interface Task {
  readonly driver: HomesDriver
  readonly find: FindName
}

/** What finds of 1,000 rows cost. */
export interface FindCost {
  /** Milliseconds of each find. */
  readonly ms: readonly number[]
  /** Bytes that one find allocates and leaves to the collector. */
  readonly bytes: number
}

const rounds = 150
const warmUp = 50

const task = JSON.parse(process.argv[2] ?? '{}') as Task

const sourceOf = (): DataSource =>
  new DataSource(
    (task.driver === 'sql.js'
      ? { type: 'sqljs', entities, synchronize: true }
      : {
          type: 'mysql',
          host: 'master',
          database: 'app',
          entities,
          driver: nullDriver(rowsInMemory),
        }) as DataSourceOptions,
  )
const filled = (source: DataSource): Promise<DataSource> | DataSource =>
  task.driver === 'sql.js' ? fill(source) : source

const plain = async (): Promise<DataSource> => filled(await sourceOf().initialize())
const handle = async (): Promise<DataSource> => {
  const brazil = task.driver === 'sql.js' ? { synchronize: true } : { host: 'brazil' }
  const db = octopus(sourceOf(), { shards: { brazil } })
  await db.initialize()
  const source = await filled(db.shard('brazil'))
  const one = await source.manager.findOneByOrFail(Reading, {})
  if (db.octopus.shardOf(one) !== 'brazil') throw new Error('No home was recorded.')
  return source
}

const variants: Readonly<Record<string, DataSource>> = {
  plain: await plain(),
  'plain again': await plain(),
  handle: await handle(),
}
const find = finds[task.find]

const costs: Record<string, { ms: number[]; bytes: number }> = {}
for (const name of Object.keys(variants)) costs[name] = { ms: [], bytes: 0 }
for (let round = -warmUp; round < rounds; round += 1)
  for (const [name, source] of shuffled(Object.entries(variants))) {
    const started = performance.now()
    await find(source)
    const took = performance.now() - started
    if (round >= 0) costs[name]?.ms.push(took)
  }

setFlagsFromString('--expose-gc')
// Nothing is collected while one find is measured. Last: a forced collection throws optimised code away.
const collect = runInNewContext('gc') as () => void
for (const [name, source] of Object.entries(variants)) {
  const each: number[] = []
  for (let turn = 0; turn < 15; turn += 1) {
    collect()
    const before = process.memoryUsage().heapUsed
    await find(source)
    each.push(process.memoryUsage().heapUsed - before)
  }
  const cost = costs[name]
  if (cost !== undefined) cost.bytes = each.toSorted((a, b) => a - b)[7] ?? Number.NaN
}
answer(costs satisfies Record<string, FindCost>)

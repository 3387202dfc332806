import 'reflect-metadata'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { type ConnectionProxy, octopus } from '../../lib/index.js'
import { Item } from '../overhead/item.js'
import { nullDriver } from '../overhead/null-driver.js'
import { operations } from '../overhead/operations.js'
import { nullServers } from '../overhead/servers.js'
import { variantsWithSdk, variantsWithoutSdk } from '../observers/telemetry.js'
import { answer } from '../support/child.js'
import { shuffled } from '../support/statistics.js'

/** What one measuring process is told. */
export interface Task {
  readonly hasSdk: boolean
}

/** By observer: what one find cost in each round, in microseconds of CPU. */
export type Costs = Readonly<Record<string, readonly number[]>>

const rounds = 15
const calls = 1500
const concurrency = 16
const find = operations['find by id']

const open = async (): Promise<ConnectionProxy> => {
  const { primary, replicas } = nullServers
  const options = { type: 'mysql', ...primary, entities: [Item], driver: nullDriver() }
  return octopus(new DataSource(options as DataSourceOptions), {
    replicas: [...replicas],
  }).initialize()
}

const slice = async (db: ConnectionProxy): Promise<number> => {
  const items = db.getRepository(Item)
  let turn = 0
  const caller = async (): Promise<void> => {
    while (turn < calls) await find(items, turn++)
  }
  const before = process.cpuUsage()
  await Promise.all(Array.from({ length: concurrency }, caller))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

const { hasSdk } = JSON.parse(process.argv[2] ?? '{}') as Task
const variants = hasSdk ? variantsWithSdk() : variantsWithoutSdk()
const db = await open()
const costs = Object.fromEntries(variants.map(({ name }) => [name, [] as number[]]))
// The first two rounds warm up.
for (let round = -2; round < rounds; round += 1)
  for (const { name, start } of shuffled(variants)) {
    const stop = start(db)
    const cost = await slice(db)
    stop()
    if (round >= 0) costs[name]?.push(cost)
  }
answer(costs satisfies Costs)

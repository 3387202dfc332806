import { runInNewContext } from 'node:vm'
import { setFlagsFromString } from 'node:v8'
import { Column, DataSource, Entity, PrimaryGeneratedColumn, type Repository } from 'typeorm'
import { octopus } from '../../lib/index.js'
import { answer } from '../support/child.js'
import { shuffled } from '../support/statistics.js'

@Entity()
class Item {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) name!: string
  @Column({ type: Number }) price!: number
  @Column({ type: String }) colour!: string
}

/** What finds of 1,000 rows cost. */
export interface FindCost {
  /** Milliseconds of each find. */
  readonly ms: readonly number[]
  /** Bytes that one find allocates and leaves to the collector. */
  readonly bytes: number
}

const rows = 1000
const rounds = 150
const warmUp = 30

const filled = async (source: DataSource): Promise<Repository<Item>> => {
  const items = source.getRepository(Item)
  const values = (index: number) => ({ name: `item ${index}`, price: index, colour: 'red' })
  await items.insert(Array.from({ length: rows }, (_, index) => values(index)))
  return items
}
const plain = async (): Promise<Repository<Item>> => {
  const source = new DataSource({ type: 'sqljs', entities: [Item], synchronize: true })
  return filled(await source.initialize())
}
const handle = async (): Promise<Repository<Item>> => {
  const source = new DataSource({ type: 'sqljs', entities: [Item] })
  const db = octopus(source, { shards: { brazil: { synchronize: true } } })
  await db.initialize()
  return filled(db.shard('brazil'))
}

const variants: Readonly<Record<string, Repository<Item>>> = {
  plain: await plain(),
  'plain again': await plain(),
  handle: await handle(),
}

const costs: Record<string, { ms: number[]; bytes: number }> = {}
for (const name of Object.keys(variants)) costs[name] = { ms: [], bytes: 0 }
for (let round = -warmUp; round < rounds; round += 1)
  for (const [name, items] of shuffled(Object.entries(variants))) {
    const started = performance.now()
    await items.find()
    const took = performance.now() - started
    if (round >= 0) costs[name]?.ms.push(took)
  }

setFlagsFromString('--expose-gc')
// Nothing is collected while a few finds are measured.
const collect = runInNewContext('gc') as () => void
for (const [name, items] of Object.entries(variants)) {
  const each: number[] = []
  for (let turn = 0; turn < 5; turn += 1) {
    collect()
    const before = process.memoryUsage().heapUsed
    await items.find()
    each.push(process.memoryUsage().heapUsed - before)
  }
  const cost = costs[name]
  if (cost !== undefined) cost.bytes = each.toSorted((a, b) => a - b)[2] ?? Number.NaN
}
answer(costs satisfies Record<string, FindCost>)

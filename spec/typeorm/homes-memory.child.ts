import { runInNewContext } from 'node:vm'
import { setFlagsFromString } from 'node:v8'
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
import { octopus } from '../../lib/index.js'

@Entity()
class Item {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) name!: string
}

const rows = 1000
const db = octopus(new DataSource({ type: 'sqljs', entities: [Item] }), { shards: { brazil: {} } })
await db.initialize()
await db.usingAll(() => db.synchronize())
await db.using('brazil', () =>
  db.manager.insert(
    Item,
    Array.from({ length: rows }, (_, index) => ({ name: `item ${index}` })),
  ),
)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Loads so many entities, drops them, and tells the bytes in use when that is forgotten. */
const bytesAfter = async (entities: number): Promise<number> => {
  let homeless = 0
  for (let loaded = 0; loaded < entities; loaded += rows) {
    const found = await db.using('brazil', () => db.manager.find(Item))
    if (found.some((item) => db.octopus.shardOf(item) !== 'brazil')) homeless += 1
  }
  if (homeless > 0) throw new Error(`${homeless} lists had entities without their home.`)
  collect()
  return process.memoryUsage().heapUsed
}

const before = await bytesAfter(200_000)
const after = await bytesAfter(1_000_000)
console.log(String(after - before))
await db.destroy()

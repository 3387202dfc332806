import 'reflect-metadata'
import { DataSource, EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'
import { octopus } from '../../lib/index.js'
import { nullDriver } from '../overhead/null-driver.js'
import { answer } from '../support/child.js'

/** What a topology costs while nothing but its default primary is connected. */
export interface TopologyCost {
  readonly ms: number
  readonly heapBytes: number
}

const shardCount = Number(process.argv[2])
const entityCount = 50

const varchar: EntitySchemaColumnOptions = { type: 'varchar' }
const columns = Object.fromEntries(
  Array.from({ length: 7 }, (_, index) => [`column${index}`, varchar]),
)

const nameOf = (index: number): string => `Entity${index % entityCount}`

/** Eight columns and two relations each. */
const entities = Array.from(
  { length: entityCount },
  (_, index) =>
    new EntitySchema<object>({
      name: nameOf(index),
      columns: { id: { type: 'int', primary: true, generated: true }, ...columns },
      relations: {
        next: { type: 'many-to-one', target: nameOf(index + 1) },
        other: { type: 'many-to-one', target: nameOf(index + 7) },
      },
    }),
)

const server = (host: string) => ({ host })
const shards = Object.fromEntries(
  Array.from({ length: shardCount }, (_, index) => [
    `shard${index}`,
    { ...server(`s${index}p`), replicas: [server(`s${index}r1`), server(`s${index}r2`)] },
  ]),
)

const source = new DataSource({
  type: 'mysql',
  host: 'default',
  database: 'app',
  driver: nullDriver(),
  entities,
})

const { gc } = globalThis
if (gc === undefined) throw new Error('Run this with --expose-gc')
gc()
const heapBefore = process.memoryUsage().heapUsed
const started = performance.now()
const db = octopus(source, { shards })
await db.initialize()
for (const name of db.octopus.shardNames) db.shard(name).getRepository(nameOf(0))
const ms = performance.now() - started
gc()
const heapBytes = process.memoryUsage().heapUsed - heapBefore
const cost: TopologyCost = { ms, heapBytes }
answer(cost)

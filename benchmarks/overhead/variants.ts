import { AsyncLocalStorage } from 'node:async_hooks'
import { DataSource, type DataSourceOptions, type Repository } from 'typeorm'
import { type ContextCarrier, type Frame, octopus } from '../../lib/index.js'
import { Item } from './item.js'
import { nullDriver } from './null-driver.js'
import type { Operation } from './operations.js'
import type { Servers } from './servers.js'

/** One way of making the same calls. */
export interface Variant {
  readonly name: string
  call(operation: Operation, turn: number): Promise<unknown>
}

/** Whether the process uses an AsyncLocalStorage at all: on Node 20 that alone costs. */
export const contexts = ['none', 'storage'] as const
export type Context = (typeof contexts)[number]

/** The variant that the others of its process are compared with. */
export const baseOf = { none: 'plain', storage: 'plain in a run' } as const

const sourceOf = async (options: object, servers: Servers): Promise<DataSource> => {
  const source = new DataSource({
    type: 'mysql',
    ...servers.primary,
    entities: [Item],
    logging: false,
    ...(servers.isNull ? { driver: nullDriver() } : {}),
    ...options,
  } as DataSourceOptions)
  return source
}

const plainItems = async (servers: Servers, options: object = {}): Promise<Repository<Item>> =>
  (await (await sourceOf(options, servers)).initialize()).getRepository(Item)

/** A wrapped data source with a shard without replicas, `one`, and one with two, `two`. */
const wrapped = async (servers: Servers, carrier?: ContextCarrier) => {
  const { primary, replicas } = servers
  const named = (name: string, server: object) => (servers.isNull ? { host: name } : server)
  const db = octopus(await sourceOf({}, servers), {
    allowSharedServer: true,
    ...(carrier === undefined ? {} : { carrier }),
    shards: {
      one: named('one', primary),
      two: { ...named('two', primary), replicas: [...replicas] },
    },
  })
  await db.initialize()
  return db
}

const direct = (name: string, items: Repository<Item>): Variant => ({
  name,
  call: (operation, turn) => operation(items, turn),
})

const withoutStorage = async (servers: Servers): Promise<readonly Variant[]> => {
  const db = await wrapped(servers)
  const { primary, replicas } = servers
  const replication = { master: primary, slaves: replicas }
  return [
    direct('plain', await plainItems(servers)),
    direct('plain again', await plainItems(servers)),
    direct('handle', db.shard('one').getRepository(Item)),
    direct('no scope', db.getRepository(Item)),
    direct('handle, two replicas', db.shard('two').getRepository(Item)),
    direct('TypeORM replication', await plainItems(servers, { replication })),
  ]
}

/** All variants share one storage, the library's own: a second would slow every promise again. */
const withStorage = async (servers: Servers): Promise<readonly Variant[]> => {
  const storage = new AsyncLocalStorage<Frame | object>()
  const carrier: ContextCarrier = {
    name: 'benchmark',
    enter: (frame, work) => storage.run(frame, work),
    current: () => storage.getStore() as Frame | undefined,
  }
  const db = await wrapped(servers, carrier)
  const store = {}
  const inRun = (name: string, items: Repository<Item>): Variant => ({
    name,
    call: (operation, turn) => storage.run(store, () => operation(items, turn)),
  })
  const items = db.getRepository(Item)
  const inScope = (name: string, shard: string): Variant => ({
    name,
    call: (operation, turn) => db.using(shard, () => operation(items, turn)),
  })
  const { primary, replicas } = servers
  const replication = { master: primary, slaves: replicas }
  return [
    inRun('plain in a run', await plainItems(servers)),
    inRun('plain in a run again', await plainItems(servers)),
    inScope('scope', 'one'),
    inRun('handle', db.shard('one').getRepository(Item)),
    inScope('scope, two replicas', 'two'),
    inRun('TypeORM replication', await plainItems(servers, { replication })),
  ]
}

/** The variants of one process. */
export const variantsOf = (context: Context, servers: Servers): Promise<readonly Variant[]> =>
  context === 'none' ? withoutStorage(servers) : withStorage(servers)

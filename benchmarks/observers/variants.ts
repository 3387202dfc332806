import { fork } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DataSource, type DataSourceOptions, type Repository } from 'typeorm'
import {
  type ConnectionProxy,
  type OctopusOptions,
  octopus,
  routeChannelName,
} from '../../lib/index.js'
import { Item } from '../overhead/item.js'
import { nullDriver } from '../overhead/null-driver.js'
import { nullServers } from '../overhead/servers.js'

/** One way of observing, or none. */
export interface ObserverVariant {
  readonly name: string
  readonly items: Repository<Item>
  /** Whether it can only be measured in a process of its own: switching it throws optimised code away. */
  readonly isProcessWide: boolean
  /** Begins to observe; called before each slice, with what ends it. */
  begin(): (() => unknown) | Promise<() => unknown>
  /** Waits for what the observer does later, and is measured too. */
  finish?(): Promise<unknown>
  /** What is put around each call. */
  around(call: () => Promise<unknown>): Promise<unknown>
}

/** A wrapped data source with two replicas, over a driver that answers from memory. */
export const wrapped = async (options: OctopusOptions = {}): Promise<ConnectionProxy> => {
  const source = new DataSource({
    type: 'mysql',
    ...nullServers.primary,
    entities: [Item],
    driver: nullDriver(),
  } as unknown as DataSourceOptions)
  return octopus(source, { replicas: [...nullServers.replicas], ...options }).initialize()
}

let heard = 0
const hear = (): void => {
  heard += 1
}
const nothing = (): void => undefined
const asIs = (call: () => Promise<unknown>): Promise<unknown> => call()

/** Makes the variants of one data source. */
export const variantOf = (db: ConnectionProxy) => {
  const items = db.getRepository(Item)
  return (
    name: string,
    begin: ObserverVariant['begin'],
    change: Partial<ObserverVariant> = {},
  ): ObserverVariant => ({ name, items, isProcessWide: false, begin, around: asIs, ...change })
}

/** How many events were heard in all: a benchmark in which nothing was heard measures nothing. */
export const eventsHeard = (): number => heard

/** Opens a page of an inspector in another process, and returns what closes it. */
const pageOf = async (db: ConnectionProxy): Promise<() => Promise<() => Promise<unknown>>> => {
  const { url } = await db.octopus.inspector()
  const browser = fork(fileURLToPath(new URL('page.child.js', import.meta.url)))
  const ask = (message: string): Promise<unknown> => {
    browser.send(message)
    return once(browser, 'message')
  }
  return async () => {
    await ask(url)
    return async () => {
      await ask('')
      // Until the server has noticed, it listens.
      await sleep(20)
    }
  }
}

/** What is compared; the first is the base. */
export const observerVariants = async (): Promise<readonly ObserverVariant[]> => {
  const db = await wrapped()
  const commented = await wrapped({ sqlComments: true })
  const variant = variantOf(db)
  const openPage = await pageOf(db)
  const observer = { run: <T>(send: () => T): T => send(), settled: hear }
  return [
    variant('nobody', () => nothing),
    variant('nobody again', () => nothing),
    variant('onRoute', () => db.octopus.onRoute(hear)),
    variant('onRoute with SQL and parameters', () =>
      db.octopus.onRoute(hear, { sql: true, parameters: true }),
    ),
    variant('onRoute of another shard', () => db.octopus.onRoute(hear, { shard: 'elsewhere' })),
    variant('onRoute of slow ones', () => db.octopus.onRoute(hear, { slowerThanMs: 1000 })),
    variant('onStatement', () => db.octopus.onStatement(() => observer)),
    variant(
      'diagnostics_channel',
      () => {
        subscribe(routeChannelName, hear)
        return () => void unsubscribe(routeChannelName, hear)
      },
      { isProcessWide: true },
    ),
    variant('scope', () => nothing, { around: (call) => db.octopus.scope(call) }),
    variant('withTrace', () => nothing, {
      around: async (call) => {
        const { events } = await db.octopus.withTrace(call)
        heard += events.length
      },
    }),
    // Pages are sent routes ten times a second.
    variant('inspector, a page open', openPage, { finish: () => sleep(150) }),
    variant('sqlComments', () => nothing, { items: commented.getRepository(Item) }),
  ]
}

import type { QueryRunner } from 'typeorm'
import type { EndpointPool } from '../pool/endpoint-pool.js'
import { routed } from './binding.js'
import { RoutedEntityManager } from './entity-manager.js'
import { Broadcaster, type RunnerQuery, overlayOf } from './internals.js'
import { settling } from './runner-state.js'

/** What each runner has for itself; all else is the connection's, shared by its runners. */
const ownFields = new Set(['manager', 'mode', 'broadcaster', 'data'])

const bridges = new WeakMap<QueryRunner, QueryRunner>()

/**
 * An object over a SQLite driver's one shared runner that writes through to it. An overlay of it can
 * have fields of its own (route, manager, user data) while the state of the transaction stays that
 * of the connection.
 */
const bridgeOf = (shared: QueryRunner): QueryRunner => {
  const known = bridges.get(shared)
  if (known !== undefined) return known
  const bridge = overlayOf(shared)
  for (const key of Object.keys(shared))
    if (!ownFields.has(key))
      Object.defineProperty(bridge, key, {
        configurable: true,
        enumerable: true,
        get: () => Reflect.get(shared, key) as unknown,
        set(value: unknown) {
          Reflect.set(shared, key, value)
        },
      })
  Object.defineProperties(bridge, Object.getOwnPropertyDescriptors(routedMembers(shared)))
  bridges.set(shared, bridge)
  return bridge
}

/** What the bridge answers in the shared runner's place. Its overlays are `this`. */
const routedMembers = (shared: QueryRunner): object => {
  const { query, release, startTransaction } = Object.getPrototypeOf(shared) as {
    query: RunnerQuery
    release: QueryRunner['release']
    startTransaction: QueryRunner['startTransaction']
  }
  return {
    get manager(): QueryRunner['manager'] {
      const overlay = this as unknown as QueryRunner
      // The constructor of a manager sets itself on its runner.
      return managers.get(overlay) ?? RoutedEntityManager.create(overlay.dataSource, overlay)
    },
    set manager(manager: QueryRunner['manager']) {
      managers.set(this as unknown as QueryRunner, manager)
    },

    connect(this: QueryRunner): Promise<unknown> {
      return whenOpen(this, () => shared.connect())
    },

    release(this: QueryRunner): Promise<void> {
      routed(this).isReleased = true
      return release.apply(this)
    },

    startTransaction(
      this: QueryRunner,
      ...args: Parameters<QueryRunner['startTransaction']>
    ): Promise<void> {
      try {
        routed(this).admitTransaction()
      } catch (error) {
        return Promise.reject(error)
      }
      return startTransaction.apply(this, args)
    },

    query(this: QueryRunner, sql: string, parameters?: unknown[], structured?: boolean) {
      const state = routed(this)
      const ambient = state.ambient()
      let admitted: string
      try {
        admitted = state.admit(this, sql, ambient)
      } catch (error) {
        return Promise.reject(error)
      }
      const followed = state.follow(this, sql, parameters, ambient)
      const send = () => whenOpen(this, () => query.call(this, admitted, parameters, structured))
      return settling(followed, followed === undefined ? send() : followed.send(send))
    },
  }
}

const managers = new WeakMap<QueryRunner, QueryRunner['manager']>()

/** Does `work` once the runner's database is open; at once if it is. */
const whenOpen = <T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> => {
  const { endpoint, runtime } = routed(runner)
  if (endpoint === undefined) return work()
  let pool: EndpointPool
  try {
    pool = runtime.pools.poolOf(endpoint)
  } catch (error) {
    return Promise.reject(error as Error) // its shard was removed
  }
  return pool.state === 'open' ? work() : pool.start().then(work)
}

/** A runner of its own over a SQLite driver's shared one. */
export const sqliteRunner = (shared: QueryRunner, mode: 'master' | 'slave'): QueryRunner => {
  const runner = overlayOf(bridgeOf(shared))
  return Object.assign(runner, { mode, data: {}, broadcaster: new Broadcaster(runner) })
}

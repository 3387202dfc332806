import type { DataSource } from 'typeorm'
import type { ResolvedConfig } from '../config/resolved.js'
import { registerScopes, unregisterScopes } from '../scopes/registry.js'
import type { Lifecycle } from './connection-proxy.js'
import { connectionBudget, ownWorkers } from './processes.js'
import type { Runtime } from './runtime.js'

/** What a shard's own options can ask to be done to its schema at the start. */
export const schemaWork = ['dropSchema', 'migrationsRun', 'synchronize'] as const

/** Shards that are connected when the data source starts: the default, the one that the environment
 *  chose, and those that ask for it. */
const connectedAtStart = (runtime: Runtime, config: ResolvedConfig): string[] =>
  config.shards
    .filter(({ name, connect, primary }) => {
      if (name === config.defaultShard) return false
      return (
        connect === 'eager' ||
        name === runtime.policy.ambientShard ||
        schemaWork.some((key) => primary.connection[key] === true)
      )
    })
    .map(({ name }) => name)

/** Runs `work` on the default shard, whatever the scope around it or the environment says. */
const onDefaultShard = <R>({ scopes, policy, store }: Runtime, work: () => R): R => {
  if (scopes.current()?.shard === undefined && policy.ambientShard === undefined) return work()
  const shard = store.current.defaultShard
  return scopes.enter({ label: `using ${shard}`, origin: 'library', shard }, work)
}

/**
 * Connects the default primary, and only that (or a shard chosen by the environment) can fail the
 * start; other shards that are to be connected warn and are tried again at their first use.
 */
const connectAtStart = async (runtime: Runtime): Promise<void> => {
  runtime.isStarted = true
  try {
    await runtime.defaultShard.ready()
    await Promise.all(
      connectedAtStart(runtime, runtime.config).map(async (name) => {
        try {
          await runtime.shard(name).ready()
        } catch (error) {
          if (name === runtime.policy.ambientShard) throw error
          runtime.warn(
            `Shard "${name}" could not be connected at the start, nor its schema prepared: ${String(error)}`,
          )
        }
      }),
    )
  } catch (error) {
    await disconnect(runtime)
    throw error
  }
}

const disconnect = async (runtime: Runtime): Promise<void> => {
  runtime.isStarted = false
  await runtime.pools.closeAll(runtime.drainMs)
}

/** Schema work that a shard's own options ask for, as TypeORM does it for the default shard. */
const prepareSchemas = async (runtime: Runtime): Promise<void> => {
  for (const { isDefault, isReady, view } of runtime.shards) {
    if (isDefault || !isReady) continue
    const { dropSchema, migrationsRun, synchronize, migrationsTransactionMode } = view.options
    if (dropSchema) await view.dropDatabase()
    if (migrationsRun)
      await view.runMigrations(
        migrationsTransactionMode === undefined ? {} : { transaction: migrationsTransactionMode },
      )
    if (synchronize) await view.synchronize()
  }
}

/** Tells, where TypeORM's logger shows it, how many connections the configuration can come to. */
const report = (runtime: Runtime): void => {
  const { lines } = connectionBudget(runtime, ownWorkers())
  const total = lines.at(-1)
  if (lines.length > 2 && total !== undefined) runtime.front.logger.log('info', total)
}

/** The wrapped DataSource's own start and end, with all pools in the place of its one. */
export const lifecycleOf = (runtime: Runtime, proxy: DataSource): Partial<Lifecycle> => {
  const { front } = runtime
  const own = { initialize: front.initialize, destroy: front.destroy, setOptions: front.setOptions }
  const build = (front as unknown as { buildMetadatas: () => Promise<void> }).buildMetadatas
  const leave = (): void => {
    runtime.isStarted = false
    runtime.reset()
    unregisterScopes(runtime.scopes)
  }
  if (runtime.defaultShard.family === 'other')
    return {
      async destroy() {
        await own.destroy.call(proxy)
        leave()
      },
    }
  Object.defineProperties(front.driver, {
    connect: { configurable: true, value: () => connectAtStart(runtime) },
    afterConnect: { configurable: true, value: () => runtime.metadata.finishConnecting() },
    disconnect: { configurable: true, value: () => disconnect(runtime) },
  })
  return {
    async initialize() {
      // TypeORM refuses a second start, which must not end the first.
      if (front.isInitialized) return own.initialize.call(proxy)
      runtime.isStarting = true
      try {
        await onDefaultShard(runtime, () => own.initialize.call(proxy))
        await prepareSchemas(runtime)
      } catch (error) {
        if (front.isInitialized) await proxy.destroy()
        else await disconnect(runtime)
        throw error
      } finally {
        runtime.isStarting = false
      }
      registerScopes(runtime.scopes)
      report(runtime)
      return proxy
    },
    async destroy() {
      try {
        await onDefaultShard(runtime, () => own.destroy.call(proxy))
      } finally {
        unregisterScopes(runtime.scopes)
      }
      leave()
    },
    async buildMetadatas() {
      await build.call(proxy)
      await runtime.metadata.complete(proxy)
    },
    setOptions(options) {
      onDefaultShard(runtime, () => own.setOptions.call(proxy, options))
      runtime.shareOptions(options)
      return proxy
    },
  }
}

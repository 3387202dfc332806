import { type DataSource, InstanceChecker } from 'typeorm'
import type { OctopusOptions } from '../config/options.js'
import { resolveConfig } from '../config/resolve.js'
import type { ResolvedConfig } from '../config/resolved.js'
import { type ContextCarrier, useCarrier } from '../context/carrier.js'
import { AlreadyWrappedError, ConfigError, UnknownShardError } from '../errors.js'
import { registerScopes, unregisterScopes } from '../scopes/registry.js'
import { bindingOf } from './binding.js'
import { type ConnectionProxy, type Lifecycle, createProxy, membersOf } from './connection-proxy.js'
import { OctopusControl } from './control.js'
import { RoutedEntityManager } from './entity-manager.js'
import { RelationIdLoader, assign } from './internals.js'
import { Runtime } from './runtime.js'
import { setDriverDataSource } from './drivers.js'

/** Name of the environment variable that chooses the shard of a process outside every scope, for
 *  TypeORM's command line and for scripts. */
export const shardVariable = 'OCTOPUS_SHARD'

/** The default's options as its shards inherit them: under TypeORM's own `replication`, its master's. */
const inheritableOptions = ({ options }: DataSource): Record<string, unknown> => {
  const { replication } = options as { replication?: { master: object } }
  return { ...options, ...replication?.master }
}

/**
 * Wraps a DataSource, initialised or not, in a ConnectionProxy: a DataSource in every respect that
 * sends each query to the current shard's primary or to one of its replicas.
 *
 * @param dataSource - the default shard; use the returned proxy in its place from then on
 * @param options - shards, replicas and settings, or the path of a YAML file with them
 * @throws ConfigError naming every problem of the options
 * @throws AlreadyWrappedError if it is wrapped already
 * @throws CarrierConflictError if the process carries its scopes otherwise
 * @throws UnknownShardError if `OCTOPUS_SHARD` names no shard
 */
export const octopus = <T extends DataSource>(
  dataSource: T,
  options: OctopusOptions | string = {},
): ConnectionProxy<T> => {
  if (!InstanceChecker.isDataSource(dataSource))
    throw new ConfigError([
      { path: '', message: 'octopus() takes a TypeORM DataSource as its first argument' },
    ])
  if (bindingOf(dataSource) !== undefined) throw new AlreadyWrappedError('The DataSource')
  const config = resolveConfig(options, inheritableOptions(dataSource))
  const runtime = new Runtime(dataSource, config, shardFromEnvironment(config))
  checkWrappedInTime(runtime)
  checkDrivers(runtime)
  // Whatever refuses has done so: from here on the DataSource and the process are changed.
  if (config.carrier !== undefined) useCarrier(config.carrier as ContextCarrier)
  const control = new OctopusControl(runtime)
  const members = membersOf(runtime, control)
  const proxy = createProxy(runtime, members, (self) => lifecycleOf(runtime, self))
  takeOver(runtime, proxy)
  if (!config.enabled)
    process.emitWarning('octopus is disabled: every query goes to the wrapped DataSource.', {
      type: 'OctopusWarning',
    })
  registerScopes(runtime.scopes)
  // The proxy answers OctopusMembers beside everything of T.
  return proxy as ConnectionProxy<T>
}

/** The shard that the environment chose, if it did. */
const shardFromEnvironment = ({ shards }: ResolvedConfig): string | undefined => {
  const chosen = process.env[shardVariable] || undefined
  const known = shards.map(({ name }) => name)
  if (chosen === undefined || known.includes(chosen)) return chosen
  const hint = ` The environment variable ${shardVariable} names it; correct or unset it.`
  throw new UnknownShardError(chosen, known, hint)
}

/** What a shard's own options can ask to be done to its schema at the start. */
const schemaWork = ['dropSchema', 'migrationsRun', 'synchronize'] as const

/** What only `initialize()` does cannot be asked for once the DataSource is initialised. */
const checkWrappedInTime = ({ front, groups, config }: Runtime): void => {
  if (!front.isInitialized) return
  const remedy = 'wrap the DataSource before it is initialized'
  const others = groups.others.map(({ options }) => String(options['type']))
  const problems =
    others.length === 0
      ? []
      : [
          {
            path: 'shards',
            message: `shards of another engine or schema (${others.join(', ')}) have entity metadata of their own, which initialize() builds; ${remedy}`,
          },
        ]
  for (const { name, primary } of config.shards.slice(1))
    for (const key of schemaWork)
      if (primary.connection[key] === true)
        problems.push({
          path: `shards.${name}.${key}`,
          message: `is done by initialize(), which has been; ${remedy}, or do it with using("${name}", …)`,
        })
  if (problems.length > 0) throw new ConfigError(problems)
}

/** Replaces what the DataSource's constructor made with itself inside. */
const takeOver = (runtime: Runtime, proxy: DataSource): void => {
  const { front, defaultShard } = runtime
  const { driver } = front
  if (defaultShard.family === 'other') return
  setDriverDataSource(driver, defaultShard.view)
  defaultShard.adoptDriver(driver)
  runtime.metadata.installRelationLoader()
  assign(front, {
    manager: RoutedEntityManager.create(proxy),
    relationIdLoader: new RelationIdLoader(proxy),
  })
  if (!front.isInitialized) return
  runtime.isStarted = true
  runtime.metadata.adoptBuilt(proxy)
  runtime.pools.poolOf(defaultShard.topology.primary).adopt()
  defaultShard.canBuildReads = true
}

/** Makes one driver of each kind now, so that a missing driver package shows here. */
const checkDrivers = (runtime: Runtime): void => {
  const seen = new Set([runtime.defaultShard.engine])
  for (const shard of runtime.shards)
    if (!seen.has(shard.engine)) {
      seen.add(shard.engine)
      void shard.driver
    }
}

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
  await runtime.pools.closeAll()
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

/** The wrapped DataSource's own start and end, with all pools in the place of its one. */
const lifecycleOf = (runtime: Runtime, proxy: DataSource): Partial<Lifecycle> => {
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
    disconnect: { configurable: true, value: () => runtime.pools.closeAll() },
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

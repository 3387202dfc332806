import { type DataSource, InstanceChecker } from 'typeorm'
import type { OctopusOptions } from '../config/options.js'
import { resolveOptions } from '../config/resolve.js'
import type { ResolvedConfig } from '../config/resolved.js'
import { type ContextCarrier, useCarrier } from '../context/carrier.js'
import { AlreadyWrappedError, ConfigError, UnknownShardError } from '../errors.js'
import { registerScopes } from '../scopes/registry.js'
import { bindingOf } from './binding.js'
import { checkCaches } from './cache-settings.js'
import { type ConnectionProxy, createProxy, membersOf } from './connection-proxy.js'
import { OctopusControl } from './control.js'
import { setDriverDataSource } from './drivers.js'
import { RoutedEntityManager } from './entity-manager.js'
import { RelationIdLoader, assign } from './internals.js'
import { lateEngines, lateSchemaWork } from './initialize-only.js'
import { lifecycleOf } from './lifecycle.js'
import { Runtime } from './runtime.js'
import { TopologyChanges } from './topology-changes.js'

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
  const defaults = inheritableOptions(dataSource)
  const { config, options: given } = resolveOptions(options, defaults)
  const runtime = new Runtime(dataSource, config, shardFromEnvironment(config))
  checkWrappedInTime(runtime)
  checkCaches(runtime)
  checkDrivers(runtime)
  // Whatever refuses has done so: from here on the DataSource and the process are changed.
  if (config.carrier !== undefined) useCarrier(config.carrier as ContextCarrier)
  const control = new OctopusControl(runtime, new TopologyChanges(runtime, given, defaults))
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

/** What only `initialize()` does cannot be asked for once the DataSource is initialised. */
const checkWrappedInTime = ({ front, groups, config }: Runtime): void => {
  if (!front.isInitialized) return
  const earlier = 'wrap the DataSource before it is initialized'
  const problems = [
    ...lateEngines(
      groups.others.map(({ options }) => String(options['type'])),
      earlier,
    ),
    ...lateSchemaWork(config.shards.slice(1), earlier),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
}

/** Replaces what the DataSource's constructor made with itself inside. */
const takeOver = (runtime: Runtime, proxy: DataSource): void => {
  const { front, defaultShard } = runtime
  const { driver } = front
  if (defaultShard.family === 'other') return
  setDriverDataSource(driver, defaultShard.view)
  defaultShard.drivers.adopt(driver)
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

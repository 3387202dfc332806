import type { DataSource, EntityMetadata, EntityTarget, ObjectLiteral, QueryRunner } from 'typeorm'
import type { Frame } from '../context/frame.js'
import { EngineMismatchError } from '../errors.js'
import type { ShardReason } from '../trace/event.js'
import type { Homed } from './homes.js'
import type { RunnerState } from './runner-state.js'
import type { Runtime } from './runtime.js'
import type { Shard } from './shard.js'

/** Which shard the users of one data source object (the proxy, a view, an overlay) work on. */
export interface Binding {
  readonly runtime: Runtime
  /** The bound shard; of a floating binding, the shard it stands at now. */
  readonly shard: Shard
  readonly by: ShardReason
  /** The scope in which the binding was made, which it keeps; otherwise the one around each call. */
  readonly frame: Frame | undefined
  /** Whether each request goes where it is made, anew. */
  readonly isFloating: boolean
  /** The entity whose home the binding follows, for messages. */
  readonly because?: Homed | undefined
}

const bindingKey = Symbol('typeorm-octopus.binding')
const stateKey = Symbol('typeorm-octopus.runner')

/** A data source object that carries a binding. */
interface Bound {
  [bindingKey]?: Binding
}

/** Gives a data source object its binding. */
export const bind = <T extends DataSource>(dataSource: T, binding: Binding): T => {
  // An overlay is made for one call, and defining a property is ten times as dear as setting it.
  if (bindingKey in dataSource) (dataSource as Bound)[bindingKey] = binding
  else Object.defineProperty(dataSource, bindingKey, { value: binding, writable: true })
  return dataSource
}

/** The binding of a data source object of ours; undefined for a plain DataSource. */
export const bindingOf = (dataSource: object): Binding | undefined =>
  (dataSource as Bound)[bindingKey]

/** The binding of a data source object that is known to be ours. */
export const boundTo = (dataSource: object): Binding => {
  const binding = bindingOf(dataSource)
  if (binding === undefined) throw new TypeError('Not a data source of typeorm-octopus')
  return binding
}

/** Where a request made now through a data source object goes. */
export interface Target {
  readonly runtime: Runtime
  readonly shard: Shard
  readonly by: ShardReason
  /** The scope that the role is decided in. */
  readonly frame: Frame | undefined
}

/**
 * Where a request made now through a data source object of ours goes.
 *
 * @param metadata - of the entity that the request is about, if it is about one
 */
export const targetOf = (dataSource: object, metadata?: EntityMetadata): Target => {
  const binding = boundTo(dataSource)
  return binding.runtime.target(binding, metadata)
}

interface Routed {
  [stateKey]?: RunnerState
}

/** Gives a query runner its routing state. */
export const setState = (runner: QueryRunner, state: RunnerState): void => {
  ;(runner as Routed)[stateKey] = state
}

/** The routing state of a query runner; undefined for one that the library did not make. */
export const stateOf = (runner: QueryRunner | undefined): RunnerState | undefined =>
  (runner as Routed | undefined)?.[stateKey]

/** The routing state of a runner that is known to be ours. */
export const routed = (runner: QueryRunner): RunnerState => {
  const state = stateOf(runner)
  if (state === undefined) throw new TypeError('Not a query runner of typeorm-octopus')
  return state
}

/**
 * Checks that a query built for one shard can run on another: both of one engine group.
 *
 * @throws EngineMismatchError if their SQL or metadata differ
 */
export const checkSameEngine = (builtFor: Shard, runOn: Shard): void => {
  if (builtFor.group !== runOn.group)
    throw new EngineMismatchError(describe(builtFor), describe(runOn))
}

const describe = (shard: Shard): string => `${shard.engine} (shard "${shard.name}")`

/** The name of an entity for traces and messages. */
export const entityName = (target: EntityTarget<ObjectLiteral> | undefined): string | undefined => {
  if (target === undefined || typeof target === 'string') return target
  if (typeof target === 'function') return target.name
  return 'options' in target ? target.options.name : target.name
}

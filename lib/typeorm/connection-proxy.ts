import type { DataSource } from 'typeorm'
import { InvalidScopeError } from '../errors.js'
import type { FanOutOptions, ShardSettled, ShardValue } from '../scopes/fan-out.js'
import { type ReplicaScope, shardNamed } from '../scopes/scopes.js'
import { bind } from './binding.js'
import type { OctopusControl } from './control.js'
import { adopted, replaceable } from './replacements.js'
import type { Runtime } from './runtime.js'
import { routedMethods } from './view.js'

/** What a wrapped data source offers beside everything of the DataSource. */
export interface OctopusMembers {
  /**
   * Runs `work` with every query in it, at any depth, on one shard.
   *
   * @param shard - a shard's name
   * @returns what `work` returns
   * @throws UnknownShardError at once, if there is no such shard
   * @throws UnknownReplicaGroupError if the scope's replica group does not exist on that shard
   */
  using<R>(shard: string, work: () => R): R
  /**
   * Runs `work` once on each shard of a group, several at a time.
   *
   * @returns the value of each shard, in the order of the group's declaration
   * @throws FanOutError after all have settled, if any failed and `onError` is not `collect`
   * @throws UnknownGroupError if there is no such group
   */
  usingGroup<R>(
    group: string,
    work: (shard: string) => R | Promise<R>,
    options: FanOutOptions & { readonly onError: 'collect' },
  ): Promise<ShardSettled<R>[]>
  usingGroup<R>(
    group: string,
    work: (shard: string) => R | Promise<R>,
    options?: FanOutOptions,
  ): Promise<ShardValue<R>[]>
  /** As `usingGroup`, on every shard. */
  usingAll<R>(
    work: (shard: string) => R | Promise<R>,
    options: FanOutOptions & { readonly onError: 'collect' },
  ): Promise<ShardSettled<R>[]>
  usingAll<R>(
    work: (shard: string) => R | Promise<R>,
    options?: FanOutOptions,
  ): Promise<ShardValue<R>[]>
  /** Runs `work` with its reads on the primary. */
  usingPrimary<R>(work: () => R): R
  /**
   * Runs `work` on replicas only: what would write throws before it is sent.
   *
   * @throws UnknownReplicaGroupError if the current shard has no such replica group
   * @throws NoReplicaError if the shard has no replica and `onNoReplica` is `error`
   */
  usingReplica<R>(work: () => R): R
  usingReplica<R>(options: ReplicaScope, work: () => R): R
  /**
   * A DataSource bound to one shard, whatever the scope. The same object for the same name.
   *
   * @throws UnknownShardError if there is no such shard
   * @throws InvalidScopeError if it is also given a function, which belongs to `using`
   */
  shard(name: string): DataSource
  /** Trace, explain, pools and the rest of the control surface. */
  readonly octopus: OctopusControl
}

/** A DataSource that sends each query to the current shard's primary or to one of its replicas. */
export type ConnectionProxy<T extends DataSource = DataSource> = T & OctopusMembers

/** The scope functions of a data source. */
export const membersOf = (runtime: Runtime, control: OctopusControl): OctopusMembers => {
  const { scopes } = runtime
  return {
    using: (shard, work) => scopes.using(shard, work),
    usingGroup: (group: string, work: (shard: string) => never, options?: FanOutOptions) =>
      scopes.usingGroup(group, work, options) as Promise<never>,
    usingAll: (work: (shard: string) => never, options?: FanOutOptions) =>
      scopes.usingAll(work, options) as Promise<never>,
    usingPrimary: (work) => scopes.usingPrimary(work),
    usingReplica: <R>(first: ReplicaScope | (() => R), work?: () => R): R =>
      typeof first === 'function'
        ? scopes.usingReplica({}, first)
        : scopes.usingReplica(first, work as () => R),
    shard: (name, work?: unknown) => {
      if (typeof work === 'function')
        throw new InvalidScopeError(
          'shard(name) returns a handle and runs nothing; for a function use using(shard, work).',
        )
      const shard = runtime.shard(shardNamed(runtime.store.current, name).name)
      return shard.family === 'other' ? runtime.front : shard.view
    },
    octopus: control,
  }
}

/** What the proxy does at the start and the end of its life. */
export interface Lifecycle {
  initialize(): Promise<DataSource>
  destroy(): Promise<void>
  buildMetadatas(): Promise<void>
  setOptions(options: object): DataSource
}

/**
 * The JS Proxy in front of a DataSource. Few names are answered here, those that depend on the
 * current shard; all others are the DataSource's own, with the proxy as `this`, so that TypeORM's
 * methods come back through it. A name that nobody defines stays undefined: a proxy that answered
 * `then` would hang whoever awaits it.
 */
export const createProxy = (
  runtime: Runtime,
  members: OctopusMembers,
  lifecycle: (proxy: DataSource) => Partial<Lifecycle>,
): DataSource => {
  const { front } = runtime
  const binding = {
    runtime,
    shard: runtime.defaultShard,
    by: 'default',
    frame: undefined,
    isFloating: true,
  } as const
  // Not through the proxy: what it needs of itself it knows.
  const currentView = (): DataSource => runtime.target(binding).shard.view
  // Engines that the library does not know pass through; only the scope functions are added.
  const isRouted = runtime.defaultShard.family !== 'other'
  const fields = new Map<string | symbol, () => unknown>(
    isRouted
      ? [
          ['driver', () => currentView().driver],
          ['options', () => currentView().options],
          ['queryResultCache', () => currentView().queryResultCache],
          ['entityMetadatas', () => currentView().entityMetadatas],
          ['entityMetadatasMap', () => currentView().entityMetadatasMap],
        ]
      : [],
  )
  // TypeORM asks for metadata at every call; its own method would come back here twice.
  const metadata = {
    getMetadata: (target: never) => currentView().getMetadata(target),
    hasMetadata: (target: never) => currentView().hasMetadata(target),
  }
  const answers = new Map<string | symbol, unknown>([
    ...Object.entries(isRouted ? { ...routedMethods, ...metadata } : {}),
    ...Object.entries(members),
  ])
  const proxy = new Proxy(front, {
    get(target, key) {
      const field = fields.get(key)
      if (field !== undefined) return field()
      const answer = answers.get(key)
      // What somebody put on the DataSource himself wins over our methods.
      if (answer !== undefined && !Object.hasOwn(target, key)) return answer
      return Reflect.get(target, key, proxy)
    },
    has: (target, key) => key in members || Reflect.has(target, key),
    defineProperty: (target, key, descriptor) =>
      Reflect.defineProperty(
        target,
        key,
        isRouted && 'value' in descriptor
          ? { ...descriptor, value: adopted(key, descriptor.value) }
          : descriptor,
      ),
  })
  for (const [name, method] of Object.entries(lifecycle(proxy))) answers.set(name, method)
  // What was put on the DataSource before it was wrapped.
  if (isRouted)
    for (const name of replaceable)
      if (Object.hasOwn(front, name)) Reflect.set(proxy, name, Reflect.get(front, name))
  // The binding stands on the wrapped DataSource, where the proxy finds it; views have their own.
  bind(front, binding)
  return proxy
}

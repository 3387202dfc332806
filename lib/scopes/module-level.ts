import type { FanOutOptions, ShardSettled, ShardValue } from './fan-out.js'
import { onlyScopes } from './registry.js'
import type { ReplicaScope } from './scopes.js'

/**
 * Runs `work` on one shard of the process's one wrapped data source.
 *
 * @throws NoDataSourceError if there is none, or more than one
 * @throws UnknownShardError if there is no such shard
 */
export const using = <R>(shard: string, work: () => R): R => onlyScopes('using').using(shard, work)

/**
 * Runs `work` once on each shard of a group of the process's one wrapped data source.
 *
 * @throws NoDataSourceError if there is none, or more than one
 * @throws UnknownGroupError if there is no such group
 * @throws FanOutError after all have settled, if any failed and `onError` is not `collect`
 */
export function usingGroup<R>(
  group: string,
  work: (shard: string) => R | Promise<R>,
  options: FanOutOptions & { readonly onError: 'collect' },
): Promise<ShardSettled<R>[]>
export function usingGroup<R>(
  group: string,
  work: (shard: string) => R | Promise<R>,
  options?: FanOutOptions,
): Promise<ShardValue<R>[]>
export function usingGroup<R>(
  group: string,
  work: (shard: string) => R | Promise<R>,
  options?: FanOutOptions,
): Promise<ShardValue<R>[] | ShardSettled<R>[]> {
  return onlyScopes('usingGroup').usingGroup(group, work, options)
}

/** As `usingGroup`, on every shard. */
export function usingAll<R>(
  work: (shard: string) => R | Promise<R>,
  options: FanOutOptions & { readonly onError: 'collect' },
): Promise<ShardSettled<R>[]>
export function usingAll<R>(
  work: (shard: string) => R | Promise<R>,
  options?: FanOutOptions,
): Promise<ShardValue<R>[]>
export function usingAll<R>(
  work: (shard: string) => R | Promise<R>,
  options?: FanOutOptions,
): Promise<ShardValue<R>[] | ShardSettled<R>[]> {
  return onlyScopes('usingAll').usingAll(work, options)
}

/**
 * Runs `work` with its reads on the primary.
 *
 * @throws NoDataSourceError if there is no wrapped data source, or more than one
 */
export const usingPrimary = <R>(work: () => R): R => onlyScopes('usingPrimary').usingPrimary(work)

/**
 * Runs `work` on replicas only: what would write throws before it is sent.
 *
 * @throws NoDataSourceError if there is no wrapped data source, or more than one
 * @throws UnknownReplicaGroupError if the current shard has no such replica group
 */
export function usingReplica<R>(work: () => R): R
export function usingReplica<R>(options: ReplicaScope, work: () => R): R
export function usingReplica<R>(first: ReplicaScope | (() => R), work?: () => R): R {
  const scopes = onlyScopes('usingReplica')
  return typeof first === 'function'
    ? scopes.usingReplica({}, first)
    : scopes.usingReplica(first, work as () => R)
}

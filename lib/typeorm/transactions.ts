import type { EntityManager } from 'typeorm'
import { stateOf, targetOf } from './binding.js'
import { overlayOf } from './internals.js'
import type { Shard } from './shard.js'

type Transaction = (manager: EntityManager, args: unknown[]) => Promise<unknown>

/**
 * Runs TypeORM's `transaction` on the manager's runner, or on one of the current shard. Inside its
 * callback, calls that nothing else binds are on that shard too, by a connection of their own: on its
 * primary, and past the result cache.
 *
 * @param args - the arguments of `transaction(isolation?, callback)`
 * @param run - TypeORM's own `transaction`, on the manager and with the arguments that it is given
 */
export const inTransactionScope = (
  manager: EntityManager,
  args: readonly unknown[],
  run: Transaction,
): Promise<unknown> => {
  if (manager.queryRunner !== undefined) {
    const shard = stateOf(manager.queryRunner)?.shard
    return run(manager, shard === undefined ? [...args] : marked(shard, args))
  }
  const { runtime, shard, by, frame } = targetOf(manager.dataSource)
  const overlay = overlayOf(manager)
  const dataSource = shard.overlay(frame, by, () =>
    runtime.openRunner(shard, by, frame, 'transaction', 'transaction', undefined),
  )
  Object.defineProperty(overlay, 'dataSource', { value: dataSource })
  return run(overlay, marked(shard, args))
}

/** The arguments with a callback that runs in a scope of the library's own. */
const marked = (shard: Shard, args: readonly unknown[]): unknown[] => {
  const position = args.findIndex((arg) => typeof arg === 'function')
  const callback = args[position]
  const { name, hasCopies, runtime } = shard
  const { scopes } = runtime
  const isElsewhere = scopes.currentShard() !== name
  if (callback === undefined || (!hasCopies && !isElsewhere)) return [...args]
  const primaryFor = { shard: name, because: 'transaction' } as const
  const change = {
    label: 'transaction',
    origin: 'library',
    primaryFor,
    ...(isElsewhere && { shard: name }),
  } as const
  const inScope = (transactional: unknown): unknown =>
    scopes.enter(change, () => (callback as (manager: unknown) => unknown)(transactional))
  return args.with(position, inScope)
}

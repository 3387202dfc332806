import type { EntityManager } from 'typeorm'
import { stateOf, targetOf } from './binding.js'
import { overlayOf } from './internals.js'
import type { Shard } from './shard.js'

type Transaction = (manager: EntityManager, args: unknown[]) => Promise<unknown>

/**
 * Runs TypeORM's `transaction` on the manager's runner, or on one of the current shard. Inside its
 * callback, calls that do not use its manager read that shard's primary, by a connection of their own,
 * and no result cache.
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
  if (callback === undefined || !shard.hasCopies) return [...args]
  const primaryFor = { shard: shard.name, because: 'transaction' } as const
  const inScope = (transactional: unknown): unknown =>
    shard.runtime.scopes.enter({ label: 'transaction', origin: 'library', primaryFor }, () =>
      (callback as (manager: unknown) => unknown)(transactional),
    )
  return args.with(position, inScope)
}

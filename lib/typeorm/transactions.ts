import type { EntityManager } from 'typeorm'
import { targetOf } from './binding.js'
import { overlayOf } from './internals.js'

/**
 * Runs TypeORM's `transaction` on a runner of the current shard. Inside its callback, calls that do
 * not use its manager read that shard's primary, by a connection of their own.
 *
 * @param args - the arguments of `transaction(isolation?, callback)`
 * @param run - TypeORM's own `transaction`, on the manager and with the arguments that it is given
 */
export const inTransactionScope = (
  manager: EntityManager,
  args: readonly unknown[],
  run: (manager: EntityManager, args: unknown[]) => Promise<unknown>,
): Promise<unknown> => {
  const { runtime, shard, by, frame } = targetOf(manager.dataSource)
  const overlay = overlayOf(manager)
  const dataSource = shard.overlay(frame, by, () =>
    runtime.openRunner(shard, by, frame, 'transaction', 'transaction', undefined),
  )
  Object.defineProperty(overlay, 'dataSource', { value: dataSource })
  const position = args.findIndex((arg) => typeof arg === 'function')
  const callback = args[position]
  if (callback === undefined || shard.topology.replicas.length === 0) return run(overlay, [...args])
  const primaryFor = { shard: shard.name, because: 'transaction' } as const
  const marked = (transactional: unknown): unknown =>
    runtime.scopes.enter({ label: 'transaction', origin: 'library', primaryFor }, () =>
      (callback as (manager: unknown) => unknown)(transactional),
    )
  return run(overlay, args.with(position, marked))
}

import { FanOutError, InvalidScopeError } from '../errors.js'

/** The outcome of work on one shard. */
export interface ShardValue<T> {
  readonly shard: string
  readonly value: T
}

/** The outcome of work on one shard, whether it succeeded or not. */
export type ShardSettled<T> =
  | { readonly shard: string; readonly status: 'fulfilled'; readonly value: T }
  | { readonly shard: string; readonly status: 'rejected'; readonly reason: unknown }

/** How work over several shards is done. */
export interface FanOutOptions {
  /** How many shards are worked on at a time; the configuration's `fanOutConcurrency` by default. */
  readonly concurrency?: number
  /**
   * `throw` (default): after all shards have settled, throw one error naming each that failed.
   * `collect`: return every outcome with its shard.
   */
  readonly onError?: 'throw' | 'collect'
}

/** @throws InvalidScopeError if so many shards cannot be worked on at a time */
export const checkConcurrency = (concurrency: number): void => {
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new InvalidScopeError(
      `concurrency must be a whole number from 1 upwards, not ${concurrency}.`,
    )
}

/** Runs `visit` for each shard, `concurrency` at a time; outcomes in the order of `shards`. */
export const visitShards = async <T>(
  shards: readonly string[],
  concurrency: number,
  visit: (shard: string) => T | Promise<T>,
): Promise<ShardSettled<T>[]> => {
  checkConcurrency(concurrency)
  const outcomes: ShardSettled<T>[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < shards.length) {
      const index = next
      next += 1
      const shard = shards[index] ?? ''
      try {
        outcomes[index] = { shard, status: 'fulfilled', value: await visit(shard) }
      } catch (reason) {
        outcomes[index] = { shard, status: 'rejected', reason }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, shards.length) }, worker))
  return outcomes
}

/**
 * The values of all shards.
 *
 * @throws FanOutError if any shard failed
 */
export const valuesOrThrow = <T>(outcomes: readonly ShardSettled<T>[]): ShardValue<T>[] => {
  const values: ShardValue<T>[] = []
  const failures: { shard: string; error: unknown }[] = []
  for (const outcome of outcomes)
    if (outcome.status === 'fulfilled') values.push({ shard: outcome.shard, value: outcome.value })
    else failures.push({ shard: outcome.shard, error: outcome.reason })
  if (failures.length > 0)
    throw new FanOutError(
      failures,
      values.map(({ shard }) => shard),
    )
  return values
}

import { CrossShardError } from '../errors.js'
import type { ChosenShard } from './decide.js'

/** Where an entity outside sharding lives. */
export interface Pin {
  /** The entity's name, for messages. */
  readonly entity: string
  readonly shard: string
  /** Further shards that have it, on which it is used when a scope or a handle names them. */
  readonly allowShard: readonly string[]
  /** Whether a scope or a handle that names any other shard is an error. */
  readonly isStrict: boolean
}

/** Whether a pinned entity may be used on a shard. */
export const livesOn = ({ shard, allowShard }: Pin, name: string): boolean =>
  name === shard || allowShard.includes(name)

/** What to throw where a strict entity is asked for on a shard that does not have it. */
export const refusedElsewhere = (pin: Pin, asked: string): CrossShardError => {
  const { entity, shard, allowShard } = pin
  const places = [shard, ...allowShard].map((name) => `"${name}"`).join(', ')
  return new CrossShardError(
    `${entity} is outside sharding and strict: it lives on ${places}, and was asked for on another shard`,
    [shard, asked],
    `Leave the scope for it, or name "${asked}" in its allowShard.`,
  )
}

/**
 * The shard of an entity outside sharding: its own, whatever the scope or handle names, unless that
 * is one of its `allowShard`.
 *
 * @param asked - the shard that a sharded entity would be on
 * @throws CrossShardError if the entity is strict and a scope or handle names another shard
 */
export const pinnedShard = (pin: Pin, asked: ChosenShard): ChosenShard => {
  const isNamed = asked.by === 'handle' || asked.by === 'scope'
  if ((isNamed || asked.by === 'home') && pin.allowShard.includes(asked.name)) return asked
  if (isNamed && pin.isStrict && asked.name !== pin.shard) throw refusedElsewhere(pin, asked.name)
  return { name: pin.shard, by: 'unsharded' }
}

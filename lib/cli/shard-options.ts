import type { Command } from 'commander'
import type { ShardTargets } from '../index.js'
import { collected } from './options.js'

/** What `--shard` and `--group` were given. */
export interface ShardChoice {
  readonly shard?: readonly string[]
  readonly group?: readonly string[]
}

/** Adds the options that name shards and groups. */
export const withShardOptions = (command: Command): Command =>
  command
    .option('--shard <name>', 'this shard; can be given several times', collected)
    .option('--group <name>', 'the shards of this group; can be given several times', collected)

/** The shards that the options name; all where they name none. */
export const targetsOf = ({ shard, group }: ShardChoice): ShardTargets => ({
  ...(shard === undefined ? {} : { shards: shard }),
  ...(group === undefined ? {} : { groups: group }),
})

import { type ShardTargets, targetShards } from '../scopes/targets.js'
import type { Runtime } from './runtime.js'

/**
 * The shards that are meant; where octopus is disabled, the one that answers for all.
 *
 * @throws UnknownShardError, UnknownGroupError before anything is done
 */
export const meantShards = (runtime: Runtime, targets: ShardTargets): readonly string[] => {
  const names = targetShards(runtime.store.current, targets)
  return runtime.config.enabled ? names : [runtime.store.current.defaultShard]
}

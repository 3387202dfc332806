export type { NodeOptions } from './node-options.js'
export type {
  ConnectionOptions,
  MigrationOptions,
  OctopusOptions,
  PoolOptions,
  ReplicaOptions,
  ShardOptions,
  ShardSettings,
  UnshardedOptions,
} from './options.js'
export type { ResolvedConfig, ResolvedEndpoint } from './resolved.js'
export { loadConfig } from './load.js'
export { resolveConfig } from './resolve.js'
export { engines, type Engine } from './words.js'

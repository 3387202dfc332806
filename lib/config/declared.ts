import type {
  ConnectionOptions,
  OctopusOptions,
  PoolOptions,
  ReplicaOptions,
  ShardSettings,
} from './options.js'
import type { Path } from './problems.js'
import type { ResolvedPool } from './resolved.js'
import { poolKeys, resolvePool } from './pool.js'
import { fallbackWords, roleWords } from './words.js'

/** A replica as it was written, aliases translated. */
export interface DeclaredReplica {
  /** Where it stands, by the words that were used there. */
  readonly path: Path
  readonly name: string | undefined
  readonly group: string | undefined
  readonly weight: number
  readonly connection: ConnectionOptions
}

/** A shard's settings with the defaults filled in. */
export interface DeclaredSettings {
  readonly reads: 'primary' | 'replica'
  readonly onNoReplica: 'primary' | 'error'
  readonly connect: 'lazy' | 'eager'
  readonly pool: ResolvedPool
}

/** A shard as it was written, aliases translated and defaults filled in. */
export interface DeclaredShard {
  readonly path: Path
  readonly name: string
  readonly connection: ConnectionOptions
  readonly replicas: readonly DeclaredReplica[]
  readonly settings: DeclaredSettings
  /** What it says itself about its pools. */
  readonly pool: PoolOptions
}

interface WithReplicas {
  readonly replicas?: readonly ReplicaOptions[] | undefined
  readonly slaves?: readonly ReplicaOptions[] | undefined
}

const declareReplica = (options: ReplicaOptions, path: Path): DeclaredReplica => {
  const { name, group, slaveGroup, weight = 1, ...connection } = options
  return { path, name, group: group ?? slaveGroup, weight, connection }
}

const declareReplicas = ({ replicas, slaves }: WithReplicas, path: Path): DeclaredReplica[] =>
  (replicas ?? slaves ?? []).map((options, index) =>
    declareReplica(options, [...path, replicas === undefined ? 'slaves' : 'replicas', index]),
  )

const declareSettings = (own: ShardSettings, top: ShardSettings): DeclaredSettings => ({
  reads: roleWords[own.reads ?? top.reads ?? 'replica'],
  onNoReplica: fallbackWords[own.onNoReplica ?? top.onNoReplica ?? 'primary'],
  connect: own.connect ?? top.connect ?? 'lazy',
  pool: resolvePool(own, top),
})

/** The default shard's name. */
export const defaultShardOf = (options: OctopusOptions): string => options.defaultShard ?? 'master'

/** The shard that the wrapped DataSource is. */
export const declareDefaultShard = (options: OctopusOptions): DeclaredShard => ({
  path: [],
  name: defaultShardOf(options),
  connection: {},
  replicas: declareReplicas(options, []),
  settings: declareSettings({}, options),
  pool: {},
})

const settingKeys: ReadonlySet<string> = new Set(['reads', 'onNoReplica', 'connect', ...poolKeys])

/** What a shard decides for itself, and how its primary is connected. */
const parted = (shard: ShardSettings & ConnectionOptions): [ShardSettings, ConnectionOptions] => {
  const entries = Object.entries(shard)
  const isSetting = ([key]: [string, unknown]): boolean => settingKeys.has(key)
  return [
    Object.fromEntries(entries.filter(isSetting)),
    Object.fromEntries(entries.filter((entry) => !isSetting(entry))),
  ]
}

/** The other shards, in the order in which they were written. */
export const declareShards = (options: OctopusOptions): DeclaredShard[] =>
  Object.entries(options.shards ?? {}).map(([name, shard]) => {
    const { replicas, slaves, ...rest } = shard
    const [settings, connection] = parted(rest)
    const path = ['shards', name]
    return {
      path,
      name,
      connection,
      replicas: declareReplicas({ replicas, slaves }, path),
      settings: declareSettings(settings, options),
      pool: settings,
    }
  })

import { resolveMigrations } from '../../lib/config/migrations.js'
import { resolvePool } from '../../lib/config/pool.js'
import type { ResolvedConfig, ResolvedEndpoint, ResolvedShard } from '../../lib/config/resolved.js'
import { type Topology, topologyOf, withEndpointOnline } from '../../lib/topology/snapshot.js'

/** A replica in few words. */
export interface ReplicaSketch {
  readonly name: string
  readonly group?: string | undefined
  readonly weight?: number
  /** Online by default. */
  readonly isOnline?: boolean
}

/** A shard in few words. */
export interface ShardSketch {
  readonly replicas?: readonly ReplicaSketch[]
  readonly reads?: ResolvedShard['reads']
  readonly onNoReplica?: ResolvedShard['onNoReplica']
}

type Groups = Readonly<Record<string, readonly [string, ...string[]]>>

const endpoint = (
  role: ResolvedEndpoint['role'],
  { name, group, weight = 1 }: ReplicaSketch,
): ResolvedEndpoint => ({ name, role, group, weight, connection: {} })

const shardOf = (name: string, sketch: ShardSketch): ResolvedShard => ({
  name,
  engine: 'mysql',
  primary: endpoint('primary', { name: `${name}-primary` }),
  replicas: (sketch.replicas ?? []).map((replica) => endpoint('replica', replica)),
  reads: sketch.reads ?? 'replica',
  onNoReplica: sketch.onNoReplica ?? 'primary',
  connect: 'lazy',
  pool: resolvePool({}, {}),
})

/** A checked configuration with these shards, the first of which is the default one. */
export const configWith = (
  shards: Readonly<Record<string, ShardSketch>>,
  groups: Groups = {},
): ResolvedConfig => {
  const [first, ...rest] = Object.entries(shards).map(([name, sketch]) => shardOf(name, sketch))
  if (first === undefined) throw new TypeError('A configuration has a default shard')
  return {
    defaultShard: first.name,
    shards: [first, ...rest],
    groups: new Map(Object.entries(groups)),
    readYourWritesMs: 5000,
    writesSeal: undefined,
    fullyReplicated: true,
    replicated: [],
    unsharded: [],
    strict: false,
    fanOutConcurrency: 8,
    migrations: resolveMigrations({}, 8),
    enabled: true,
    collapseReplicas: false,
    carrier: undefined,
    maxConnections: undefined,
    checkoutCallSites: false,
    traceCallSites: false,
    sqlComments: [],
  }
}

/** A snapshot with these shards, the first of which is the default one. */
export const topologyWith = (
  shards: Readonly<Record<string, ShardSketch>>,
  groups: Groups = {},
): Topology => {
  const offline = Object.entries(shards).flatMap(([shard, { replicas = [] }]) =>
    replicas
      .filter(({ isOnline }) => isOnline === false)
      .map(({ name }) => `${shard}/replica ${name}`),
  )
  return offline.reduce(
    (topology, id) => withEndpointOnline(topology, id, false),
    topologyOf(configWith(shards, groups)),
  )
}

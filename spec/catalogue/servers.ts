import { MariadbCluster, PostgresCluster } from '../support/cluster/index.js'
import type { BedEndpoint, EngineName } from '../support/engines/endpoint.js'
import { ServerEndpoint } from '../support/engines/server-endpoint.js'
import { SqljsEndpoint } from '../support/engines/sqljs-endpoint.js'

export const shardNames = ['master', 'brazil', 'canada', 'russia'] as const
export type ShardName = (typeof shardNames)[number]

/** The replicas of russia: their names there, and their groups. */
export const replicas = [
  { name: 'fast-1', group: 'fast' },
  { name: 'fast-2', group: 'fast' },
  { name: 'slow-1', group: 'slow' },
] as const
export type ReplicaName = (typeof replicas)[number]['name']

/** The name of a replica that answers nobody, in rows about that. */
export const goneReplica = 'gone'

/** Running servers of one engine for the catalogue. */
export interface CatalogueServers {
  readonly engine: EngineName
  readonly primaries: Readonly<Record<ShardName, BedEndpoint>>
  readonly replicas: Readonly<Record<ReplicaName, BedEndpoint>>
  /** Waits until the replicas have what their primary has. */
  replicate(): Promise<void>
  stop(): Promise<void>
}

const onServers = async (engine: 'mariadb' | 'postgres'): Promise<CatalogueServers> => {
  const Cluster = engine === 'mariadb' ? MariadbCluster : PostgresCluster
  const [single, replicated] = await Promise.all([
    Cluster.start({ shards: 3, replicas: 0 }),
    Cluster.start({ shards: 1, replicas: replicas.length }),
  ])
  const shard = replicated.shard(0)
  const [master, brazil, canada] = (['master', 'brazil', 'canada'] as const).map(
    (name, index) => new ServerEndpoint(name, single.shard(index).primary),
  ) as [ServerEndpoint, ServerEndpoint, ServerEndpoint]
  const [fast1, fast2, slow1] = replicas.map(
    ({ name }, index) => new ServerEndpoint(name, shard.replicas[index]!),
  ) as [ServerEndpoint, ServerEndpoint, ServerEndpoint]
  return {
    engine,
    primaries: { master, brazil, canada, russia: new ServerEndpoint('russia', shard.primary) },
    replicas: { 'fast-1': fast1, 'fast-2': fast2, 'slow-1': slow1 },
    replicate: () => replicated.waitUntilCaughtUp(shard),
    stop: () => Promise.all([single.stop(), replicated.stop()]).then(() => {}),
  }
}

const onSqljs = async (): Promise<CatalogueServers> => {
  const open = async <N extends string>(names: readonly N[]) =>
    Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await SqljsEndpoint.open(name)] as const)),
    ) as Record<N, SqljsEndpoint>
  const primaries = await open(shardNames)
  const copies = await open(replicas.map(({ name }) => name))
  return {
    engine: 'sqljs',
    primaries,
    replicas: copies,
    async replicate() {
      for (const copy of Object.values(copies)) await copy.copyFrom(primaries.russia)
    },
    stop: () => Promise.resolve(),
  }
}

/** Starts the servers of the catalogue. */
export const startServers = (engine: EngineName): Promise<CatalogueServers> =>
  engine === 'sqljs' ? onSqljs() : onServers(engine)

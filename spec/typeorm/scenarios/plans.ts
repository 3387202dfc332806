import { type Cluster, MariadbCluster, PostgresCluster } from '../../support/cluster/index.js'
import type { BedEndpoint, EngineName } from '../../support/engines/endpoint.js'
import { ServerEndpoint } from '../../support/engines/server-endpoint.js'
import { SqljsEndpoint } from '../../support/engines/sqljs-endpoint.js'

export const shardNames = ['master', 's1', 's2', 's3'] as const
export type ShardName = (typeof shardNames)[number]

/** The servers of one shard. Only s3 has replicas: elsewhere each statement has one place to go. */
export interface BedShard {
  readonly primary: BedEndpoint
  readonly replicas: readonly BedEndpoint[]
}

/** Running servers for a bed. */
export interface BedServers {
  readonly shards: Readonly<Record<ShardName, BedShard>>
  /** Waits until the replicas of s3 have what its primary has. */
  replicate(): Promise<void>
  stop(): Promise<void>
}

/** Which engines a bed runs on; known before its servers are up. */
export interface BedPlan {
  readonly engines: Readonly<Record<ShardName, EngineName>>
  start(): Promise<BedServers>
}

const alone = (primary: BedEndpoint): BedShard => ({ primary, replicas: [] })

const startCluster = (engine: 'mariadb' | 'postgres', shards: number, replicas: number) =>
  (engine === 'mariadb' ? MariadbCluster : PostgresCluster).start({ shards, replicas })

const replicated = (cluster: Cluster): BedShard => ({
  primary: new ServerEndpoint('s3', cluster.shard(0).primary),
  replicas: cluster
    .shard(0)
    .replicas.map((node, index) => new ServerEndpoint(`s3/r${String(index + 1)}`, node)),
})

const all = (engine: EngineName): BedPlan['engines'] => ({
  master: engine,
  s1: engine,
  s2: engine,
  s3: engine,
})

/** Every shard on servers of one engine. */
export const onServers = (engine: 'mariadb' | 'postgres'): BedPlan => ({
  engines: all(engine),
  async start() {
    const [single, pair] = await Promise.all([
      startCluster(engine, 3, 0),
      startCluster(engine, 1, 2),
    ])
    const [master, s1, s2] = (['master', 's1', 's2'] as const).map((name, index) =>
      alone(new ServerEndpoint(name, single.shard(index).primary)),
    )
    return {
      shards: { master: master!, s1: s1!, s2: s2!, s3: replicated(pair) },
      replicate: () => pair.waitUntilCaughtUp(pair.shard(0)),
      stop: () => Promise.all([single.stop(), pair.stop()]).then(() => {}),
    }
  },
})

/** Every shard in a database of sql.js. */
export const onSqljs: BedPlan = {
  engines: all('sqljs'),
  async start() {
    const [master, s1, s2, s3, ...replicas] = await Promise.all(
      [...shardNames, 's3/r1', 's3/r2'].map((name) => SqljsEndpoint.open(name)),
    )
    return {
      shards: {
        master: alone(master!),
        s1: alone(s1!),
        s2: alone(s2!),
        s3: { primary: s3!, replicas },
      },
      async replicate() {
        for (const replica of replicas) await replica.copyFrom(s3!)
      },
      stop: () => Promise.resolve(),
    }
  },
}

/** A default shard on MariaDB, and shards on sql.js, on PostgreSQL, and on PostgreSQL with replicas. */
export const onMixedEngines: BedPlan = {
  engines: { master: 'mariadb', s1: 'sqljs', s2: 'postgres', s3: 'postgres' },
  async start() {
    const [main, single, pair, s1] = await Promise.all([
      startCluster('mariadb', 1, 0),
      startCluster('postgres', 1, 0),
      startCluster('postgres', 1, 2),
      SqljsEndpoint.open('s1'),
    ])
    return {
      shards: {
        master: alone(new ServerEndpoint('master', main.shard(0).primary)),
        s1: alone(s1),
        s2: alone(new ServerEndpoint('s2', single.shard(0).primary)),
        s3: replicated(pair),
      },
      replicate: () => pair.waitUntilCaughtUp(pair.shard(0)),
      stop: () => Promise.all([main.stop(), single.stop(), pair.stop()]).then(() => {}),
    }
  },
}

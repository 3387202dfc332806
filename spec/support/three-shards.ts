import { MariadbCluster, PostgresCluster } from './cluster/index.js'

/** Where a default shard, brazil and canada are reached. */
export interface ThreeShards {
  /** Options of the DataSource that is wrapped. */
  readonly connection: { readonly type: 'sqljs' | 'mariadb' | 'postgres' }
  readonly brazil: object
  readonly canada: object
}

const embedded: ThreeShards = { connection: { type: 'sqljs' }, brazil: {}, canada: {} }

const onServers = (engine: 'mariadb' | 'postgres') => async () => {
  const Cluster = engine === 'mariadb' ? MariadbCluster : PostgresCluster
  const cluster = await Cluster.start({ shards: 3, replicas: 0 })
  const [connection, brazil, canada] = [0, 1, 2].map((index) => ({
    type: engine,
    ...cluster.shard(index).primary.connectionOptions(),
  })) as [ThreeShards['connection'], object, object]
  return { shards: { connection, brazil, canada }, stop: () => cluster.stop() }
}

const engines = {
  'sql.js': () => Promise.resolve({ shards: embedded, stop: () => Promise.resolve() }),
  MariaDB: onServers('mariadb'),
  PostgreSQL: onServers('postgres'),
} as const

/**
 * Describes the same on three shards of each engine.
 *
 * @param define - takes the shards, which are there once the specs run, and the engine's name
 */
export const describeOnEachEngine = (
  title: string,
  define: (shards: () => ThreeShards, engine: string) => void,
): void => {
  for (const [engine, start] of Object.entries(engines))
    describe(`${title} on ${engine}`, () => {
      let started: Awaited<ReturnType<typeof start>> | undefined

      before(async function () {
        this.timeout(60_000)
        started = await start()
      })
      after(async function () {
        this.timeout(60_000)
        await started?.stop()
      })

      define(() => {
        if (started === undefined) throw new Error('The shards are started before the specs.')
        return started.shards
      }, engine)
    })
}

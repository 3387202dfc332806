import { DataSource } from 'typeorm'
import { MariadbCluster } from '../../spec/support/cluster/index.js'
import { Item, itemValues, seededItems } from './item.js'

/** Connection options of one server. */
export interface Server {
  readonly host: string
  readonly port?: number
  readonly username?: string
  readonly password?: string
  readonly database: string
}

/** Where the operations go: real servers, or none. */
export interface Servers {
  readonly isNull: boolean
  readonly primary: Server
  readonly replicas: readonly Server[]
}

/** Servers that exist in name only, for the null driver. */
export const nullServers: Servers = {
  isNull: true,
  primary: { host: 'primary', database: 'app' },
  replicas: [1, 2].map((number) => ({ host: `replica-${number}`, database: 'app' })),
}

/** Runs `work` with a MariaDB primary and two replicas that hold the items to be found. */
export const withServers = async <T>(work: (servers: Servers) => Promise<T>): Promise<T> => {
  const cluster = await MariadbCluster.start({ replicas: 2, generalLog: false })
  try {
    const shard = cluster.shard(0)
    await seed(shard.primary.connectionOptions())
    await cluster.waitUntilCaughtUp(shard)
    return await work({
      isNull: false,
      primary: shard.primary.connectionOptions(),
      replicas: shard.replicas.map((replica) => replica.connectionOptions()),
    })
  } finally {
    await cluster.stop()
  }
}

const seed = async (server: Server): Promise<void> => {
  const source = new DataSource({ type: 'mysql', ...server, entities: [Item], synchronize: true })
  await source.initialize()
  const values = Array.from({ length: seededItems }, (_, index) => itemValues(index))
  await source.getRepository(Item).insert(values)
  await source.destroy()
}

import type { ConnectionProxy, PoolInfo } from '../index.js'

/** A server, as the conventions of OpenTelemetry name it. */
export interface Server {
  readonly system: string
  readonly address: string | undefined
  readonly port: number | undefined
  readonly namespace: string | undefined
}

const systems: Readonly<Record<string, string>> = {
  mysql: 'mysql',
  mariadb: 'mariadb',
  postgres: 'postgresql',
  sqljs: 'sqlite',
  'better-sqlite3': 'sqlite',
}

const serverOf = ({ engine, host, port, database }: PoolInfo): Server => ({
  system: systems[engine] ?? 'other_sql',
  address: host,
  port,
  namespace: database,
})

/** A shard's servers by the names of their nodes, and the tables of its entities. */
interface KnownShard {
  readonly primary: Server | undefined
  readonly servers: Map<string, Server>
  readonly tables: Map<string, string>
}

/** Where the servers of a data source are. Looked up anew when shards or servers have changed. */
export class Servers {
  readonly #db: ConnectionProxy
  readonly #shards = new Map<string, KnownShard>()
  #revision = -1

  constructor(db: ConnectionProxy) {
    this.#db = db
  }

  /** One of a shard's servers; its primary where none is named. */
  find(shard: string, node?: string): Server | undefined {
    const known = this.#shard(shard)
    return node === undefined ? known?.primary : known?.servers.get(node)
  }

  /** The table of an entity on a shard. */
  table(shard: string, entity: string): string | undefined {
    const tables = this.#shard(shard)?.tables
    const table = tables?.get(entity) ?? this.#lookUp(shard, entity)
    if (table !== undefined) tables?.set(entity, table)
    return table
  }

  #lookUp(shard: string, entity: string): string | undefined {
    const { entityMetadatas } = this.#db.shard(shard)
    return entityMetadatas.find(({ name }) => name === entity)?.tablePath
  }

  #shard(name: string): KnownShard | undefined {
    const { topologyRevision } = this.#db.octopus
    if (topologyRevision !== this.#revision) {
      this.#revision = topologyRevision
      this.#fill()
    }
    return this.#shards.get(name)
  }

  #fill(): void {
    this.#shards.clear()
    for (const pool of this.#db.octopus.pools()) {
      const server = serverOf(pool)
      const shard = this.#shards.get(pool.shard)
      // A shard's primary is listed before its replicas.
      if (shard === undefined)
        this.#shards.set(pool.shard, {
          primary: server,
          servers: new Map([[pool.node, server]]),
          tables: new Map(),
        })
      else shard.servers.set(pool.node, server)
    }
  }
}

/** Whether connections lead to a server and can be counted: SQLite has one, which is not lent. */
export const hasConnections = ({ host }: PoolInfo): boolean => host !== undefined

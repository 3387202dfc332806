import type { ConnectionProxy, PoolInfo } from '../index.js'

/** A server by the attributes of OpenTelemetry's conventions; what is not known is absent. */
export interface Server {
  readonly 'db.system.name': string
  readonly 'db.namespace'?: string
  readonly 'server.address'?: string
  readonly 'server.port'?: number
}

const systems: Readonly<Record<string, string>> = {
  mysql: 'mysql',
  mariadb: 'mariadb',
  postgres: 'postgresql',
  sqljs: 'sqlite',
  'better-sqlite3': 'sqlite',
}

const serverOf = ({ engine, host, port, database }: PoolInfo): Server => ({
  'db.system.name': systems[engine] ?? 'other_sql',
  ...(database === undefined ? {} : { 'db.namespace': database }),
  ...(host === undefined ? {} : { 'server.address': host }),
  ...(port === undefined ? {} : { 'server.port': port }),
})

const unknown: Server = Object.freeze({ 'db.system.name': 'other_sql' })

/** A shard's servers by the names of their nodes, and the tables of its entities. */
interface KnownShard {
  /** What is the same for all its servers. */
  readonly database: Server
  readonly servers: Map<string, Server>
  readonly tables: Map<string, string>
}

const shardWith = (primary: Server): KnownShard => {
  const { 'server.address': _address, 'server.port': _port, ...database } = primary
  return { database, servers: new Map(), tables: new Map() }
}

/** Where the servers of a data source are. Looked up anew when shards or servers have changed. */
export class Servers {
  readonly #db: ConnectionProxy
  /** Also those that were removed, as long as statements may run there: until the end. */
  readonly #shards = new Map<string, KnownShard>()
  #revision = -1

  constructor(db: ConnectionProxy) {
    this.#db = db
  }

  /** One of a shard's servers; only its database where none was reached. */
  find(shard: string, node: string | undefined): Server {
    const known = this.#shard(shard)
    return (node === undefined ? undefined : known?.servers.get(node)) ?? known?.database ?? unknown
  }

  /** The table of an entity on a shard. */
  table(shard: string, entity: string): string | undefined {
    const tables = this.#shard(shard)?.tables
    const table = tables?.get(entity) ?? this.#lookUp(shard, entity)
    if (table !== undefined) tables?.set(entity, table)
    return table
  }

  #lookUp(shard: string, entity: string): string | undefined {
    if (!this.#db.octopus.shardNames.includes(shard)) return undefined
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
    for (const pool of this.#db.octopus.pools()) {
      const server = serverOf(pool)
      // A shard's primary is listed before its replicas.
      if (pool.role === 'primary') this.#shards.set(pool.shard, shardWith(server))
      this.#shards.get(pool.shard)?.servers.set(pool.node, server)
    }
  }
}

/** Whether connections lead to a server and can be counted: SQLite has one, which is not lent. */
export const hasConnections = ({ host }: PoolInfo): boolean => host !== undefined

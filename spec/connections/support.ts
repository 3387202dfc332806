import type { ConnectionProxy, OctopusOptions, PoolInfo, RouteEvent } from '../../lib/index.js'
import type { ClusterNode, ClusterOptions } from '../support/cluster/index.js'
import { TcpProxy } from '../support/faults/tcp-proxy.js'
import { until } from '../support/until.js'
import { type Engine, Entry, Servers, startServers } from './own-support.js'

/** What the engines call the same things. */
const words = {
  mariadb: {
    table: 'app.entry',
    ownId: 'SELECT CONNECTION_ID() AS id',
    ids: "SELECT id FROM information_schema.processlist WHERE user = 'app' ORDER BY id",
    kill: (id: number) => `KILL ${id}`,
    slow: (seconds: number) => `SELECT SLEEP(${seconds})`,
  },
  postgres: {
    table: 'entry',
    ownId: 'SELECT pg_backend_pid() AS id',
    ids: "SELECT pid AS id FROM pg_stat_activity WHERE usename = 'app' ORDER BY pid",
    kill: (id: number) => `SELECT pg_terminate_backend(${id})`,
    slow: (seconds: number) => `SELECT pg_sleep(${seconds})`,
  },
} as const

/** Where a server is, and the name of a replica there. */
type Place = Readonly<{ name: string; host: string; port: number }>

/** Servers that fail as a spec wants it, and are well again after it. */
export class Frail extends Servers {
  #proxies: TcpProxy[] = []
  #cures: (() => unknown)[] = []
  #sources: ConnectionProxy[] = []

  get words(): (typeof words)[Engine] {
    return words[this.engine]
  }

  override wrap(...options: Parameters<Servers['wrap']>): ConnectionProxy {
    const db = super.wrap(...options)
    this.#sources.push(db)
    return db
  }

  /** A replica of a shard, from 1 on. */
  replica(number: number, shard = 0): ClusterNode {
    return this.cluster.node(`s${shard}r${number}`)
  }

  /** A proxy in front of a server, until the end of the spec. */
  async proxy(node: ClusterNode = this.node()): Promise<TcpProxy> {
    const proxy = await TcpProxy.start({ host: node.host, port: node.port })
    this.#proxies.push(proxy)
    return proxy
  }

  /** Has something put right at the end of the spec. */
  afterwards(cure: () => unknown): void {
    this.#cures.push(cure)
  }

  async pause(node: ClusterNode): Promise<void> {
    await node.pause()
    this.afterwards(() => node.resume())
  }

  async kill(node: ClusterNode): Promise<void> {
    await node.kill9()
    this.afterwards(() => node.start())
  }

  async setReadOnly(node: ClusterNode, isReadOnly: boolean): Promise<void> {
    await this.cluster.setReadOnly(node, isReadOnly)
    this.afterwards(() => this.cluster.setReadOnly(node, !isReadOnly))
  }

  /** The default shard with its replicas, `r1` and so on, behind proxies. */
  async openReplicas(
    options: OctopusOptions = {},
    count = 2,
    source: Readonly<Record<string, unknown>> = {},
  ): Promise<{ db: ConnectionProxy; proxies: TcpProxy[] }> {
    const proxies: TcpProxy[] = []
    for (let number = 1; number <= count; number += 1)
      proxies.push(await this.proxy(this.replica(number)))
    const replicas = proxies.map((proxy, index) => replicaAt(`r${index + 1}`, proxy))
    const db = await this.open({ replicas, verifyTimeoutMs: 200, ...options }, source)
    await db.octopus.warm(['master'])
    return { db, proxies }
  }

  /** The connections of the application, as the server numbers them. */
  async idsOn(node: ClusterNode = this.node()): Promise<number[]> {
    return (await node.sql<{ id: number }>(this.words.ids)).map(({ id }) => Number(id))
  }

  /** Ends all connections of the application on a server, from there. */
  async killConnections(node: ClusterNode = this.node()): Promise<void> {
    for (const id of await this.idsOn(node)) await node.sql(this.words.kill(id))
    await this.connected(0, node)
  }

  /** The number of the connection that a statement gets. */
  async idOf(db: Pick<ConnectionProxy, 'query'>): Promise<number> {
    const [row] = await db.query<{ id: number | string }[]>(this.words.ownId)
    return Number(row?.id)
  }

  override async clear(): Promise<void> {
    for (const cure of this.#cures.splice(0).reverse()) await cure()
    for (const proxy of this.#proxies) await proxy.pass()
    // Before the end of the data sources, which takes back what is lent.
    const inUse = (): readonly PoolInfo[] =>
      this.#sources.flatMap((db) =>
        db.octopus.pools().filter(({ active, waiting }) => active + waiting > 0),
      )
    await until(() => inUse().length === 0, { what: () => `leases: ${JSON.stringify(inUse())}` })
    this.#sources = []
    try {
      await super.clear()
    } finally {
      for (const proxy of this.#proxies.splice(0)) await proxy.stop()
    }
  }
}

/** Describes the same on frail servers of MariaDB and of PostgreSQL. Each spec ends without a lease and
 *  without a connection. */
export const describeOnFrailServers = (
  title: string,
  options: ClusterOptions,
  define: (servers: () => Frail, engine: Engine) => void,
): void => {
  for (const engine of ['mariadb', 'postgres'] as const)
    describe(`${title} on ${engine === 'mariadb' ? 'MariaDB' : 'PostgreSQL'}`, () => {
      let frail: Frail | undefined

      before(async function () {
        this.timeout(60_000)
        frail = new Frail(engine, (await startServers(engine, options)).cluster)
      })
      afterEach(async function () {
        this.timeout(30_000)
        await frail?.clear()
      })
      after(async function () {
        this.timeout(60_000)
        await frail?.cluster.stop()
      })

      define(() => {
        if (frail === undefined) throw new Error('The servers are started before the specs.')
        return frail
      }, engine)
    })
}

/** Where a proxy is reached. */
export const at = ({ host, port }: TcpProxy): { host: string; port: number } => ({ host, port })

/** A proxy in the place of a replica. */
export const replicaAt = (name: string, { host, port }: TcpProxy): Place => ({ name, host, port })

/** A read that goes to a replica where there is one. */
export const read = (db: Pick<ConnectionProxy, 'getRepository'>): Promise<Entry[]> =>
  db.getRepository(Entry).find()

/** The pool of a server, by the name of its node. */
export const poolOf = (db: ConnectionProxy, node: string): PoolInfo => {
  const pool = db.octopus.pools().find((info) => info.node === node)
  if (pool === undefined) throw new Error(`There is no pool of ${node}.`)
  return pool
}

/** Waits until a replica is out of service, and tells why it is. */
export const isOut = (db: ConnectionProxy, node: string): Promise<string> =>
  until(() => poolOf(db, node).outOfService, { what: `${node} to leave the service` })

/** Waits until a replica is in service. */
export const isBack = async (
  db: ConnectionProxy,
  node: string,
  timeoutMs = 10_000,
): Promise<void> => {
  await until(() => poolOf(db, node).outOfService === undefined, {
    what: () => `${node} to come back (${poolOf(db, node).outOfService})`,
    timeoutMs,
  })
}

/** What the trace tells from now on. */
export const eventsOf = (db: ConnectionProxy): RouteEvent[] => {
  const events: RouteEvent[] = []
  db.octopus.onRoute((event) => events.push(event))
  return events
}

/** Uses so many connections of a pool at the same time, so that they are open and idle afterwards. */
export const fill = async (
  count: number,
  use: (index: number) => Promise<{ release(): Promise<void> }>,
): Promise<void> => {
  const held = await Promise.all(Array.from({ length: count }, (_, index) => use(index)))
  await Promise.all(held.map((runner) => runner.release()))
}

/** So many connections of the default primary, idle. */
export const fillPrimary = (db: ConnectionProxy, count: number): Promise<void> =>
  fill(count, async () => {
    const runner = db.createQueryRunner()
    await runner.connect()
    return runner
  })

/** So many connections of a replica of the default shard, idle. */
export const fillReplica = (db: ConnectionProxy, count: number): Promise<void> =>
  fill(count, async () => {
    const runner = db.createQueryRunner('slave')
    await runner.connect()
    return runner
  })

import type { Connector, PhysicalConnection, VerifiedConnection } from '../pool/lease.js'
import type { Driver, ServerDriver } from './internals.js'
import type { Sockets } from './sockets.js'
import type {
  Callback,
  MysqlConnection,
  MysqlPool,
  PostgresClient,
  PostgresPool,
  Rows,
  Socket,
} from './native-pools.js'

/** TypeORM options of one server, flat. */
type ConnectionOptions = Readonly<Record<string, unknown>>

/** A connection and what its pool notes about it; the engines close and verify it in their ways. */
abstract class Physical implements PhysicalConnection {
  epoch: number | undefined = undefined
  usedAt = 0
  expiresAt = Number.POSITIVE_INFINITY
  protected readonly isPooled: boolean
  readonly #socket: Socket | undefined
  readonly #gone: () => void
  #isOpen = true
  #hasSocket: boolean

  /** @param gone - is called once, when the connection is closed */
  constructor(socket: Socket | undefined, isPooled: boolean, gone: () => void) {
    this.isPooled = isPooled
    this.#socket = socket
    this.#hasSocket = socket !== undefined
    this.#gone = gone
    socket?.once('close', () => {
      this.#hasSocket = false
      this.#leave()
    })
  }

  abstract readonly connection: unknown
  abstract readonly id: number | undefined
  abstract readonly engine: 'mysql' | 'postgres'
  abstract ping(): Promise<unknown>
  abstract query(sql: string): Promise<Rows>
  protected abstract putBack(): void
  protected abstract cut(interrupts: boolean): void

  giveBack(): void {
    if (!this.#isOpen) return
    if (this.isPooled) this.putBack()
    else this.close()
  }

  close(interrupts = false): void {
    if (!this.#isOpen) return
    this.#leave()
    this.cut(interrupts)
  }

  async closed(): Promise<void> {
    // Not the socket's own word: it calls itself closed before it is.
    if (!this.#hasSocket) return
    await new Promise<void>((resolve) => this.#socket?.once('close', resolve))
  }

  /** Closes its socket, for a pool that has been closed: the driver's does not take it back. */
  abort(): void {
    this.#leave()
    this.#socket?.destroy()
  }

  #leave(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#gone()
  }
}

/** What mysql2 says of a connection that the server closed. */
const connectionClosed = (): Error =>
  Object.assign(new Error('Connection lost: it was closed while a statement was running.'), {
    code: 'PROTOCOL_CONNECTION_LOST',
    fatal: true,
  })

class MysqlPhysical extends Physical {
  override readonly engine = 'mysql'
  override readonly connection: MysqlConnection

  constructor(connection: MysqlConnection, isPooled: boolean, gone: () => void) {
    super(connection.stream, isPooled, gone)
    this.connection = connection
  }

  override get id(): number | undefined {
    return this.connection.threadId ?? undefined
  }

  override ping(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.connection.ping?.((error) => (error ? reject(error) : resolve(undefined)))
    })
  }

  override query(sql: string): Promise<Rows> {
    // Not as the application has set it: its own type casts, nested tables and row arrays.
    const options = { sql, typeCast: true, rowsAsArray: false, nestTables: false }
    return new Promise((resolve, reject) => {
      this.connection.query(options, (error, rows) => (error ? reject(error) : resolve(rows)))
    })
  }

  protected override putBack(): void {
    this.connection.release?.()
  }

  protected override cut(interrupts: boolean): void {
    this.connection.destroy()
    // mysql2 only says goodbye, and keeps the socket while the server does not answer. Once told to close
    // it does not end statements that wait for their answer, but for an error of the socket.
    this.connection.stream?.destroy(interrupts ? connectionClosed() : undefined)
  }
}

class PostgresPhysical extends Physical {
  override readonly engine = 'postgres'
  override readonly connection: PostgresClient

  constructor(client: PostgresClient, isPooled: boolean, gone: () => void) {
    super(client.connection?.stream, isPooled, gone)
    this.connection = client
    // While it is verified nobody else listens, and what nobody hears ends the process. The error
    // shows in the query under way, or in the next.
    client.on('error', () => undefined)
  }

  override get id(): number | undefined {
    return this.connection.processID ?? undefined
  }

  override ping(): Promise<unknown> {
    return this.connection.query('SELECT 1')
  }

  override async query(sql: string): Promise<Rows> {
    return (await this.connection.query(sql)).rows
  }

  protected override putBack(): void {
    this.connection.release?.()
  }

  protected override cut(): void {
    if (this.isPooled) this.connection.release?.(new Error('The connection is not used any more'))
    else this.connection.end().catch(() => undefined)
    // pg only says goodbye, and keeps the socket while the server does not answer.
    this.connection.connection?.stream.destroy()
  }
}

const promised = <T>(start: (callback: Callback<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value)))
  })

/** The connections of one driver's pool that are known. */
class Known<C extends object> {
  readonly #physical = new WeakMap<C, Physical>()
  readonly #open = new Set<Physical>()
  readonly #single = new Set<Physical>()
  readonly #make: (connection: C, isPooled: boolean, gone: () => void) => Physical

  constructor(make: (connection: C, isPooled: boolean, gone: () => void) => Physical) {
    this.#make = make
  }

  get open(): number {
    return this.#open.size
  }

  get singles(): number {
    return this.#single.size
  }

  of(connection: C): Physical {
    const known = this.#physical.get(connection)
    if (known !== undefined) return known
    const physical: Physical = this.#make(connection, true, () => {
      this.#open.delete(physical)
    })
    this.#physical.set(connection, physical)
    this.#open.add(physical)
    return physical
  }

  single(connection: C): Physical {
    const physical: Physical = this.#make(connection, false, () => {
      this.#single.delete(physical)
    })
    this.#single.add(physical)
    return physical
  }

  abort(): void {
    for (const physical of [...this.#open, ...this.#single]) physical.abort()
  }
}

/** How a connector opens its driver, and what it does where the driver has no pool of its own. */
export interface DriverLifecycle {
  /** The most connections the driver's pool opens. */
  readonly max: number
  /** The present options of the server. */
  readonly options: () => ConnectionOptions
  /** Yields the driver that has the pool. */
  readonly start: () => Promise<Driver>
  /** Is given the first connection, for what is to be asked of the server once. */
  readonly greet: (connection: VerifiedConnection) => Promise<void>
  readonly stop: () => Promise<void>
  readonly sockets: Sockets
}

const abort = (known: { abort(): void }, { sockets }: DriverLifecycle): void => {
  known.abort()
  sockets.destroy()
}

/** Takes in the connection with which the driver has tried the server. */
const greeted = async (connector: Connector, { greet, stop }: DriverLifecycle): Promise<void> => {
  try {
    const connection = await connector.acquire()
    await greet(connection).finally(() => connection.giveBack())
  } catch (error) {
    await stop()
    throw error
  }
}

/** mysql2's pool of a driver. The pool is kept: the driver may have another by the time it closes. */
export const mysqlConnector = (driver: ServerDriver, lifecycle: DriverLifecycle): Connector => {
  const known = new Known<MysqlConnection>(
    (connection, isPooled, gone) => new MysqlPhysical(connection, isPooled, gone),
  )
  const prepared = (connection: MysqlConnection): MysqlConnection =>
    driver.prepareDbConnection?.(connection) ?? connection
  let pool: MysqlPool | undefined = driver.pool
  return {
    max: lifecycle.max,
    get open() {
      return known.open
    },
    get sockets() {
      return Math.max(lifecycle.sockets.size, known.open + known.singles)
    },
    async start() {
      pool = ((await lifecycle.start()) as ServerDriver).pool
      await greeted(this, lifecycle)
    },
    acquire: () =>
      pool === undefined
        ? // TypeORM's own replication
          driver
            .obtainMasterConnection()
            .then((connection) => known.of(connection as MysqlConnection))
        : new Promise((resolve, reject) => {
            pool?.getConnection((error, connection) =>
              error ? reject(error) : resolve(known.of(prepared(connection))),
            )
          }),
    async connect() {
      const options = lifecycle.options()
      const connection = driver.mysql?.createConnection(
        driver.createConnectionOptions?.(options, options) ?? options,
      )
      if (connection === undefined) throw new TypeError('The driver package is not loaded')
      prepared(connection)
      await promised<unknown>((done) => connection.connect(done))
      return known.single(connection)
    },
    async stop() {
      const closing = pool
      if (closing === undefined || closing === driver.pool) await lifecycle.stop()
      else await promised<unknown>((done) => closing.end(done))
      await lifecycle.sockets.closed()
    },
    abort: () => abort(known, lifecycle),
  }
}

/** pg's pool of a driver. */
export const postgresConnector = (driver: ServerDriver, lifecycle: DriverLifecycle): Connector => {
  const known = new Known<PostgresClient>(
    (client, isPooled, gone) => new PostgresPhysical(client, isPooled, gone),
  )
  let pool: PostgresPool | undefined = driver.master
  return {
    max: lifecycle.max,
    get open() {
      return known.open
    },
    get sockets() {
      return Math.max(lifecycle.sockets.size, known.open + known.singles)
    },
    async start() {
      pool = ((await lifecycle.start()) as ServerDriver).master
      await greeted(this, lifecycle)
    },
    acquire: () =>
      new Promise((resolve, reject) => {
        if (pool === undefined) return reject(new TypeError('The driver is not connected'))
        pool.connect((error, client) => (error ? reject(error) : resolve(known.of(client))))
      }),
    async connect() {
      if (driver.postgres === undefined || pool === undefined)
        throw new TypeError('The driver is not connected')
      const client = new driver.postgres.Client(pool.options)
      client.on('error', () => undefined) // shows in the next query, as that of a pooled one does
      await client.connect()
      return known.single(client)
    },
    async stop() {
      const closing = pool
      if (closing === undefined || closing === driver.master) await lifecycle.stop()
      else await promised<unknown>((done) => closing.end(() => done(null, undefined)))
      await lifecycle.sockets.closed()
    },
    abort: () => abort(known, lifecycle),
  }
}

/** SQLite has one connection, which is not lent. */
export const fileConnector = (lifecycle: DriverLifecycle): Connector => {
  const none = (): Promise<never> => Promise.reject(new TypeError('SQLite lends no connection'))
  return {
    max: Number.POSITIVE_INFINITY,
    open: 0,
    sockets: 0,
    start: async () => void (await lifecycle.start()),
    acquire: none,
    connect: none,
    stop: lifecycle.stop,
    abort: () => undefined,
  }
}

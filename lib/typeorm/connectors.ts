import { callbackify } from 'node:util'
import type { PoolJournal } from '../pool/journal.js'
import type { Connector, VerifiedConnection } from '../pool/lease.js'
import type { Driver, ServerDriver } from './internals.js'
import type {
  Callback,
  MysqlConnection,
  MysqlPool,
  PostgresClient,
  PostgresPool,
} from './native-pools.js'
import { MysqlPhysical, type Physical, PostgresPhysical } from './physical-connections.js'
import type { Sockets } from './sockets.js'

/** TypeORM options of one server, flat. */
type ConnectionOptions = Readonly<Record<string, unknown>>

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
  readonly #journal: PoolJournal

  constructor(
    make: (connection: C, isPooled: boolean, gone: () => void) => Physical,
    journal: PoolJournal,
  ) {
    this.#make = make
    this.#journal = journal
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
    const physical = this.#keep(connection, true, this.#open)
    this.#physical.set(connection, physical)
    return physical
  }

  single(connection: C): Physical {
    return this.#keep(connection, false, this.#single)
  }

  #keep(connection: C, isPooled: boolean, among: Set<Physical>): Physical {
    const physical: Physical = this.#make(connection, isPooled, () => {
      among.delete(physical)
      this.#journal.closed()
    })
    among.add(physical)
    this.#journal.opened()
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
  /** Is shown each connection before it is used. */
  readonly watch: (connection: object) => void
  readonly sockets: Sockets
  /** Is told of each connection's begin and end. */
  readonly journal: PoolJournal
}

/** Takes in the connection with which the driver has tried the server. */
const greeted = async (connector: Connector, { greet, stop }: DriverLifecycle): Promise<void> => {
  try {
    // The connectors below lend nothing else.
    const connection = (await connector.acquire()) as Physical
    connection.purpose = 'greet'
    await greet(connection).finally(() => {
      connection.purpose = 'verify'
      connection.giveBack()
    })
  } catch (error) {
    await stop()
    throw error
  }
}

/** What is different between the driver packages. */
interface Native<C extends object> {
  physical(connection: C, isPooled: boolean, gone: () => void): Physical
  /** Takes over the pool of a driver that has connected: the driver may have another later. */
  adopt(connected: ServerDriver): void
  /** Takes a connection from the pool. By a callback: a promise more would be one for each statement. */
  take(done: Callback<C>): void
  /** Opens a connection beside the pool. */
  connect(): Promise<C>
  /** Whether the pool is still the driver's. */
  isPresent(): boolean
  /** Closes the pool. */
  end(done: Callback<unknown>): void
}

const serverConnector = <C extends object>(
  native: Native<C>,
  lifecycle: DriverLifecycle,
): Connector => {
  const known = new Known<C>(
    (connection, isPooled, gone) => native.physical(connection, isPooled, gone),
    lifecycle.journal,
  )
  return {
    max: lifecycle.max,
    get open() {
      return known.open
    },
    get sockets() {
      return Math.max(lifecycle.sockets.size, known.open + known.singles)
    },
    async start() {
      native.adopt((await lifecycle.start()) as ServerDriver)
      await greeted(this, lifecycle)
    },
    acquire: () =>
      new Promise((resolve, reject) => {
        native.take((error, connection) => {
          if (error) return reject(error)
          lifecycle.watch(connection)
          resolve(known.of(connection))
        })
      }),
    async connect() {
      const connection = await native.connect()
      lifecycle.watch(connection)
      return known.single(connection)
    },
    async stop() {
      if (native.isPresent()) await lifecycle.stop()
      else await promised<unknown>((done) => native.end(done))
      await lifecycle.sockets.closed()
    },
    abort() {
      known.abort()
      lifecycle.sockets.destroy()
    },
  }
}

/** mysql2's pool of a driver. */
export const mysqlConnector = (driver: ServerDriver, lifecycle: DriverLifecycle): Connector => {
  const prepared = (connection: MysqlConnection): MysqlConnection =>
    driver.prepareDbConnection?.(connection) ?? connection
  let pool: MysqlPool | undefined = driver.pool
  const replicated = (): Promise<MysqlConnection> =>
    driver.obtainMasterConnection() as Promise<MysqlConnection>
  const native: Native<MysqlConnection> = {
    physical: (connection, isPooled, gone) => new MysqlPhysical(connection, isPooled, gone),
    adopt(connected) {
      pool = connected.pool
      pool?.on('connection', lifecycle.watch)
    },
    take(done) {
      // Under TypeORM's own replication the driver has no such pool.
      if (pool === undefined) callbackify(replicated)(done)
      else
        pool.getConnection((error, connection) =>
          done(error, error ? connection : prepared(connection)),
        )
    },
    async connect() {
      const options = lifecycle.options()
      const connection = driver.mysql?.createConnection(
        driver.createConnectionOptions?.(options, options) ?? options,
      )
      if (connection === undefined) throw new TypeError('The driver package is not loaded')
      prepared(connection)
      await promised<unknown>((done) => connection.connect(done))
      return connection
    },
    isPresent: () => pool === undefined || pool === driver.pool,
    end: (done) => pool?.end(done),
  }
  return serverConnector(native, lifecycle)
}

/** pg's pool of a driver. */
export const postgresConnector = (driver: ServerDriver, lifecycle: DriverLifecycle): Connector => {
  let pool: PostgresPool | undefined = driver.master
  const native: Native<PostgresClient> = {
    physical: (client, isPooled, gone) => new PostgresPhysical(client, isPooled, gone),
    adopt(connected) {
      pool = connected.master
      pool?.on('connect', lifecycle.watch)
    },
    take(done) {
      if (pool === undefined) throw new TypeError('The driver is not connected')
      pool.connect(done)
    },
    async connect() {
      if (driver.postgres === undefined || pool === undefined)
        throw new TypeError('The driver is not connected')
      const client = new driver.postgres.Client(pool.options)
      client.on('error', () => undefined) // shows in the next query, as that of a pooled one does
      await client.connect()
      return client
    },
    isPresent: () => pool === undefined || pool === driver.master,
    end: (done) => pool?.end(() => done(null, undefined)),
  }
  return serverConnector(native, lifecycle)
}

/** SQLite has one connection, which is not lent. */
export const fileConnector = (lifecycle: DriverLifecycle): Connector => {
  const none = (): Promise<never> => Promise.reject(new TypeError('SQLite lends no connection'))
  return {
    max: Number.POSITIVE_INFINITY,
    open: 0,
    sockets: 0,
    async start() {
      await lifecycle.start()
      lifecycle.journal.opened()
    },
    acquire: none,
    connect: none,
    async stop() {
      await lifecycle.stop()
      lifecycle.journal.closed()
    },
    abort: () => undefined,
  }
}

import type { QueryRunner } from 'typeorm'
import {
  type Driver,
  type ReplicationMode,
  type SchemaBuilder,
  assign,
  familyOf,
  overlayOf,
} from './internals.js'

/** A driver's own life cycle, as its class defines it. */
export interface DriverAccess {
  /**
   * Connects an overlay of the driver, which then has the pool and what was learnt of the server: a
   * driver whose server moves meanwhile can connect to the other one at the same time. SQLite's files do
   * not move; there it is the driver itself.
   *
   * @param extra - settings for the driver's own pool, for this time only
   */
  connect(driver: Driver, extra?: object): Promise<Driver>
  disconnect(driver: Driver): Promise<void>
  afterConnect(driver: Driver): Promise<void>
  createQueryRunner(driver: Driver, mode: ReplicationMode): QueryRunner
  createSchemaBuilder(driver: Driver): SchemaBuilder
}

// Not the prototype: that of an overlay is the driver itself.
const classOf = (driver: Driver): Driver =>
  (driver.constructor as unknown as { prototype: Driver }).prototype

/** Lets a driver read `extra` in its options while `work` begins: it makes its pool before it waits for
 *  anything. The options themselves may be the application's. */
const withExtra = <T>(driver: Driver, extra: object | undefined, work: () => T): T => {
  if (extra === undefined) return work()
  const { options } = driver
  assign(driver, { options: { ...options, extra } as typeof options })
  try {
    return work()
  } finally {
    assign(driver, { options })
  }
}

const connecting = new WeakSet<Driver>()

/** PostgreSQL's driver ends every runner in its list when it disconnects: not those of another attempt. */
const attemptOf = (driver: Driver & { connectedQueryRunners?: QueryRunner[] }): Driver => {
  const attempt = overlayOf(driver)
  return 'connectedQueryRunners' in driver
    ? assign(attempt, { connectedQueryRunners: [] })
    : attempt
}

/** Calls the driver's own methods, past what `watchDriver` puts before them. */
export const driverAccess: DriverAccess = {
  async connect(driver, extra) {
    const attempt = familyOf(driver.options.type) === 'sqlite' ? driver : attemptOf(driver)
    connecting.add(attempt)
    try {
      await withExtra(attempt, extra, () => classOf(driver).connect.call(attempt))
      return attempt
    } finally {
      connecting.delete(attempt)
    }
  },
  disconnect: (driver) => classOf(driver).disconnect.call(driver),
  afterConnect: (driver) => classOf(driver).afterConnect.call(driver),
  createQueryRunner: (driver, mode) => classOf(driver).createQueryRunner.call(driver, mode),
  createSchemaBuilder: (driver) => classOf(driver).createSchemaBuilder.call(driver),
}

/** Whether the driver is just connecting: what it sends is its own set-up. */
export const isConnecting = (driver: Driver): boolean => connecting.has(driver)

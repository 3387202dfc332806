import type { QueryRunner } from 'typeorm'
import type { Driver, ReplicationMode, SchemaBuilder } from './internals.js'

/** A driver's own life cycle, as its class defines it. */
export interface DriverAccess {
  connect(driver: Driver): Promise<void>
  disconnect(driver: Driver): Promise<void>
  afterConnect(driver: Driver): Promise<void>
  createQueryRunner(driver: Driver, mode: ReplicationMode): QueryRunner
  createSchemaBuilder(driver: Driver): SchemaBuilder
}

const classOf = (driver: Driver): Driver => Object.getPrototypeOf(driver) as Driver

const connecting = new WeakSet<Driver>()

/** Calls the driver's own methods, past what `watchDriver` puts before them. */
export const driverAccess: DriverAccess = {
  async connect(driver) {
    connecting.add(driver)
    try {
      await classOf(driver).connect.call(driver)
    } finally {
      connecting.delete(driver)
    }
  },
  disconnect: (driver) => classOf(driver).disconnect.call(driver),
  afterConnect: (driver) => classOf(driver).afterConnect.call(driver),
  createQueryRunner: (driver, mode) => classOf(driver).createQueryRunner.call(driver, mode),
  createSchemaBuilder: (driver) => classOf(driver).createSchemaBuilder.call(driver),
}

/** Whether the driver is just connecting: what it sends is its own set-up. */
export const isConnecting = (driver: Driver): boolean => connecting.has(driver)

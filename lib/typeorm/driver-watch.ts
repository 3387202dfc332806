import type { QueryRunner } from 'typeorm'
import type { Endpoint } from '../topology/snapshot.js'
import { setState } from './binding.js'
import { driverAccess, isConnecting } from './driver-access.js'
import { RoutedEntityManager } from './entity-manager.js'
import type { Driver, ReplicationMode, RunnerQuery } from './internals.js'
import { rawState, sendOwn, traceRaw } from './raw-statements.js'
import { type RunnerState, settling } from './runner-state.js'
import { createRunner } from './runners.js'
import type { Shard } from './shard.js'

/**
 * Puts the library's pools in the place of a driver's own life cycle: `connect` opens the pool of its
 * server, runners asked of it directly are traced as bypasses (or, while it connects, as internal),
 * and its schema builder waits until the server's version is known.
 */
export const watchDriver = (driver: Driver, shard: Shard, endpoint: Endpoint): void => {
  if (shard.family === 'other') return
  Object.defineProperties(driver, {
    createQueryRunner: {
      configurable: true,
      writable: true,
      // Asked of an overlay of the driver while that connects.
      value(this: Driver, mode: ReplicationMode): QueryRunner {
        const isInternal = isConnecting(this)
        const state = isInternal
          ? rawState(shard, endpoint, 'internal', 'connect')
          : rawState(shard, endpoint, 'bypass', 'driver.createQueryRunner')
        return isInternal ? internalRunner(this, mode, state) : createRunner(state, endpoint)
      },
    },
    ...(shard.family === 'postgres' && { executeQuery: executing(driver, shard, endpoint) }),
    createSchemaBuilder: {
      configurable: true,
      writable: true,
      value: () => {
        const builder = driverAccess.createSchemaBuilder(driver)
        const { build, log } = builder
        return Object.assign(builder, {
          build: () => shard.ready().then(() => build.call(builder)),
          log: () => shard.ready().then(() => log.call(builder)),
        })
      },
    },
  })
}

/** PostgreSQL's driver sends by it, past its query runners, what it sets up once it has connected. */
const executing = (driver: Driver, shard: Shard, endpoint: Endpoint): PropertyDescriptor => {
  const { executeQuery } = driver as Driver & {
    executeQuery(connection: object, sql: string): Promise<unknown>
  }
  return {
    configurable: true,
    writable: true,
    value(this: Driver, connection: object, sql: string): Promise<unknown> {
      const settled = traceRaw(rawState(shard, endpoint, 'internal', 'afterConnect'), sql, false)
      const sent = sendOwn(connection, '', () => executeQuery.call(this, connection, sql))
      if (settled === undefined) return sent
      return sent.then(
        (value) => {
          settled()
          return value
        },
        (error: unknown) => {
          settled(error)
          throw error
        },
      )
    },
  }
}

/** A runner of a driver that is just connecting: its pool is not open, so it uses the driver's. */
const internalRunner = (driver: Driver, mode: ReplicationMode, state: RunnerState): QueryRunner => {
  const runner = driverAccess.createQueryRunner(driver, mode)
  setState(runner, state)
  const query = runner.query as RunnerQuery
  return Object.assign(runner, {
    manager: RoutedEntityManager.create(state.shard.view, runner),
    query: (sql: string, parameters?: unknown[], structured?: boolean) => {
      const followed = state.follow(runner, sql, parameters, undefined)
      const send = () => query.call(runner, sql, parameters, structured)
      return settling(followed, followed === undefined ? send() : followed.send(send))
    },
  })
}

import type { QueryRunner } from 'typeorm'
import type { Route } from '../router/decide.js'
import type { Endpoint } from '../topology/snapshot.js'
import { setState } from './binding.js'
import { driverAccess, isConnecting } from './driver-access.js'
import { RoutedEntityManager } from './entity-manager.js'
import type { Driver, ReplicationMode, RunnerQuery } from './internals.js'
import { RunnerState, settling } from './runner-state.js'
import { createRunner } from './runners.js'
import type { Shard } from './shard.js'

/** The route of what is sent to a server by its name: no decision was made. */
export const rawRoute = (shard: Shard, endpoint: Endpoint): Route => ({
  shard: shard.name,
  role: endpoint.role,
  replicaGroup: endpoint.group,
  reason: 'query runner',
  shardReason: 'handle',
  passedOver: [],
  isReadOnly: false,
})

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
        const { runtime } = shard
        const state = new RunnerState({
          runtime,
          shard,
          route: rawRoute(shard, endpoint),
          frame: undefined,
          intent: 'primary runner',
          operation: isInternal ? 'connect' : 'driver.createQueryRunner',
          metadata: undefined,
          kind: isInternal ? 'internal' : 'bypass',
        })
        return isInternal
          ? internalRunner(this, mode, state, endpoint)
          : createRunner(state, endpoint)
      },
    },
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

/** A runner of a driver that is just connecting: its pool is not open, so it uses the driver's. */
const internalRunner = (
  driver: Driver,
  mode: ReplicationMode,
  state: RunnerState,
  endpoint: Endpoint,
): QueryRunner => {
  const runner = driverAccess.createQueryRunner(driver, mode)
  state.standAt(endpoint)
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

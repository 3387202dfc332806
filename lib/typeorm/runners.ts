import type { QueryRunner } from 'typeorm'
import type { Endpoint } from '../topology/snapshot.js'
import { setState } from './binding.js'
import { driverAccess } from './driver-access.js'
import type { Driver, PooledDriver, ReplicationMode } from './internals.js'
import type { RunnerState } from './runner-state.js'
import { routedRunnerClass } from './server-runner.js'
import { sqliteRunner } from './sqlite-runner.js'

type RunnerClass = Parameters<typeof routedRunnerClass>[0]

/** The runner class of a driver, known from the first runner it made. */
const runnerClasses = new WeakMap<object, RunnerClass>()

const runnerClassOf = (driver: Driver): RunnerClass => {
  const key = Object.getPrototypeOf(driver) as object
  let known = runnerClasses.get(key)
  if (known === undefined) {
    known = driverAccess.createQueryRunner(driver, 'master').constructor as RunnerClass
    known = routedRunnerClass(known)
    runnerClasses.set(key, known)
  }
  return known
}

/** TypeORM's name for what a runner may do. A shard on TypeORM's own `replication` reads as asked. */
const modeOf = (state: RunnerState, driver: Driver): ReplicationMode => {
  const { role, isReadOnly } = state.route
  if (role === 'replica' || isReadOnly) return 'slave'
  const isRead = state.intent === 'read' || state.intent === 'replica runner'
  return isRead && (driver as PooledDriver).isReplicated ? 'slave' : 'master'
}

/** Chooses the SQLite server of a runner: there the connection is chosen with the runner. */
const chooseSqlite = (state: RunnerState): Endpoint => {
  const { runtime, shard, route } = state
  const candidates = runtime.pools.candidatesOf(route, shard.topology)
  const endpoint =
    candidates.length === 1
      ? candidates[0]
      : runtime.balancers.of(shard.name, route.replicaGroup)(candidates)
  state.standAt(endpoint, candidates)
  return endpoint
}

/**
 * The query runner of a route. Creating one costs no connection.
 *
 * @param endpoint - the server, where the route leaves no choice
 */
export const createRunner = (state: RunnerState, endpoint?: Endpoint): QueryRunner => {
  const { shard } = state
  if (shard.family === 'sqlite') {
    if (endpoint !== undefined) state.standAt(endpoint)
    const driver = shard.drivers.of(endpoint ?? chooseSqlite(state))
    const runner = sqliteRunner(
      driverAccess.createQueryRunner(driver, 'master'),
      modeOf(state, driver),
    )
    setState(runner, state)
    return runner
  }
  const { driver } = shard
  const mode = modeOf(state, driver)
  const runner = new (runnerClassOf(driver))(driver, mode)
  setState(runner, state)
  return runner
}

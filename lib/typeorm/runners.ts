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

/** The SQLite server of a runner: there the connection is chosen with the runner. */
const sqliteEndpoint = ({ runtime, shard, route }: RunnerState): Endpoint => {
  const candidates = runtime.pools.candidatesOf(route, shard.topology)
  return candidates.length === 1
    ? candidates[0]
    : runtime.balancers.of(shard.name, route.replicaGroup)(candidates)
}

/**
 * The query runner of a route. Creating one costs no connection.
 *
 * @param endpoint - the server, where the route leaves no choice
 */
export const createRunner = (state: RunnerState, endpoint?: Endpoint): QueryRunner => {
  const { shard } = state
  if (shard.family === 'sqlite') {
    state.endpoint = endpoint ?? sqliteEndpoint(state)
    const driver = shard.drivers.of(state.endpoint)
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

import type { QueryRunner } from 'typeorm'
import { failureOf } from '../pool/failure.js'
import type { Lease } from '../pool/lease.js'
import { routed } from './binding.js'
import type { PostgresRunnerInternals, RunnerInternals, RunnerQuery } from './internals.js'
import type { PostgresClient } from './native-pools.js'

/** Puts a leased connection into a MySQL runner. */
const attachMysql = (runner: QueryRunner & RunnerInternals, lease: Lease): unknown => {
  runner.databaseConnection = lease.connection
  return lease.connection
}

/** Puts a leased connection into a PostgreSQL runner, as its own `connect` does: a connection that
 *  fails while it is held ends the runner. */
const attachPostgres = (runner: QueryRunner & PostgresRunnerInternals, lease: Lease): unknown => {
  // The connector of PostgreSQL leases nothing else.
  const client = lease.connection as PostgresClient
  const onError = (error: Error): void => {
    const state = routed(runner)
    // Now: once the lease is released the pool does not hear of it any more.
    lease.failed(failureOf(error) ?? 'lost')
    // A runner that is released could not send its read once more.
    if (state.mayRetry(runner)) return
    state.lostBy = error
    void runner.releasePostgresConnection(error)
  }
  client.on('error', onError)
  runner.releaseCallback = (error) => {
    client.removeListener('error', onError)
    lease.release(error)
  }
  runner.databaseConnection = client
  return client
}

/** Puts a leased connection into its runner. */
export const attach = (runner: QueryRunner, lease: Lease): unknown => {
  const state = routed(runner)
  state.hold(lease)
  lease.holder = runner
  return state.shard.family === 'postgres'
    ? attachPostgres(runner as QueryRunner & PostgresRunnerInternals, lease)
    : attachMysql(runner as QueryRunner & RunnerInternals, lease)
}

/** Lets go of a connection that was lost, so that the next statement takes another. */
const detach = (runner: QueryRunner & Partial<PostgresRunnerInternals>): void => {
  const state = routed(runner)
  const { lease } = state
  runner.databaseConnection = undefined
  runner.databaseConnectionPromise = undefined
  state.lease = undefined
  const error = new Error('The connection was lost')
  if (runner.releaseCallback === undefined) lease?.release(error)
  else runner.releaseCallback(error)
  runner.releaseCallback = undefined
}

/** Sends a read whose connection was lost once more, over another. */
export const sendAgain = (
  runner: QueryRunner,
  sql: string,
  parameters: unknown,
  structured: boolean | undefined,
): Promise<never> => {
  detach(runner)
  routed(runner).isRetry = true
  return (runner.query as RunnerQuery).call(runner, sql, parameters, structured) as Promise<never>
}

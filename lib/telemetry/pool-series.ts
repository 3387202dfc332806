import type { PoolInfo } from '../index.js'
import { hasConnections } from './servers.js'

/** A number, with the label that it may have beside its server's. */
interface Sample {
  readonly value: number
  readonly state?: 'idle' | 'used'
}

/** A metric that is read from the pools. */
export interface PoolMetric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly labels: readonly 'state'[]
  readonly read: (pool: PoolInfo) => readonly Sample[]
}

/** A metric with one value for each server that has connections. */
const ofPool = (
  type: PoolMetric['type'],
  name: string,
  help: string,
  valueOf: (pool: PoolInfo) => number,
): PoolMetric => ({
  name,
  help,
  type,
  labels: [],
  read: (pool) => (hasConnections(pool) ? [{ value: valueOf(pool) }] : []),
})

const ofReplica = (
  type: PoolMetric['type'],
  name: string,
  help: string,
  valueOf: (pool: PoolInfo) => number,
): PoolMetric => ({
  ...ofPool(type, name, help, valueOf),
  read: (pool) => (pool.role === 'replica' ? [{ value: valueOf(pool) }] : []),
})

/** What is told of each server, read from `db.octopus.pools()`. */
export const poolMetrics: readonly PoolMetric[] = [
  {
    name: 'pool_connections',
    help: 'Connections that are open, used or idle.',
    type: 'gauge',
    labels: ['state'],
    read: (pool) =>
      hasConnections(pool)
        ? [
            { state: 'used', value: pool.active },
            { state: 'idle', value: pool.idle },
          ]
        : [],
  },
  ofPool('gauge', 'pool_max_connections', 'The most connections.', ({ max }) => max),
  ofPool('gauge', 'pool_waiting', 'Callers waiting for a connection.', ({ waiting }) => waiting),
  ofPool('counter', 'pool_checkouts_total', 'Connections lent.', ({ checkouts }) => checkouts),
  ofPool(
    'counter',
    'pool_waits_total',
    'Callers who were not served at once.',
    ({ waits }) => waits,
  ),
  ofPool(
    'counter',
    'pool_wait_seconds_total',
    'How long callers waited, together.',
    ({ waitedMs }) => waitedMs / 1000,
  ),
  ofPool(
    'counter',
    'pool_timeouts_total',
    'Callers who had no connection in acquireTimeoutMs.',
    ({ timeouts }) => timeouts,
  ),
  ofPool('counter', 'pool_opened_total', 'Connections made.', ({ opened }) => opened),
  ofPool('counter', 'pool_closed_total', 'Connections that are no more.', ({ closed }) => closed),
  ofPool(
    'counter',
    'pool_connect_seconds_total',
    'How long making connections took, together.',
    ({ connectMs }) => connectMs / 1000,
  ),
  ofPool(
    'counter',
    'pool_connect_failures_total',
    'Attempts to connect that failed.',
    ({ connectFailures }) => connectFailures,
  ),
  ofPool(
    'counter',
    'pool_verifications_total',
    'Connections verified.',
    ({ verifications }) => verifications,
  ),
  ofPool(
    'counter',
    'pool_verification_failures_total',
    'Verifications that found a connection or a server bad.',
    ({ verificationFailures }) => verificationFailures,
  ),
  ofReplica(
    'gauge',
    'replica_out_of_service',
    'Whether a replica is out of service (1) or in service (0).',
    ({ outOfService }) => (outOfService === undefined ? 0 : 1),
  ),
  ofReplica(
    'counter',
    'replica_ejections_total',
    'How often a replica was taken out of service.',
    ({ ejections }) => ejections,
  ),
  ofReplica(
    'counter',
    'replica_returns_total',
    'How often a replica was put back into service.',
    ({ returns }) => returns,
  ),
]

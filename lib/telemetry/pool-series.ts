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

type NumberOf = (pool: PoolInfo) => number

/** A metric with one value for each server that has connections. */
const ofPool = (
  type: PoolMetric['type'],
  name: string,
  help: string,
  valueOf: NumberOf,
): PoolMetric => ({
  name,
  help,
  type,
  labels: [],
  read: (pool) => (hasConnections(pool) ? [{ value: valueOf(pool) }] : []),
})

/** A metric with one value for each replica. */
const ofReplica = (...metric: Parameters<typeof ofPool>): PoolMetric => {
  const [, , , valueOf] = metric
  return {
    ...ofPool(...metric),
    read: (pool) => (pool.role === 'replica' ? [{ value: valueOf(pool) }] : []),
  }
}

const counters: readonly (readonly [name: string, help: string, valueOf: NumberOf])[] = [
  ['checkouts', 'Connections lent.', ({ checkouts }) => checkouts],
  ['waits', 'Callers who were not served at once.', ({ waits }) => waits],
  ['wait_seconds', 'How long callers waited, together.', ({ waitedMs }) => waitedMs / 1000],
  ['timeouts', 'Callers who waited for acquireTimeoutMs in vain.', ({ timeouts }) => timeouts],
  ['opened', 'Connections made.', ({ opened }) => opened],
  ['closed', 'Connections that are no more.', ({ closed }) => closed],
  ['connect_seconds', 'How long making connections took.', ({ connectMs }) => connectMs / 1000],
  ['connect_failures', 'Attempts to connect that failed.', (pool) => pool.connectFailures],
  ['verifications', 'Connections verified.', ({ verifications }) => verifications],
  ['verification_failures', 'Verifications in vain.', (pool) => pool.verificationFailures],
]

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
  ...counters.map(([name, help, valueOf]) =>
    ofPool('counter', `pool_${name}_total`, help, valueOf),
  ),
  ofReplica(
    'gauge',
    'replica_out_of_service',
    'Whether a replica is out of service (1) or in service (0).',
    ({ outOfService }) => (outOfService === undefined ? 0 : 1),
  ),
  ofReplica('counter', 'replica_ejections_total', 'Times taken out.', ({ ejections }) => ejections),
  ofReplica('counter', 'replica_returns_total', 'Times put back.', ({ returns }) => returns),
]

import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api'
import type { ConnectionProxy, PoolInfo, PoolListener } from '../index.js'
import { AttributeSets } from './attribute-sets.js'
import { hasConnections } from './servers.js'
import { secondsBuckets } from './statement-metrics.js'

/** The name of a pool: unique in a data source, and with the data source's name in a process. */
const poolName = (
  { shard, role, node }: Pick<PoolInfo, 'node' | 'role' | 'shard'>,
  source: string | undefined,
): string => `${source === undefined ? '' : `${source}: `}${shard}/${role} ${node}`

/** What is observed of a pool, under which name. */
interface Series {
  readonly instrument: Observable
  observe(pool: PoolInfo): readonly (readonly [number, Attributes?])[]
}

const connectionSeries = (meter: Meter): Series[] => [
  {
    instrument: meter.createObservableUpDownCounter('db.client.connection.count', {
      description: 'The number of connections that are currently in the state described.',
      unit: '{connection}',
    }),
    observe: ({ active, idle }) => [
      [active, { 'db.client.connection.state': 'used' }],
      [idle, { 'db.client.connection.state': 'idle' }],
    ],
  },
  {
    instrument: meter.createObservableUpDownCounter('db.client.connection.max', {
      description: 'The maximum number of open connections allowed.',
      unit: '{connection}',
    }),
    observe: ({ max }) => [[max]],
  },
  {
    instrument: meter.createObservableUpDownCounter('db.client.connection.pending_requests', {
      description: 'The number of current pending requests for an open connection.',
      unit: '{request}',
    }),
    observe: ({ waiting }) => [[waiting]],
  },
  {
    instrument: meter.createObservableCounter('db.client.connection.timeouts', {
      description: 'The number of times that no connection was free in acquireTimeoutMs.',
      unit: '{timeout}',
    }),
    observe: ({ timeouts }) => [[timeouts]],
  },
]

/** What has been done for a server, and no convention has a name for. */
const counters = [
  ['connections.opened', '{connection}', 'Connections made.', 'opened'],
  ['connections.closed', '{connection}', 'Connections that are no more.', 'closed'],
  ['connections.failed', '{attempt}', 'Attempts to connect that failed.', 'connectFailures'],
  ['connections.checkouts', '{checkout}', 'Connections lent.', 'checkouts'],
  ['verifications', '{verification}', 'Connections verified.', 'verifications'],
  ['verifications.failed', '{verification}', 'Verifications in vain.', 'verificationFailures'],
  ['ejections', '{ejection}', 'Replicas taken out of service.', 'ejections'],
  ['returns', '{return}', 'Replicas put back into service.', 'returns'],
] as const

const serverSeries = (meter: Meter): Series[] =>
  counters.map(([name, unit, description, field]) => ({
    instrument: meter.createObservableCounter(`octopus.${name}`, { description, unit }),
    observe: (pool) => [[pool[field]]],
  }))

/** How many replicas of each shard are in service. */
const online = (pools: readonly PoolInfo[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { shard, role, outOfService } of pools)
    if (role === 'replica')
      counts.set(shard, (counts.get(shard) ?? 0) + (outOfService === undefined ? 1 : 0))
  return counts
}

/**
 * Measures the pools whenever somebody reads the metrics.
 *
 * @returns the function that ends it
 */
export const observePools = (
  db: ConnectionProxy,
  meter: Meter,
  source: string | undefined,
  common: Attributes,
): (() => void) => {
  const ofConnections = connectionSeries(meter)
  const ofServers = serverSeries(meter)
  const replicas = meter.createObservableUpDownCounter('octopus.replicas.online', {
    description: 'Replicas in service.',
    unit: '{replica}',
  })
  const tell = (result: BatchObservableResult, series: Series, pool: PoolInfo, of: Attributes) => {
    for (const [value, more] of series.observe(pool))
      result.observe(series.instrument, value, { ...of, ...more })
  }
  const observe = (result: BatchObservableResult): void => {
    const pools = db.octopus.pools()
    for (const pool of pools) {
      const { shard, role, node } = pool
      const server = { 'octopus.shard': shard, 'octopus.role': role, 'octopus.node': node }
      const named = {
        ...common,
        ...server,
        'db.client.connection.pool.name': poolName(pool, source),
      }
      if (hasConnections(pool)) for (const each of ofConnections) tell(result, each, pool, named)
      for (const each of ofServers) tell(result, each, pool, { ...common, ...server })
    }
    for (const [shard, count] of online(pools))
      result.observe(replicas, count, { ...common, 'octopus.shard': shard })
  }
  const instruments = [...ofConnections, ...ofServers].map(({ instrument }) => instrument)
  meter.addBatchObservableCallback(observe, [...instruments, replicas])
  return () => meter.removeBatchObservableCallback(observe, [...instruments, replicas])
}

/** Measures how long connections took to be made, and to be had. */
export const poolTimes = (
  meter: Meter,
  source: string | undefined,
  common: Attributes,
): PoolListener => {
  const advice = { explicitBucketBoundaries: secondsBuckets }
  const create = meter.createHistogram('db.client.connection.create_time', {
    description: 'The time it took to create a new connection.',
    unit: 's',
    advice,
  })
  const wait = meter.createHistogram('db.client.connection.wait_time', {
    description: 'The time it took to obtain an open connection from the pool.',
    unit: 's',
    advice,
  })
  const sets = new AttributeSets()
  return ({ what, shard, role, node }) => {
    if (what.kind !== 'connected' && what.kind !== 'lent') return
    const name = poolName({ shard, role, node }, source)
    const attributes = sets.of(name, () => ({
      ...common,
      'octopus.shard': shard,
      'octopus.role': role,
      'octopus.node': node,
      'db.client.connection.pool.name': name,
    }))
    if (what.kind === 'connected') create.record(what.tookMs / 1000, attributes)
    else wait.record(what.waitedMs / 1000, attributes)
  }
}

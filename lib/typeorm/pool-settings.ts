import type { ResolvedPool } from '../config/resolved.js'
import type { PoolSettings } from '../pool/checkout.js'
import { ProcessLimit } from '../pool/process-limit.js'
import type { ConnectionOptions } from './drivers.js'
import type { EngineFamily } from './internals.js'
import type { Runtime } from './runtime.js'
import type { Sockets } from './sockets.js'
import { verifiersOf } from './verifiers.js'

/** The settings of the pool of one of a shard's servers. */
export const poolSettingsOf = (
  runtime: Runtime,
  pool: ResolvedPool,
  family: EngineFamily,
): PoolSettings => ({
  acquireTimeoutMs: pool.acquireTimeoutMs,
  verify: {
    when: new Set(pool.verify),
    idleMs: pool.verifyIdleMs,
    timeoutMs: pool.verifyTimeoutMs,
    verifiers: verifiersOf(pool.verifiers, family),
  },
  maxLifetimeMs: pool.maxLifetimeMs,
  fallbackLimit: pool.fallbackLimit,
  isThrowaway: pool.connections === 'throwaway',
  limit: runtime.limit,
  unreachable: (endpoint, why) => runtime.health.eject(endpoint, why),
  warn: (message) => runtime.warn(message),
  now: runtime.now,
  random: Math.random,
})

/** How long PostgreSQL may take to connect, where nothing is said: what mysql2 takes by default. */
const connectTimeoutMs = 10_000

const sizeOf = (options: ConnectionOptions, extra: Record<string, unknown>): unknown =>
  extra['connectionLimit'] ?? options['poolSize'] ?? 10

/**
 * What a driver's own pool is told beside the application's options: the settings that it carries out,
 * and limits for what has none. What the application gives in `extra` counts.
 */
export const driverExtra = (
  options: ConnectionOptions,
  family: EngineFamily,
  { idleTimeoutMs }: ResolvedPool,
  sockets: Sockets,
): object | undefined => {
  if (family !== 'mysql' && family !== 'postgres') return undefined
  const extra = (options['extra'] ?? {}) as Record<string, unknown>
  if (family === 'postgres')
    return {
      // A connection to a server that is gone without a word is found out some time.
      keepAlive: true,
      ...sockets.option(family),
      ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMillis: idleTimeoutMs }),
      // Without a limit a server that takes connections and is silent holds its callers for ever.
      ...(options['connectTimeoutMS'] === undefined
        ? { connectionTimeoutMillis: connectTimeoutMs }
        : {}),
      ...extra,
    }
  const size = sizeOf(options, extra)
  return {
    ...sockets.option(family),
    ...extra,
    // mysql2 closes idle connections only if it may keep fewer than it may open. One more than the gate
    // lets through makes it do so, and never counts.
    ...(idleTimeoutMs === undefined
      ? {}
      : { idleTimeout: idleTimeoutMs, maxIdle: Number(size), connectionLimit: Number(size) + 1 }),
  }
}

/** Name of the environment variable by which a process of several knows how many they are. */
export const workersVariable = 'OCTOPUS_WORKERS'

/** How many processes share `maxConnections`. */
export const workersOf = (environment: NodeJS.ProcessEnv): number => {
  const workers = Number(environment[workersVariable])
  return Number.isInteger(workers) && workers > 0 ? workers : 1
}

/** The limit of this process: its share of `maxConnections`. */
export const processLimitOf = (runtime: Runtime): ProcessLimit | undefined => {
  const { maxConnections } = runtime.config
  if (maxConnections === undefined) return undefined
  return new ProcessLimit({
    max: Math.max(1, Math.floor(maxConnections / workersOf(process.env))),
    pools: () => runtime.pools.pools,
    acquireTimeoutMs: runtime.config.shards[0].pool.acquireTimeoutMs,
    now: runtime.now,
  })
}

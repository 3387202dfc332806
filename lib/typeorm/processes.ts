import cluster, { type Worker } from 'node:cluster'
import { endpointsOf } from '../pool/registry.js'
import { workersOf, workersVariable } from './pool-settings.js'
import type { Runtime } from './runtime.js'

/** The most connections that can come to be, by server. */
export interface ConnectionBudget {
  /** Processes that each have these pools. */
  readonly workers: number
  /** The most connections of one process. */
  readonly perProcess: number
  /** The most connections of all processes. */
  readonly total: number
  /** One line for each server, and the sum. */
  readonly lines: readonly string[]
}

/** How many connections the pools can open together, and on which server. */
export const connectionBudget = (runtime: Runtime, workers: number): ConnectionBudget => {
  const { limit, config, store } = runtime
  const used = config.enabled ? endpointsOf(store.current) : [runtime.defaultShard.topology.primary]
  const servers = used.flatMap((endpoint) => {
    const shard = runtime.shard(endpoint.shard)
    return shard.family === 'sqlite' || shard.family === 'other'
      ? []
      : [{ id: endpoint.id, size: shard.drivers.poolSize(endpoint) }]
  })
  const sum = servers.reduce((all, { size }) => all + size, 0)
  const perProcess = Math.min(sum, limit?.max ?? sum)
  const total = perProcess * workers
  const lines = servers.map(
    ({ id, size }) => `${id}: ${workers} × ${size} = ${workers * size} connections`,
  )
  const capped =
    config.maxConnections === undefined ? '' : `, at most ${config.maxConnections} together`
  return {
    workers,
    perProcess,
    total,
    lines: [
      ...lines,
      `${workers} workers × ${servers.length} servers: up to ${total} connections${capped}`,
    ],
  }
}

/** What a primary process of node:cluster calls around its workers. */
export interface ClusterHooks {
  /** Closes every connection of this process, so that none is open across a fork. */
  beforeFork(): Promise<void>
  /** What a worker has to find in its environment: how many share `maxConnections`. */
  env(): Record<string, string>
  /** Does both and forks one worker. */
  fork(env?: Record<string, string>): Promise<Worker>
  /** The same for all workers. */
  forkAll(env?: Record<string, string>): Promise<readonly Worker[]>
  /** For a process that was asleep: drops what did not survive. A worker needs no such call at its
   *  start, since it opens its own connections at their first use. */
  onResume(): Promise<void>
}

/** The hooks for so many workers. */
export const clusterHooksOf = (
  workers: number,
  calls: { readonly disconnect: () => Promise<void>; readonly verify: () => Promise<unknown> },
): ClusterHooks => {
  if (!Number.isInteger(workers) || workers < 1)
    throw new TypeError(`clusterHooks({ workers }) takes a whole number from 1, not ${workers}.`)
  const env = (): Record<string, string> => ({ [workersVariable]: String(workers) })
  const forkOne = (more: Record<string, string> | undefined): Worker =>
    cluster.fork({ ...more, ...env() })
  return {
    beforeFork: calls.disconnect,
    env,
    async fork(more) {
      await calls.disconnect()
      return forkOne(more)
    },
    async forkAll(more) {
      await calls.disconnect()
      return Array.from({ length: workers }, () => forkOne(more))
    },
    async onResume() {
      await calls.verify()
    },
  }
}

/** The number of processes that this one is one of. */
export const ownWorkers = (): number => workersOf(process.env)

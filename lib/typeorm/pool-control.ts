import { shardNamed } from '../scopes/scopes.js'
import { settlesIn } from '../pool/leases.js'
import { endpointsOf } from '../pool/registry.js'
import type { Endpoint } from '../topology/snapshot.js'
import type { Runtime } from './runtime.js'

/** How `verifyAllShards` works. */
export interface VerifyOptions {
  /** Milliseconds that each server has at most. Default: 5000. */
  readonly timeoutMs?: number
  /** Whether failures are only reported. Default: `true`; `false` throws them together. */
  readonly robust?: boolean
}

/** What `verifyAllShards` found out about one server. */
export interface VerifiedNode {
  readonly shard: string
  readonly node: string
  readonly ok: boolean
  /** How many connections were bad, and are replaced when they are needed. */
  readonly reconnected: number
  readonly error: Error | undefined
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error))

const verifyNode = async (
  runtime: Runtime,
  endpoint: Endpoint,
  timeoutMs: number,
): Promise<VerifiedNode> => {
  const { shard, node } = endpoint
  const work = runtime.pools.poolOf(endpoint).verifyIdle()
  try {
    if (!(await settlesIn(work, timeoutMs)))
      throw new Error(`${endpoint.id}: not verified in ${timeoutMs} ms`)
    return { shard, node, ok: true, reconnected: await work, error: undefined }
  } catch (error) {
    work.catch(() => undefined)
    return { shard, node, ok: false, reconnected: 0, error: asError(error) }
  }
}

/** Verifies the idle connections of every pool that is open. Opens none. */
export const verifyAllShards = async (
  runtime: Runtime,
  { timeoutMs = 5000, robust = true }: VerifyOptions,
): Promise<readonly VerifiedNode[]> => {
  const open = endpointsOf(runtime.store.current).filter(
    (endpoint) =>
      runtime.pools.hasConnections(endpoint) && runtime.shard(endpoint.shard).family !== 'sqlite',
  )
  const found = await Promise.all(open.map((endpoint) => verifyNode(runtime, endpoint, timeoutMs)))
  const errors = found.flatMap(({ error }) => (error === undefined ? [] : [error]))
  if (!robust && errors.length > 0)
    throw new AggregateError(errors, `${errors.length} of ${found.length} servers failed`)
  return found
}

/** How `warm` works. */
export interface WarmOptions {
  /** Up to how many milliseconds each shard waits before it connects, at random. Default: 0. */
  readonly jitterMs?: number
}

/** Connects the servers of shards before their first use. */
export const warm = async (
  runtime: Runtime,
  names: readonly string[],
  { jitterMs = 0 }: WarmOptions,
): Promise<void> => {
  const topology = runtime.store.current
  const shards = names.map((name) => shardNamed(topology, name))
  await Promise.all(
    shards.map(async ({ name, primary, replicas }) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * jitterMs))
      await runtime.shard(name).ready()
      const wanted = runtime.config.collapseReplicas ? [primary] : [primary, ...replicas]
      await Promise.all(wanted.map((endpoint) => runtime.pools.poolOf(endpoint).start()))
    }),
  )
}

/** How `disconnectAll` works. */
export interface DisconnectOptions {
  /** Milliseconds that running statements have at most. Default: `drainMs`. */
  readonly timeoutMs?: number
}

/** Closes all connections; the data source connects again at its next use. */
export const disconnectAll = async (
  runtime: Runtime,
  { timeoutMs = runtime.drainMs }: DisconnectOptions,
): Promise<void> => {
  await runtime.pools.closeAll(timeoutMs)
}

import type { NodeDescription, OctopusControl, PoolInfo, ShardDescription } from '../index.js'
import type { Health, HealthView } from './health.js'

/** A shard as the page shows it. */
export interface ShardView extends Omit<ShardDescription, 'nodes'> {
  /** The primary first. */
  readonly servers: readonly ServerView[]
}

/** A server as the page shows it. */
export interface ServerView extends NodeDescription {
  readonly pool: PoolView
  /** Only while a page wants to know, and once it was asked. */
  readonly health?: HealthView | undefined
}

/** What the page shows of a pool. */
export type PoolView = Pick<PoolInfo, 'state' | 'active' | 'idle' | 'waiting'> &
  Pick<PoolInfo, 'opened' | 'checkouts' | 'waits' | 'connectFailures' | 'ejections'> & {
    /** Null without a limit, as for SQLite, and before its first use. */
    readonly max: number | null
  }

/** What the page shows beside the routes. */
export interface StateView {
  readonly isEnabled: boolean
  readonly collapsesReplicas: boolean
  readonly shards: readonly ShardView[]
  /** Why the servers could not be asked how they are. */
  readonly healthProblem?: string | undefined
}

const poolView = (pool: PoolInfo): PoolView => {
  const { state, max, active, idle, waiting, opened, checkouts, waits } = pool
  const { connectFailures, ejections } = pool
  return {
    state,
    max: Number.isFinite(max) && max > 0 ? max : null,
    active,
    idle,
    waiting,
    opened,
    checkouts,
    waits,
    connectFailures,
    ejections,
  }
}

const neverUsed: PoolView = {
  state: 'idle',
  max: null,
  active: 0,
  idle: 0,
  waiting: 0,
  opened: 0,
  checkouts: 0,
  waits: 0,
  connectFailures: 0,
  ejections: 0,
}

/** The topology and the pools as they are now. */
export const currentState = (octopus: OctopusControl, health: Health): StateView => {
  const { isEnabled, collapsesReplicas, shards } = octopus.topology()
  const keyOf = (shard: string, role: string, node: string): string =>
    JSON.stringify([shard, role, node])
  const pools = new Map(
    octopus.pools().map((pool) => [keyOf(pool.shard, pool.role, pool.node), poolView(pool)]),
  )
  return {
    isEnabled,
    collapsesReplicas,
    healthProblem: health.problem,
    shards: shards.map(({ nodes, ...shard }) => ({
      ...shard,
      servers: nodes.map((node) => ({
        ...node,
        pool: pools.get(keyOf(shard.name, node.role, node.node)) ?? neverUsed,
        health: health.of(shard.name, node.role, node.node),
      })),
    })),
  }
}

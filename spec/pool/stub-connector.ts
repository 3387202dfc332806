import type { Connector, RawConnection } from '../../lib/pool/lease.js'
import { topologyOf } from '../../lib/topology/snapshot.js'
import { configWith } from '../support/topology.js'

/** A connection that knows whether it is lent. */
export class StubConnection implements RawConnection {
  readonly connection = this
  isLent = true
  readonly releasedWith: unknown[] = []
  release(error?: unknown): void {
    this.isLent = false
    this.releasedWith.push(error)
  }
}

/** A driver's pool in memory, with switches for what can go wrong. */
export class StubConnector implements Connector {
  readonly max: number
  readonly connections: StubConnection[] = []
  opens = 0
  closes = 0
  /** While set, opening fails with it. */
  openFault: Error | undefined
  /** While set, connections cannot be had. */
  acquireFault: Error | undefined
  /** While set, closing fails with it. */
  closeFault: Error | undefined
  /** While set, opening waits for it. */
  openGate: Promise<void> | undefined

  constructor(max = 2) {
    this.max = max
  }

  async open(): Promise<void> {
    this.opens += 1
    await this.openGate
    if (this.openFault) throw this.openFault
  }

  async acquire(): Promise<StubConnection> {
    if (this.acquireFault) throw this.acquireFault
    const connection = new StubConnection()
    this.connections.push(connection)
    return connection
  }

  async close(): Promise<void> {
    this.closes += 1
    if (this.closeFault) throw this.closeFault
  }

  /** How many connections are lent. */
  get lent(): number {
    return this.connections.filter(({ isLent }) => isLent).length
  }
}

const topology = topologyOf(
  configWith({ brazil: { replicas: [{ name: 'br-2' }, { name: 'br-3', group: 'reports' }] } }),
)

/** The topology of the pool specs: one shard with two replicas. */
export const brazil = topology.shards.get('brazil')!
export const brazilTopology = topology

/** Settles what `work` throws or rejects with. */
export const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

import type { Connector, PhysicalConnection } from '../../lib/pool/lease.js'
import type { Checkout, PoolSettings } from '../../lib/pool/endpoint-pool.js'
import type { Lease } from '../../lib/pool/lease.js'
import { topologyOf, type Endpoint } from '../../lib/topology/snapshot.js'
import { configWith } from '../support/topology.js'

/** A connection that knows whether it is lent, and says what it is told to. */
export class StubConnection implements PhysicalConnection {
  readonly connection = this
  readonly engine = 'mysql'
  readonly id = 7
  epoch: number | undefined = undefined
  usedAt = 0
  expiresAt = Number.POSITIVE_INFINITY
  isLent = true
  isClosed = false
  pings = 0
  constructor(readonly connector: StubConnector) {}

  async ping(): Promise<void> {
    this.pings += 1
    await this.connector.pingGate
    if (this.connector.pingFault) throw this.connector.pingFault
  }

  async query(): Promise<readonly Record<string, unknown>[]> {
    return []
  }

  giveBack(): void {
    this.isLent = false
    if (!this.isClosed) this.connector.resting.push(this)
  }

  close(): void {
    this.isLent = false
    this.isClosed = true
  }

  async closed(): Promise<void> {}
}

/** A driver's pool in memory, with switches for what can go wrong. */
export class StubConnector implements Connector {
  readonly max: number
  readonly connections: StubConnection[] = []
  readonly resting: StubConnection[] = []
  opens = 0
  closes = 0
  aborts = 0
  /** While set, opening fails with it. */
  openFault: Error | undefined
  /** While set, connections cannot be had. */
  acquireFault: Error | undefined
  /** While set, a ping fails with it. */
  pingFault: Error | undefined
  /** While set, closing fails with it. */
  closeFault: Error | undefined
  /** While set, opening, a ping or closing waits for it. */
  openGate: Promise<void> | undefined
  pingGate: Promise<void> | undefined
  closeGate: Promise<void> | undefined

  constructor(max = 2) {
    this.max = max
  }

  async start(): Promise<void> {
    this.opens += 1
    await this.openGate
    if (this.openFault) throw this.openFault
  }

  async acquire(): Promise<StubConnection> {
    const resting = this.resting.pop()
    if (resting !== undefined) {
      resting.isLent = true
      return resting
    }
    return this.connect()
  }

  async connect(): Promise<StubConnection> {
    if (this.acquireFault) throw this.acquireFault
    const connection = new StubConnection(this)
    this.connections.push(connection)
    return connection
  }

  async stop(): Promise<void> {
    this.closes += 1
    await this.closeGate
    if (this.closeFault) throw this.closeFault
  }

  abort(): void {
    this.aborts += 1
  }

  /** How many connections are open. */
  get open(): number {
    return this.connections.filter(({ isClosed }) => !isClosed).length
  }

  get sockets(): number {
    return this.open
  }

  /** How many connections are lent. */
  get lent(): number {
    return this.connections.filter(({ isLent }) => isLent).length
  }
}

/** An error as Node gives it for a server that is not there. */
export const refused = (): Error =>
  Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

/** Settings of a pool that verifies nothing, unless said otherwise. */
export const settingsWith = (settings: Partial<PoolSettings> = {}): PoolSettings => ({
  acquireTimeoutMs: 100,
  verify: { when: new Set(), idleMs: 30_000, timeoutMs: 50, verifiers: [] },
  maxLifetimeMs: 0,
  fallbackLimit: undefined,
  isThrowaway: false,
  limit: undefined,
  unreachable: () => undefined,
  warn: () => undefined,
  now: () => 0,
  random: () => 0,
  ...settings,
})

/** A request that nobody owns, which goes nowhere else. */
export const requestOf = <T>(
  candidates: readonly Endpoint[],
  use: (lease: Lease) => T,
  more: Partial<Checkout<T>> = {},
): Checkout<T> => ({
  candidates,
  asker: { owner: undefined, connectionScope: undefined, isRetry: false, callSite: undefined },
  isFallback: false,
  use,
  otherwise: (error) => Promise.reject(error),
  ...more,
})

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

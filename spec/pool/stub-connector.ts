import type { Connector, PhysicalConnection } from '../../lib/pool/lease.js'
import type { Checkout, PoolSettings } from '../../lib/pool/checkout.js'
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
  /** What was run on it. */
  readonly statements: string[] = []
  constructor(
    readonly connector: StubConnector,
    readonly isPooled = true,
  ) {}

  async ping(): Promise<void> {
    this.pings += 1
    await this.connector.pingGate
    if (this.connector.pingFault) throw this.connector.pingFault
  }

  async query(sql: string): Promise<readonly Record<string, unknown>[]> {
    this.statements.push(sql)
    await this.connector.queryGate
    return []
  }

  giveBack(): void {
    this.isLent = false
    if (this.isClosed) return
    if (this.isPooled) this.connector.resting.push(this)
    else this.close()
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
  /** How often a connection was asked of the server. */
  attempts = 0
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
  /** While set, opening, connecting, a ping, a statement or closing waits for it. */
  openGate: Promise<void> | undefined
  connectGate: Promise<void> | undefined
  queryGate: Promise<void> | undefined
  pingGate: Promise<void> | undefined
  closeGate: Promise<void> | undefined

  #hasStopped = false

  constructor(max = 2) {
    this.max = max
  }

  async start(): Promise<void> {
    this.opens += 1
    await this.openGate
    if (this.openFault) throw this.openFault
    this.#hasStopped = false
  }

  async acquire(): Promise<StubConnection> {
    // As mysql2 says it.
    if (this.#hasStopped) throw new Error('Pool is closed.')
    const resting = this.resting.findLast(({ isClosed }) => !isClosed)
    if (resting === undefined) return this.#make(true)
    this.resting.splice(this.resting.indexOf(resting), 1)
    resting.isLent = true
    return resting
  }

  connect(): Promise<StubConnection> {
    return this.#make(false)
  }

  async #make(isPooled: boolean): Promise<StubConnection> {
    this.attempts += 1
    await this.connectGate
    if (this.acquireFault) throw this.acquireFault
    const connection = new StubConnection(this, isPooled)
    this.connections.push(connection)
    return connection
  }

  async stop(): Promise<void> {
    this.closes += 1
    this.#hasStopped = true
    await this.closeGate
    if (this.closeFault) throw this.closeFault
    for (const connection of this.resting.splice(0)) connection.close()
  }

  abort(): void {
    this.aborts += 1
  }

  get open(): number {
    return this.connections.filter(({ isClosed, isPooled }) => isPooled && !isClosed).length
  }

  get sockets(): number {
    return this.connections.filter(({ isClosed }) => !isClosed).length
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

/** What is told of a server that is nowhere. */
export const nowhere = {
  engine: 'mysql',
  host: undefined,
  port: undefined,
  database: undefined,
} as const

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

/** Lets what was started run as far as it can. */
export const settle = (): Promise<void> => new Promise(setImmediate)

/** A promise that is settled from outside. */
export const gate = (): { readonly promise: Promise<void>; readonly open: () => void } => {
  let open = (): void => undefined
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return { promise, open: () => open() }
}

import type { ConnectFailure } from '../errors.js'
import type { Endpoint } from '../topology/snapshot.js'
import { type PoolEvent, PoolListeners } from './listeners.js'

/**
 * What was done for one server since its first use. Numbers only grow: over replacements of the pool by
 * `updateNode`, over `disconnectAll`, and over `destroy` and `initialize`. Those of a server that is
 * removed are forgotten.
 */
export interface PoolCounts {
  /** Connections made; of SQLite, how often it was opened. */
  readonly opened: number
  /** Connections that are no more, whoever ended them. */
  readonly closed: number
  /** Milliseconds that making connections took, all together. */
  readonly connectMs: number
  /** Attempts to connect that failed, those among them that tried whether a server is back. */
  readonly connectFailures: number
  /** Why the last of them failed. */
  readonly lastConnectFailure: ConnectFailure | undefined
  /** Connections lent. */
  readonly checkouts: number
  /** Callers who were not served at once: the pool was full, not open yet, or its server away. */
  readonly waits: number
  /** Milliseconds that they waited, all together, also in vain. */
  readonly waitedMs: number
  /** Callers who had no connection after `acquireTimeoutMs`, also because of `maxConnections`. */
  readonly timeouts: number
  /** Connections verified, by a ping at least. */
  readonly verifications: number
  /** Verifications by which a connection was found bad, or a server in the wrong role. */
  readonly verificationFailures: number
  /** How often the replica was taken out of service. */
  readonly ejections: number
  /** How often it was put back into service. */
  readonly returns: number
}

type Counting = { -readonly [Name in keyof PoolCounts]: PoolCounts[Name] }

/** The numbers of a server that was never used. */
export const noCounts: PoolCounts = Object.freeze({
  opened: 0,
  closed: 0,
  connectMs: 0,
  connectFailures: 0,
  lastConnectFailure: undefined,
  checkouts: 0,
  waits: 0,
  waitedMs: 0,
  timeouts: 0,
  verifications: 0,
  verificationFailures: 0,
  ejections: 0,
  returns: 0,
})

/** Counts what is done for one server, whichever pool does it, and tells those who listen. */
export class PoolJournal {
  readonly #endpoint: Endpoint
  readonly #listeners: PoolListeners
  readonly #counts: Counting = { ...noCounts }

  constructor(endpoint: Endpoint, listeners = new PoolListeners()) {
    this.#endpoint = endpoint
    this.#listeners = listeners
  }

  /** The numbers as they are now. */
  get counts(): PoolCounts {
    return { ...this.#counts }
  }

  /** There is one connection more. */
  opened(): void {
    this.#counts.opened += 1
  }

  /** There is one connection less. */
  closed(): void {
    this.#counts.closed += 1
  }

  /** A connection was made, which took so many milliseconds. */
  connected(tookMs: number): void {
    this.#counts.connectMs += tookMs
    if (this.#listeners.isOn) this.#tell({ kind: 'connected', tookMs })
  }

  connectFailed(failure: ConnectFailure): void {
    this.#counts.connectFailures += 1
    this.#counts.lastConnectFailure = failure
    if (this.#listeners.isOn) this.#tell({ kind: 'connect-failed', failure })
  }

  /** A connection was lent, after a wait of so many milliseconds. */
  lent(waitedMs: number): void {
    this.#counts.checkouts += 1
    if (this.#listeners.isOn) this.#tell({ kind: 'lent', waitedMs })
  }

  /** A caller's wait for his turn is over. */
  waited(ms: number): void {
    this.#counts.waits += 1
    this.#counts.waitedMs += ms
  }

  timedOut(): void {
    this.#counts.timeouts += 1
    if (this.#listeners.isOn) this.#tell({ kind: 'timed-out' })
  }

  verified(isGood: boolean): void {
    this.#counts.verifications += 1
    if (!isGood) this.#counts.verificationFailures += 1
  }

  /** The replica was taken out of service. */
  ejected(why: string): void {
    this.#counts.ejections += 1
    if (this.#listeners.isOn) this.#tell({ kind: 'out-of-service', why })
  }

  /** The replica is in service again. */
  returned(): void {
    this.#counts.returns += 1
    if (this.#listeners.isOn) this.#tell({ kind: 'in-service' })
  }

  #tell(what: PoolEvent['what']): void {
    const { shard, role, node } = this.#endpoint
    this.#listeners.tell({ at: Date.now(), shard, role, node, what })
  }
}

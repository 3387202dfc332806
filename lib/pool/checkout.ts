import type { Endpoint } from '../topology/snapshot.js'
import type { Asker, Lease } from './lease.js'
import type { SupplySettings } from './supply.js'
import type { TrustSettings } from './trust.js'

/** Settings and surroundings of a pool. Times in milliseconds. */
export interface PoolSettings extends TrustSettings, SupplySettings {
  /** How long a checkout waits for a connection at most; 0 waits for ever. */
  readonly acquireTimeoutMs: number
  /** How many connections reads may take in the place of replicas; undefined is half. */
  readonly fallbackLimit: number | undefined
  /** Is told when the server could not be reached, or was lost. */
  readonly unreachable: (endpoint: Endpoint, why: string) => void
}

/** One request for a connection. */
export interface Checkout<T> {
  /** The servers among which this one was chosen. */
  readonly candidates: readonly Endpoint[]
  readonly asker: Asker
  /** Whether a primary serves in the place of replicas. */
  readonly isFallback: boolean
  /** Is given the lease and makes the result; what it throws releases the lease. */
  use(lease: Lease): T
  /** What is done where the server cannot be reached, or was replaced. */
  otherwise(error: Error): Promise<T>
}

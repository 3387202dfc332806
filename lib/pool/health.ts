import type { Endpoint } from '../topology/snapshot.js'
import { type BackoffLimits, backoffMs } from './backoff.js'
import { reasonOf } from './connect-failure.js'

const returning: BackoffLimits = { firstMs: 1000, longestMs: 30_000 }

/** What it needs of its surroundings. */
export interface HealthOptions {
  /** Takes a replica out of the topology, or back into it. */
  readonly setOnline: (endpoint: Endpoint, isOnline: boolean) => void
  /** Whether the server is still one of the topology's. */
  readonly isKnown: (endpoint: Endpoint) => boolean
  /** Tries to use the server; rejects if it cannot be used. */
  readonly probe: (endpoint: Endpoint) => Promise<void>
  readonly warn: (message: string) => void
  readonly random: () => number
}

interface Ejection {
  readonly endpoint: Endpoint
  why: string
  tries: number
  timer: NodeJS.Timeout | undefined
}

/**
 * Takes replicas that cannot be reached out of service, and brings them back. One is probed at once,
 * as the loss of a connection may be no more than that, then after 1 s and up to 30 s apart.
 */
export class Health {
  readonly #options: HealthOptions
  readonly #ejected = new Map<string, Ejection>()

  constructor(options: HealthOptions) {
    this.#options = options
  }

  /** Whether every replica is in service. */
  get isWhole(): boolean {
    return this.#ejected.size === 0
  }

  /** Why a replica is out of service; undefined if it is not. */
  whyOut(endpoint: Endpoint): string | undefined {
    return this.#ejected.get(endpoint.id)?.why
  }

  /** Takes a replica out of service. */
  eject(endpoint: Endpoint, why: string): void {
    if (endpoint.role !== 'replica' || !this.#options.isKnown(endpoint)) return
    const known = this.#ejected.get(endpoint.id)
    if (known !== undefined) {
      known.why = why
      return
    }
    const ejection: Ejection = { endpoint, why, tries: 0, timer: undefined }
    this.#ejected.set(endpoint.id, ejection)
    this.#options.setOnline(endpoint, false)
    this.#schedule(endpoint, ejection, 0)
  }

  #schedule(endpoint: Endpoint, ejection: Ejection, ms: number): void {
    ejection.timer = setTimeout(() => void this.#probe(endpoint, ejection), ms)
    ejection.timer.unref()
  }

  async #probe(endpoint: Endpoint, ejection: Ejection): Promise<void> {
    const { probe, random, warn } = this.#options
    try {
      await probe(endpoint)
    } catch (error) {
      if (this.#ejected.get(endpoint.id) !== ejection) return
      if (ejection.tries === 0) warn(`${endpoint.id} is out of service: ${ejection.why}`)
      ejection.why = error instanceof Error ? reasonOf(error) : String(error)
      const ms = backoffMs(ejection.tries, returning, random)
      ejection.tries += 1
      this.#schedule(endpoint, ejection, ms)
      return
    }
    if (this.#ejected.get(endpoint.id) !== ejection) return
    if (ejection.tries > 0) warn(`${endpoint.id} is back in service`)
    this.#restore(endpoint)
  }

  #restore(endpoint: Endpoint): void {
    clearTimeout(this.#ejected.get(endpoint.id)?.timer)
    this.#ejected.delete(endpoint.id)
    if (this.#options.isKnown(endpoint)) this.#options.setOnline(endpoint, true)
  }

  /** Gives a replica that was reconfigured a fresh start, or forgets one that is gone. */
  forget(endpoint: Endpoint): void {
    if (this.#ejected.has(endpoint.id)) this.#restore(endpoint)
  }

  /** Ends all probing and puts everything back into service, for a start from the beginning. */
  reset(): void {
    for (const { endpoint } of this.#ejected.values()) this.#restore(endpoint)
  }
}

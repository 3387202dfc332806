import { Gate } from './gate.js'
import { AcquireTimeoutError } from '../errors.js'

/** A pool, as far as a limit of the process concerns it. */
export interface LimitedPool {
  readonly endpoint: { readonly id: string }
  readonly numbers: AcquireTimeoutError['pool']
  /** Connections that are open and not lent. */
  readonly idle: number
  readonly open: number
  readonly lastUsedAt: number
  shed(): Promise<boolean>
}

/** What it needs of its surroundings. Times in milliseconds. */
export interface ProcessLimitOptions {
  readonly max: number
  readonly pools: () => Iterable<LimitedPool>
  readonly acquireTimeoutMs: number
  readonly now: () => number
}

/**
 * Keeps the connections of all pools together below a limit. Who needs one more has an idle one of
 * the pool that was used least recently closed; where none is idle he waits until one is given back.
 */
export class ProcessLimit {
  readonly #options: ProcessLimitOptions
  readonly #turn: Gate
  #opening = 0
  #returned: (() => void) | undefined
  #changes = 0
  /** The scopes that keep connections of their own. */
  readonly scopes = new Set<{ shed(): Promise<boolean> }>()

  constructor(options: ProcessLimitOptions) {
    this.#options = options
    this.#turn = new Gate(1, options.now)
  }

  /** The most connections of this process. */
  get max(): number {
    return this.#options.max
  }

  /** Whether somebody waits for a connection to be given back. */
  get isAwaited(): boolean {
    return this.#returned !== undefined
  }

  get #open(): number {
    let open = this.#opening
    for (const pool of this.#options.pools()) open += pool.open
    return open
  }

  /**
   * Makes room for one more connection, one caller after the other.
   *
   * @param open - opens it
   * @throws AcquireTimeoutError if there is no room in `acquireTimeoutMs`
   */
  async claim<T>(pool: LimitedPool, open: () => Promise<T>): Promise<T> {
    const { acquireTimeoutMs, now, max } = this.#options
    const started = now()
    const late = (): AcquireTimeoutError =>
      new AcquireTimeoutError(
        `${pool.endpoint.id}, by the limit of ${max} connections of the process (maxConnections)`,
        Math.round(now() - started),
        pool.numbers,
        { oldestLeaseMs: undefined, heldByScope: 0, takenAt: undefined },
      )
    await this.#turn.enter(acquireTimeoutMs, late)
    try {
      while (this.#open >= max) {
        const changes = this.#changes
        if (!(await this.#shedOne()) && changes === this.#changes) {
          const left = acquireTimeoutMs === 0 ? undefined : acquireTimeoutMs - (now() - started)
          if (!(await this.#somethingReturned(left))) throw late()
        }
      }
      this.#opening += 1
    } finally {
      this.#turn.leave()
    }
    try {
      return await open()
    } finally {
      this.#opening -= 1
      this.notify()
    }
  }

  async #shedOne(): Promise<boolean> {
    const idle = [...this.#options.pools()].filter((pool) => pool.idle > 0)
    idle.sort((one, other) => one.lastUsedAt - other.lastUsedAt)
    for (const pool of idle) if (await pool.shed()) return true
    for (const scope of this.scopes) if (await scope.shed()) return true
    return false
  }

  #somethingReturned(ms: number | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#returned = undefined
        resolve(false)
      }
      const timer = ms === undefined ? undefined : setTimeout(giveUp, Math.max(1, ms))
      this.#returned = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  /** Tells who waits that a connection was given back or closed. */
  notify(): void {
    this.#changes += 1
    const returned = this.#returned
    this.#returned = undefined
    returned?.()
  }
}

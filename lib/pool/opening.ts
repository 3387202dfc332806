/** `idle`: nothing opened yet. */
export type PoolState = 'idle' | 'opening' | 'open' | 'closed'

/** What is opened. */
export interface Openable {
  open(keepsFirst: boolean): Promise<void>
  /** Takes back what `open` did. */
  stop(): Promise<void>
  /** The error for those who waited. `closings` is as it was when the opening began. */
  failed(error: unknown, closings: number): Error
}

/** Opens and closes a pool: once for all who ask at a time, and anew after it was closed. */
export class Opening {
  readonly #pool: Openable
  #state: PoolState = 'idle'
  #current: Promise<void> | undefined
  #abandon: ((error: Error) => void) | undefined
  /** How often it was closed: what was asked for before a close is not given after it. */
  #closings = 0

  constructor(pool: Openable) {
    this.#pool = pool
  }

  get state(): PoolState {
    return this.#state
  }

  get closings(): number {
    return this.#closings
  }

  get isUnderWay(): boolean {
    return this.#current !== undefined
  }

  start(keepsFirst: boolean): Promise<void> {
    if (this.#state === 'open') return Promise.resolve()
    this.#current ??= new Promise<void>((resolve, reject) => {
      this.#abandon = reject
      this.#open(keepsFirst).then(resolve, reject)
    }).finally(() => {
      this.#current = undefined
      this.#abandon = undefined
    })
    return this.#current
  }

  async #open(keepsFirst: boolean): Promise<void> {
    const closings = this.#closings
    this.#state = 'opening'
    try {
      await this.#pool.open(keepsFirst)
    } catch (error) {
      if (closings === this.#closings) this.#state = 'idle'
      throw this.#pool.failed(error, closings)
    }
    if (closings === this.#closings) this.#state = 'open'
    else {
      await this.#pool.stop()
      throw this.#pool.failed(undefined, closings)
    }
  }

  /** Takes over what somebody else has opened. */
  adopt(): void {
    this.#state = 'open'
  }

  /** Lets those who wait for the opening go, which goes on by itself and is closed at its end. */
  abandon(error: Error): void {
    this.#abandon?.(error)
  }

  /** Is closed from now on; says whether there is anything to close. */
  async close(): Promise<boolean> {
    this.#closings += 1
    if (this.#current !== undefined) await this.#current.catch(() => undefined)
    const wasOpen = this.#state === 'open'
    this.#state = 'closed'
    return wasOpen
  }
}

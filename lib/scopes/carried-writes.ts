import type { WritesSeal } from '../config/resolved.js'
import type { WriteLedger } from '../context/frame.js'
import { ConfigError, WritesTokenError } from '../errors.js'
import type { Topology } from '../topology/snapshot.js'
import { everyShard, openWrites, sealWrites } from './writes-token.js'

/** What a scope begins with. */
export interface ScopeOptions {
  /**
   * What `exportWrites()` gave in another scope, such as that of the request before, or in another
   * process: reads follow those writes too. Nothing and an empty text are none.
   */
  readonly writes?: string | null | undefined
  /**
   * `throwaway`: the scope opens connections of its own, also for work that it runs in parallel or does
   * not wait for, and closes them at its end. Default: `pooled`, as around it.
   */
  readonly connections?: 'pooled' | 'throwaway' | undefined
  /**
   * What becomes of work that asks a throw-away scope for a connection after its end. `refuse`: it gets a
   * `ScopeEndedError`. `connect`: a connection is opened for it, and closed after the statement or the
   * transaction. Default: `refuse`.
   */
  readonly late?: 'refuse' | 'connect' | undefined
}

/** What `exportWrites()` tells of. */
export interface ExportWritesOptions {
  /** Whether a scope that has written nothing itself, and was told by a token only, gives none. */
  readonly onlyNew?: boolean
}

/** The clocks of a process, in milliseconds. */
export interface Clocks {
  /** Never goes back, and means nothing to other processes: ledgers are kept in it. */
  readonly monotonic: () => number
  /** Means the same everywhere: tokens are written in it. */
  readonly wall: () => number
}

/** Carries what a ledger holds to other processes, as a token. */
export class CarriedWrites {
  readonly #seal: WritesSeal | undefined
  readonly #windowMs: number
  readonly #clocks: Clocks
  /** What ledgers were told by tokens, to tell it from what was written in their scopes. */
  readonly #told = new WeakMap<WriteLedger, Map<string, number>>()

  /**
   * @param seal - undefined where there is no secret
   * @param windowMs - for how long a write counts
   */
  constructor(seal: WritesSeal | undefined, windowMs: number, clocks: Clocks) {
    this.#seal = seal
    this.#windowMs = windowMs
    this.#clocks = clocks
  }

  /**
   * What signs tokens and checks them.
   *
   * @param call - what is about to, for the message
   * @throws ConfigError without a secret
   */
  sealFor(call: string): WritesSeal {
    if (this.#seal !== undefined) return this.#seal
    const message = `is missing, and ${call} needs it; set it to at least 32 characters that nobody can guess, the same in every process`
    throw new ConfigError([{ path: 'readYourWrites.secret', message }])
  }

  /**
   * A token of what was written within the window; undefined if nothing was.
   *
   * @param onlyNew - whether what tokens told counts as nothing
   */
  export(ledger: WriteLedger, seal: WritesSeal, onlyNew: boolean): string | undefined {
    const now = this.#clocks.monotonic()
    const told = onlyNew ? this.#told.get(ledger) : undefined
    const recent = [...ledger].filter(([, at]) => now - at < this.#windowMs)
    if (recent.every(([shard, at]) => told?.get(shard) === at)) return undefined
    const wall = this.#clocks.wall()
    const times = new Map(recent.map(([shard, at]) => [shard, Math.ceil(wall - (now - at))]))
    return sealWrites(times, Math.max(...times.values()) + this.#windowMs, seal)
  }

  /**
   * Adds to a ledger what a token tells. A time to come, of a host whose clock is ahead, is now, so
   * that no write counts for longer than the window.
   *
   * @throws WritesTokenError if it is refused; the ledger is then as it was
   */
  import(token: unknown, ledger: WriteLedger, seal: WritesSeal, topology: Topology): void {
    const wall = this.#clocks.wall()
    const now = this.#clocks.monotonic()
    const times = [...openWrites(token, seal, wall)].flatMap(([shard, at]) =>
      (shard === everyShard ? topology.shardNames : [shard]).map((name) => [name, at] as const),
    )
    if (!times.every(([shard]) => topology.shards.has(shard))) throw new WritesTokenError('foreign')
    const told = this.#told.get(ledger) ?? new Map<string, number>()
    this.#told.set(ledger, told)
    for (const [shard, at] of times) {
      const ago = Math.max(0, wall - at)
      const writtenAt = now - ago
      if (ago >= this.#windowMs || writtenAt <= (ledger.get(shard) ?? -Infinity)) continue
      ledger.set(shard, writtenAt)
      told.set(shard, writtenAt)
    }
  }
}

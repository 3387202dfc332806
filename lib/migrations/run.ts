import { UnknownShardError } from '../errors.js'
import { valuesOrThrow, visitShards } from '../scopes/fan-out.js'
import { type MigrationEventBody, asError, eventError } from './events.js'
import {
  type MigrationDirection,
  type MigrationReport,
  type RunOutcome,
  type ShardReport,
  unreached,
  untouched,
} from './report.js'

/** How a run over several shards goes. */
export interface RunPolicy {
  /** How many shards are worked on at a time. */
  readonly concurrency: number
  /** `stop`: after a failure no migration is begun any more, on any shard. */
  readonly onError: 'stop' | 'continue'
  /** The shard that is done before all others; they follow only if it succeeds. */
  readonly first: string | undefined
  /** Asks, after the first shard, whether to go on. */
  readonly confirm: ((first: ShardReport) => Promise<boolean> | boolean) | undefined
  /** Ends the run: what is under way is finished, and nothing more is begun. */
  readonly signal: AbortSignal | undefined
}

/** Tells a shard's work whether it may begin another migration. */
export interface RunGate {
  readonly isOpen: boolean
  /** Ends waiting for a lock. */
  readonly signal: AbortSignal
}

/** Does one shard's part of a run: a failure is in its report. Rejects only where it could not begin. */
export type ShardWork = (shard: string, gate: RunGate) => Promise<ShardReport>

/** Closes when the run is interrupted, or fails under the policy `stop`. */
class Gate implements RunGate {
  readonly #controller = new AbortController()
  readonly signal = this.#controller.signal

  get isOpen(): boolean {
    return !this.signal.aborted
  }

  close(): void {
    this.#controller.abort()
  }
}

const outcomeOf = (
  reports: ReadonlyMap<string, ShardReport>,
  { signal }: RunPolicy,
  isDeclined: boolean,
): RunOutcome => {
  const all = [...reports.values()]
  if (all.some(({ outcome }) => outcome === 'failed')) return 'failed'
  if (isDeclined) return 'declined'
  const isCut = all.some(({ outcome }) => outcome === 'stopped' || outcome === 'not begun')
  return signal?.aborted === true && isCut ? 'interrupted' : 'done'
}

/**
 * Does a run over several shards: a first one alone, then the others, some at a time.
 *
 * @param now - monotonic clock, in milliseconds
 * @throws UnknownShardError if `first` is none of the shards
 */
export const runOverShards = async (
  direction: MigrationDirection,
  shards: readonly string[],
  work: ShardWork,
  policy: RunPolicy,
  tell: (event: MigrationEventBody) => void,
  now: () => number,
): Promise<MigrationReport> => {
  const { first, confirm, signal, onError } = policy
  if (first !== undefined && !shards.includes(first))
    throw new UnknownShardError(first, shards, ' It is to be the first of a run over these shards.')
  const started = now()
  const gate = new Gate()
  const close = (): void => gate.close()
  if (signal?.aborted === true) close()
  signal?.addEventListener('abort', close)
  const reports = new Map<string, ShardReport>(shards.map((shard) => [shard, untouched(shard)]))
  const begin = async (shard: string): Promise<ShardReport> => {
    try {
      return await work(shard, gate)
    } catch (reason) {
      // Such as a shard that was removed meanwhile; what is done on the others is not to be lost.
      const error = asError(reason)
      tell({ type: 'shard-finished', shard, outcome: 'failed', error: eventError(error) })
      return unreached(shard, error)
    }
  }
  const visit = async (shard: string): Promise<void> => {
    if (!gate.isOpen) return
    const report = await begin(shard)
    reports.set(shard, report)
    if (report.outcome === 'failed' && (onError === 'stop' || shard === first)) close()
  }
  tell({ type: 'run-started', direction, shards })
  let isDeclined = false
  try {
    if (first !== undefined) {
      await visit(first)
      const report = reports.get(first)
      if (gate.isOpen && confirm !== undefined && report !== undefined && shards.length > 1)
        isDeclined = !(await confirm(report))
    }
    const rest = isDeclined ? [] : shards.filter((shard) => shard !== first)
    valuesOrThrow(await visitShards(rest, policy.concurrency, visit))
  } finally {
    signal?.removeEventListener('abort', close)
  }
  const outcome = outcomeOf(reports, policy, isDeclined)
  const durationMs = Math.round(now() - started)
  tell({ type: 'run-finished', outcome, durationMs })
  return { direction, outcome, shards: [...reports.values()], durationMs }
}

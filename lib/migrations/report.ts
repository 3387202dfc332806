import { OctopusError } from '../errors.js'
import type { LeftBehind, ShardEffects } from './effects.js'

/**
 * What is done with migrations: `up` runs them, `down` reverts one; `baseline` marks them as done and
 * `forget` marks one as not done, both without running anything.
 */
export type MigrationDirection = 'up' | 'down' | 'baseline' | 'forget'

/** Whether it takes a migration back. */
export const isReverting = (direction: MigrationDirection): boolean =>
  direction === 'down' || direction === 'forget'

/** Whether it only marks, and runs no migration's code. */
export const isFake = (direction: MigrationDirection): boolean =>
  direction === 'baseline' || direction === 'forget'

/** A migration that was run, reverted or marked on a shard. */
export interface FinishedMigration {
  readonly migration: string
  readonly durationMs: number
  /** How many statements went to which shard while it ran, its own first. */
  readonly effects: readonly ShardEffects[]
}

/** How a shard's part of a run failed. */
export interface ShardFailure {
  /** The migration that failed; undefined if none had begun, or what ends a transaction failed. */
  readonly migration: string | undefined
  readonly error: Error
  /** What took effect and was not rolled back. */
  readonly leftBehind: readonly LeftBehind[]
}

/**
 * How a shard's part of a run ended. `up to date`: there was nothing to do. `stopped`: the run was
 * ended before all of its migrations had begun. `not begun`: the run was ended before.
 */
export type ShardOutcome = 'done' | 'up to date' | 'failed' | 'stopped' | 'not begun'

/** What a run did on one shard, and what is there now. */
export interface ShardReport {
  readonly shard: string
  readonly outcome: ShardOutcome
  /** What was done, in order. */
  readonly finished: readonly FinishedMigration[]
  /** What is still to do there; undefined if that is not known. */
  readonly left: readonly string[] | undefined
  readonly failure: ShardFailure | undefined
  /** Milliseconds that were spent waiting for the lock. */
  readonly waitedMs: number
}

/**
 * How a run ended. `interrupted`: by its signal. `declined`: by `confirm`, after the first shard.
 * `planned`: it was a dry run, and `left` tells what it would do.
 */
export type RunOutcome = 'done' | 'failed' | 'interrupted' | 'declined' | 'planned'

/** What a run did, and what is where now. */
export interface MigrationReport {
  readonly direction: MigrationDirection
  readonly outcome: RunOutcome
  /** Every shard of the run, in the order of the topology. */
  readonly shards: readonly ShardReport[]
  readonly durationMs: number
}

/** What a dry run answers: what there is to do on each shard. */
export const plannedReport = (
  direction: MigrationDirection,
  left: readonly (readonly [shard: string, migrations: readonly string[]])[],
): MigrationReport => ({
  direction,
  outcome: 'planned',
  shards: left.map(([shard, migrations]) => ({ ...untouched(shard), left: migrations })),
  durationMs: 0,
})

/** The report of a shard on which nothing was begun. */
export const untouched = (shard: string): ShardReport => ({
  shard,
  outcome: 'not begun',
  finished: [],
  left: undefined,
  failure: undefined,
  waitedMs: 0,
})

/** The report of a shard that could not be begun. */
export const unreached = (shard: string, error: Error): ShardReport => ({
  ...untouched(shard),
  outcome: 'failed',
  failure: { migration: undefined, error, leftBehind: [] },
})

const line = ({ shard, outcome, finished, left, failure }: ShardReport): string => {
  const done = finished.length === 0 ? '' : `, ${finished.length} done`
  const more = left === undefined || left.length === 0 ? '' : `, ${left.length} left`
  if (failure === undefined) return `  - ${shard}: ${outcome}${done}${more}`
  const at = failure.migration === undefined ? '' : ` in ${failure.migration}`
  const remains = failure.leftBehind.map(
    (each) => ` (not rolled back on ${each.shard}: ${each.statements.join(', ')})`,
  )
  return `  - ${shard}: failed${at}${done}${more}: ${failure.error.message}${remains.join('')}`
}

/** A run of migrations that did not come to its end. `report` tells what is where; a further run goes on
 *  from there. */
export class MigrationRunError extends OctopusError {
  readonly report: MigrationReport

  constructor(report: MigrationReport) {
    const failed = report.shards.filter(({ failure }) => failure !== undefined)
    const what =
      report.outcome === 'interrupted'
        ? 'The run was interrupted'
        : `Migrations failed on ${failed.length} of ${report.shards.length} shards`
    super('migration-run', 'query', [what, ...report.shards.map(line)].join('\n'), {
      cause: failed[0]?.failure?.error,
    })
    this.report = report
  }
}

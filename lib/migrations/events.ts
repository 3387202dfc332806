import type { ShardEffects, LeftBehind } from './effects.js'
import type { MigrationDirection, RunOutcome, ShardOutcome } from './report.js'

/** An error as an event tells it. */
export interface MigrationEventError {
  readonly name: string
  readonly code: string | undefined
  readonly message: string
}

/** What happens in a run, without the time. */
export type MigrationEventBody =
  | {
      readonly type: 'run-started'
      readonly direction: MigrationDirection
      readonly shards: readonly string[]
    }
  | {
      /** Another runner holds the shard's lock. */
      readonly type: 'lock-waiting'
      readonly shard: string
      readonly holder: string | undefined
    }
  | {
      /** The lock is held, and these are begun one after the other. */
      readonly type: 'shard-started'
      readonly shard: string
      readonly migrations: readonly string[]
    }
  | { readonly type: 'warning'; readonly shard: string; readonly message: string }
  | { readonly type: 'migration-started'; readonly shard: string; readonly migration: string }
  | {
      /** It is committed, with its row in the version table. */
      readonly type: 'migration-finished'
      readonly shard: string
      readonly migration: string
      readonly durationMs: number
      readonly effects: readonly ShardEffects[]
    }
  | {
      readonly type: 'migration-failed'
      readonly shard: string
      readonly migration: string
      readonly error: MigrationEventError
      readonly leftBehind: readonly LeftBehind[]
    }
  | {
      readonly type: 'shard-finished'
      readonly shard: string
      readonly outcome: ShardOutcome
      /** Why it failed, if it did. */
      readonly error: MigrationEventError | undefined
    }
  | { readonly type: 'run-finished'; readonly outcome: RunOutcome; readonly durationMs: number }

/** What happens in a run. Each is plain data that JSON can hold; fields are added, never changed. */
export type MigrationEvent = MigrationEventBody & {
  /** When, in milliseconds since the epoch. */
  readonly at: number
}

/** What was thrown, as an error. */
export const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error(String(reason))

/** An error as an event tells it: without its stack and its cause, which may hold values. */
export const eventError = (error: Error): MigrationEventError => {
  const { code } = error as { code?: unknown }
  return {
    name: error.name,
    code: typeof code === 'string' ? code : undefined,
    message: error.message,
  }
}

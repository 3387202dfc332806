import type { ShardReason } from '../trace/event.js'

/**
 * What TypeORM wants a connection for. `version check` is a read under an optimistic lock; `persist`
 * is a save or remove, which reads before it writes; `raw` is SQL that a user wrote; the two `runner`
 * intents are query runners that a user, the schema builder or a migration makes.
 */
export const intents = [
  'read',
  'lock',
  'version check',
  'write',
  'persist',
  'raw',
  'transaction',
  'primary runner',
  'replica runner',
] as const
export type Intent = (typeof intents)[number]

/** One request for a connection. */
export interface RouteRequest {
  readonly intent: Intent
  /** Name of the calling operation, for messages and traces. */
  readonly operation: string
  /** The shard, where something nearer than a scope names it. */
  readonly shard?: { readonly name: string; readonly by: ShardReason } | undefined
  /** Whether the entity may be read from replicas at all. */
  readonly isReplicated: boolean
}

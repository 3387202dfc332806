import type { Role } from '../../trace/event.js'

/** What a finding is about. */
export const nodeFindingKinds = [
  'ok',
  'unasked',
  'unreachable',
  'wrong-role',
  'read-only',
  'replication',
  'lag',
  'other-primary',
  'version',
  'clock',
  'settings',
] as const
export type NodeFindingKind = (typeof nodeFindingKinds)[number]

/** Something that was found out about a server. */
export interface NodeFinding {
  readonly shard: string
  readonly node: string
  /** As it is configured. */
  readonly role: Role
  /** `error`: work on it fails or is wrong. `warning`: it may be. */
  readonly level: 'ok' | 'warning' | 'error'
  readonly kind: NodeFindingKind
  readonly what: string
  /** What to do about it; undefined where there is nothing to be done. */
  readonly remedy: string | undefined
}

/** From when on something counts; in milliseconds. */
export interface NodeLimits {
  readonly maxLagMs: number
  readonly maxClockOffsetMs: number
}

/** A finding, before it is told whose it is. */
export type Found = Pick<NodeFinding, 'kind' | 'level' | 'remedy' | 'what'>

/** A finding that is an error. */
export const error = (kind: NodeFindingKind, what: string, remedy: string): Found => ({
  level: 'error',
  kind,
  what,
  remedy,
})

/** A finding that is a warning. */
export const warning = (kind: NodeFindingKind, what: string, remedy: string): Found => ({
  level: 'warning',
  kind,
  what,
  remedy,
})

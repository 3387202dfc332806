import type { Role } from '../trace/event.js'
import type { RouteCollector } from '../trace/hub.js'

/** When each shard was last written, in milliseconds of a monotonic clock. One per outermost scope. */
export type WriteLedger = Map<string, number>

/** Why un-managed reads of one shard go to its primary inside a frame. */
export interface PrimaryFor {
  readonly shard: string
  readonly because: 'transaction' | 'persisting'
  /** The same of the frames around, which holds for their shards. */
  readonly outer?: PrimaryFor
}

/** One scope around running work. Frozen; only the ledger it refers to changes. */
export interface Frame {
  /** Token of the proxy whose scope this is; other proxies skip it. */
  readonly owner: object
  /** What opened it, for people: `using brazil`. */
  readonly label: string
  /** Where it was opened, `file:line:column`, if that is remembered. */
  readonly callSite: string | undefined
  /** Whether a user's call opened it, or the library on its own account. */
  readonly origin: 'user' | 'library'
  readonly shard: string | undefined
  /** Whether it names the shard itself, and does not inherit it. */
  readonly namesShard: boolean
  readonly role: Role | undefined
  readonly replicaGroup: string | undefined
  readonly primaryFor: PrimaryFor | undefined
  readonly writes: WriteLedger
  readonly collector: RouteCollector | undefined
  /** What owns the connections that are opened for it, if not their pools. */
  readonly connections: object | undefined
  /** The next scope outwards, of any owner. */
  readonly parent: Frame | undefined
}

/** What a new scope states; what it leaves out, it inherits. */
export interface FrameChange {
  readonly label: string
  readonly callSite?: string | undefined
  readonly origin?: 'user' | 'library'
  readonly shard?: string
  /** A role replaces the inherited role and replica group together. */
  readonly role?: Role
  readonly replicaGroup?: string | undefined
  readonly primaryFor?: PrimaryFor
  readonly collector?: RouteCollector
  readonly connections?: object
}

/** The innermost frame of `owner` at or outside `frame`. */
export const frameOf = (owner: object, frame: Frame | undefined): Frame | undefined => {
  let found = frame
  while (found !== undefined && found.owner !== owner) found = found.parent
  return found
}

const inside = (outer: PrimaryFor | undefined, own: PrimaryFor | undefined) =>
  own === undefined || outer === undefined ? (own ?? outer) : { ...own, outer }

/** Why un-managed reads of `shard` go to its primary inside `frame`; undefined if nothing makes them. */
export const primaryReasonIn = (
  frame: Frame | undefined,
  shard: string,
): PrimaryFor['because'] | undefined => {
  let at = frame?.primaryFor
  while (at !== undefined && at.shard !== shard) at = at.outer
  return at?.because
}

/** A frame inside `outer`, the owner's own innermost frame, within `parent`, the innermost of all. */
export const childFrame = (
  owner: object,
  outer: Frame | undefined,
  parent: Frame | undefined,
  change: FrameChange,
): Frame => {
  const setsRole = change.role !== undefined
  return Object.freeze({
    owner,
    label: change.label,
    callSite: change.callSite,
    origin: change.origin ?? 'user',
    shard: change.shard ?? outer?.shard,
    namesShard: change.shard !== undefined,
    role: change.role ?? outer?.role,
    replicaGroup: setsRole ? change.replicaGroup : outer?.replicaGroup,
    primaryFor: inside(setsRole ? undefined : outer?.primaryFor, change.primaryFor),
    writes: outer?.writes ?? new Map<string, number>(),
    collector: change.collector ?? outer?.collector,
    connections: change.connections ?? outer?.connections,
    parent,
  })
}

/** The owner's scopes around `frame` that users opened, outermost first. */
export const userScopes = (frame: Frame | undefined): readonly Frame[] => {
  const scopes: Frame[] = []
  for (let at = frame; at !== undefined; at = frameOf(at.owner, at.parent))
    if (at.origin === 'user') scopes.unshift(at)
  return scopes
}

/** The nearest scope that a user opened, at or outside `frame`. */
export const userFrame = (frame: Frame | undefined): Frame | undefined => {
  let found = frame
  while (found !== undefined && found.origin === 'library')
    found = frameOf(found.owner, found.parent)
  return found
}

/** The nearest scope in which a user named a shard, at or outside `frame`. */
export const namingFrame = (frame: Frame | undefined): Frame | undefined => {
  let found = userFrame(frame)
  while (found !== undefined && !found.namesShard)
    found = userFrame(frameOf(found.owner, found.parent))
  return found
}

/** Whether `frame` is `other` or lies around it. */
export const encloses = (frame: Frame | undefined, other: Frame | undefined): boolean => {
  if (frame === undefined) return true
  for (let at = other; at !== undefined; at = at.parent) if (at === frame) return true
  return false
}

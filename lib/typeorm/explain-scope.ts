import { userScopes } from '../context/frame.js'
import { scopeIdOf } from '../context/scope-id.js'
import { ambientShard } from '../router/decide.js'
import type { Role, ShardReason } from '../trace/event.js'
import type { Runtime } from './runtime.js'

/** One scope, as it was opened. */
export interface ExplainedScope {
  /** Such as `using brazil`. */
  readonly label: string
  /** `file:line:column`, with `trace.callSites`. */
  readonly callSite: string | undefined
}

/** What a scope remembers of a shard. */
export interface RememberedWrite {
  readonly shard: string
  /** How many milliseconds ago the last write was. */
  readonly agoMs: number
  /** For how many milliseconds from now plain reads of the shard go to its primary; 0 for no more. */
  readonly forMs: number
}

/** The scope around a caller. */
export interface ScopeExplanation {
  /** As in the events of its statements; undefined outside every scope. */
  readonly scopeId: string | undefined
  /** The scopes around the caller, outermost first. */
  readonly scopes: readonly ExplainedScope[]
  /** The shard that work is on here, unless something nearer than a scope names one. */
  readonly shard: string
  readonly shardReason: ShardReason
  /** The role that usingPrimary or usingReplica has pinned; undefined if none has. */
  readonly role: Role | undefined
  readonly replicaGroup: string | undefined
  readonly writes: readonly RememberedWrite[]
  /** Whether its connections are its own, and closed at its end. */
  readonly connections: 'pooled' | 'throwaway'
  /** All of it in words. */
  readonly text: string
}

const scopeText = ({ label, callSite }: ExplainedScope): string =>
  callSite === undefined ? label : `${label} (${callSite})`

const writeText = ({ shard, agoMs, forMs }: RememberedWrite): string =>
  `wrote ${shard} ${Math.round(agoMs)} ms ago${forMs > 0 ? `: its reads go to the primary for ${Math.round(forMs)} ms more` : ''}`

const textOf = (facts: Omit<ScopeExplanation, 'text'>): string => {
  const { scopes, shard, shardReason, role, replicaGroup, writes, connections } = facts
  const around = scopes.length === 0 ? 'outside every scope' : scopes.map(scopeText).join(' > ')
  return [
    `${around}: on ${shard}, by ${shardReason}`,
    role === undefined
      ? 'no role is pinned'
      : `pinned to ${role}${replicaGroup === undefined ? '' : ` of group "${replicaGroup}"`}`,
    ...writes.map(writeText),
    ...(connections === 'throwaway' ? ['connections of its own'] : []),
  ].join('; ')
}

/** What the scope around the caller is. Touches no server. */
export const explainScope = ({ scopes, store, policy, now }: Runtime): ScopeExplanation => {
  const frame = scopes.current()
  const { name: shard, by: shardReason } = ambientShard(frame, store.current, policy)
  const at = now()
  const facts = {
    scopeId: scopeIdOf(frame),
    scopes: userScopes(frame).map(({ label, callSite }) => ({ label, callSite })),
    shard,
    shardReason,
    role: frame?.role,
    replicaGroup: frame?.replicaGroup,
    writes: [...(frame?.writes ?? [])].map(([written, wroteAt]) => ({
      shard: written,
      agoMs: at - wroteAt,
      forMs: Math.max(0, policy.readYourWritesMs - (at - wroteAt)),
    })),
    connections: frame?.connections === undefined ? ('pooled' as const) : ('throwaway' as const),
  }
  return { ...facts, text: textOf(facts) }
}

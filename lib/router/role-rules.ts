import { type Frame, primaryReasonIn } from '../context/frame.js'
import { NoReplicaError, ReadOnlyScopeError } from '../errors.js'
import type { ShardTopology } from '../topology/snapshot.js'
import type { Role, RouteReason } from '../trace/event.js'
import type { RoutePolicy } from './policy.js'
import { type Intent, type RouteRequest, intents } from './request.js'

/** What the rules look at. */
export interface Situation {
  readonly request: RouteRequest
  readonly frame: Frame | undefined
  readonly shard: ShardTopology
  /** The scope's replica group, on a shard that has it. */
  readonly group: string | undefined
  /** Milliseconds of the clock that the frame's write ledger is kept in. */
  readonly now: number
  readonly policy: RoutePolicy
}

/** The role that a rule decides on. */
export interface ChosenRole {
  readonly role: Role
  /** Whether statements must be proved read-only before they are sent. */
  readonly isReadOnly: boolean
  /** The reason, where it is not the rule's name. */
  readonly reason: RouteReason | undefined
}

/** One rule, in data: what it decides, and in words why it does or does not. */
export interface RoleRule {
  readonly name: RouteReason
  /** The intents that it is about; all of them where it is left out. */
  readonly intents?: readonly Intent[]
  /** The role; undefined if the rule does not apply. Asked for its intents only. */
  readonly choose: (situation: Situation) => ChosenRole | undefined
  readonly because: (situation: Situation) => string
  readonly whyNot: (situation: Situation) => string
}

const chosen = (role: Role, isReadOnly: boolean, reason?: RouteReason): ChosenRole =>
  Object.freeze({ role, isReadOnly, reason })
const primary = chosen('primary', false)
const replica = chosen('replica', false)
const readOnlyPrimary = chosen('primary', true, 'no replica available')
const readOnlyReplica = chosen('replica', true)

const whatIs: Readonly<Record<Intent, string>> = {
  read: 'a read',
  lock: 'a read that takes a lock',
  'version check': 'a read under an optimistic lock',
  write: 'a write',
  persist: 'a save or remove, which reads before it writes',
  raw: 'raw SQL',
  transaction: 'the beginning of a transaction',
  'primary runner': 'a query runner',
  'replica runner': 'a query runner for replicas',
}

const kind = ({ request: { intent } }: Situation): string => `it is ${whatIs[intent]}`

/** The rule of one intent. */
const byIntent = (name: RouteReason, intent: Intent): RoleRule => ({
  name,
  intents: [intent],
  choose: () => primary,
  because: kind,
  whyNot: kind,
})

/** The rule of an intent that a scope of replicas refuses. */
const refusedOnReplica = (intent: 'lock' | 'write'): RoleRule => ({
  ...byIntent(intent, intent),
  choose({ request, frame, shard }) {
    if (frame?.role === 'replica') throw new ReadOnlyScopeError(shard.name, request.operation)
    return primary
  },
})

const reads: readonly Intent[] = ['read', 'replica runner']

/** The rule of what goes on around a read. */
const around = (name: 'persisting' | 'transaction', what: string): RoleRule => ({
  name,
  intents: reads,
  choose: ({ frame, shard }) => (primaryReasonIn(frame, shard.name) === name ? primary : undefined),
  because: ({ shard }) => `a ${what} on ${shard.name} is open around it`,
  whyNot: (situation) =>
    reads.includes(situation.request.intent)
      ? `no ${what} on ${situation.shard.name} is open around it`
      : kind(situation),
})

const onlineIn = ({ onlineReplicas }: ShardTopology, group: string | undefined): number =>
  onlineReplicas.get(group)?.length ?? 0

const servers = (shard: ShardTopology, group: string | undefined): string => {
  const all =
    group === undefined ? shard.replicas : shard.replicas.filter((one) => one.group === group)
  const of = group === undefined ? '' : ` of group "${group}"`
  return `${onlineIn(shard, group)} of ${all.length} replicas of ${shard.name}${of} are in service`
}

/** What `onNoReplica` says where a replica is wanted and none is available. */
const fallback = (
  { shard }: Situation,
  group: string | undefined,
  chosen: ChosenRole,
): ChosenRole => {
  if (shard.onNoReplica === 'error') throw new NoReplicaError(shard.name, group)
  return chosen
}

const wroteAgo = ({ frame, shard, now }: Situation): number | undefined => {
  const wroteAt = frame?.writes.get(shard.name)
  return wroteAt === undefined ? undefined : now - wroteAt
}

/** Milliseconds in words. */
export const inMs = (ms: number): string => `${Math.round(ms)} ms`

const noRecentWrite = (situation: Situation): string => {
  const { frame, shard, policy } = situation
  if (policy.readYourWritesMs === 0) return 'readYourWrites is off'
  if (frame === undefined) return 'no scope is around it, and outside scopes no write is remembered'
  const ago = wroteAgo(situation)
  return ago === undefined
    ? `nothing was written to ${shard.name} in this scope`
    : `${shard.name} was last written ${inMs(ago)} ago in this scope, and the window is ${inMs(policy.readYourWritesMs)}`
}

/** The rules that decide a role, in the order in which they are asked: the first that applies decides. */
export const rules: readonly RoleRule[] = [
  {
    name: 'disabled',
    choose: ({ policy }) => (policy.isEnabled ? undefined : primary),
    because: () => 'octopus is disabled',
    whyNot: () => 'octopus is enabled',
  },
  refusedOnReplica('write'),
  refusedOnReplica('lock'),
  around('transaction', 'transaction'),
  around('persisting', 'save or remove'),
  {
    name: 'pinned to primary',
    choose: ({ frame }) => (frame?.role === 'primary' ? primary : undefined),
    because: () => 'usingPrimary is the nearest scope that names a role',
    whyNot: () => 'no usingPrimary is around it, or usingReplica is nearer',
  },
  {
    name: 'pinned to replica',
    choose(situation) {
      const { frame, shard, group } = situation
      if (frame?.role !== 'replica') return undefined
      return onlineIn(shard, group) > 0
        ? readOnlyReplica
        : fallback(situation, group, readOnlyPrimary)
    },
    because: ({ shard, group }) =>
      `usingReplica is the nearest scope that names a role, and ${servers(shard, group)}`,
    whyNot: () => 'no usingReplica is around it, or usingPrimary is nearer',
  },
  byIntent('raw query', 'raw'),
  byIntent('write', 'persist'),
  byIntent('lock', 'version check'),
  byIntent('transaction', 'transaction'),
  byIntent('query runner', 'primary runner'),
  {
    name: 'read your writes',
    choose(situation) {
      const { frame, policy } = situation
      if (frame === undefined) return undefined
      const ago = wroteAgo(situation)
      return ago !== undefined && ago < policy.readYourWritesMs ? primary : undefined
    },
    because: (situation) =>
      `${situation.shard.name} was written ${inMs(wroteAgo(situation) ?? 0)} ago in this scope, and reads follow for ${inMs(situation.policy.readYourWritesMs)}`,
    whyNot: noRecentWrite,
  },
  {
    name: 'entity not replicated',
    choose: ({ request }) => (request.isReplicated ? undefined : primary),
    because: () => 'the entity is not on the replicas',
    whyNot: () => 'what it reads is on the replicas',
  },
  {
    name: 'reads: primary',
    choose: ({ shard }) => (shard.reads === 'primary' ? primary : undefined),
    because: ({ shard }) => `plain reads of ${shard.name} go to its primary, by configuration`,
    whyNot: ({ shard }) => `plain reads of ${shard.name} go to replicas`,
  },
  {
    name: 'no replicas',
    choose: ({ shard }) => (shard.replicas.length === 0 ? primary : undefined),
    because: ({ shard }) => `${shard.name} has no replicas`,
    whyNot: ({ shard }) => `${shard.name} has replicas`,
  },
  {
    name: 'no replica available',
    choose: (situation) =>
      onlineIn(situation.shard, undefined) > 0
        ? undefined
        : fallback(situation, undefined, primary),
    because: ({ shard }) => servers(shard, undefined),
    whyNot: ({ shard }) => servers(shard, undefined),
  },
  {
    name: 'read outside a transaction',
    intents: ['read'],
    choose: () => replica,
    because: () => 'it is a read, and nothing speaks against a replica',
    whyNot: kind,
  },
  {
    name: 'query runner',
    choose: () => replica,
    because: () => 'a query runner for replicas was asked for',
    whyNot: kind,
  },
]

/** A rule among those of one intent. */
export interface AskedRule extends RoleRule {
  /** Its place in the list of all. */
  readonly at: number
  /** The names of the rules before it, without its own: what is passed over if it decides. */
  readonly passedOver: readonly RouteReason[]
}

const passedOverBy = ({ name }: RoleRule, at: number): readonly RouteReason[] => {
  const earlier = new Set(rules.slice(0, at).map((rule) => rule.name))
  earlier.delete(name)
  return Object.freeze([...earlier])
}

// Field by field: the loop below is fast where all rules have one shape.
const allAsked: readonly AskedRule[] = rules.map((rule, at) => ({
  name: rule.name,
  intents: rule.intents ?? intents,
  choose: rule.choose,
  because: rule.because,
  whyNot: rule.whyNot,
  at,
  passedOver: passedOverBy(rule, at),
}))

const rulesOf: Readonly<Record<string, readonly AskedRule[]>> = Object.fromEntries(
  intents.map((intent) => [intent, allAsked.filter((rule) => rule.intents?.includes(intent))]),
)

/** The rule that decides, with the role that it chose. */
export interface Verdict {
  readonly rule: AskedRule
  readonly chosen: ChosenRole
}

/**
 * Asks the rules one after the other.
 *
 * @throws ReadOnlyScopeError for a write or a lock inside `usingReplica`
 * @throws NoReplicaError where a replica is wanted, none is available and `onNoReplica` is `error`
 */
export const askRules = (situation: Situation): Verdict => {
  for (const rule of rulesOf[situation.request.intent] ?? []) {
    const role = rule.choose(situation)
    if (role !== undefined) return { rule, chosen: role }
  }
  throw new TypeError('The last rule applies to all that came so far')
}

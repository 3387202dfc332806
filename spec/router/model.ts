import fc from 'fast-check'
import type { Frame, FrameChange } from '../../lib/context/frame.js'
import { intents } from '../../lib/router/request.js'
import type { RouteRequest } from '../../lib/router/request.js'
import type { ShardSketch } from '../support/topology.js'
import { framed } from './support.js'

/** Everything a decision depends on, in a form that can be changed and decided again. */
export interface Situation {
  readonly shards: Readonly<Record<string, ShardSketch>>
  readonly request: RouteRequest
  readonly changes: readonly Omit<FrameChange, 'label'>[]
  readonly wroteAt: Readonly<Record<string, number>>
  readonly now: number
  readonly readYourWritesMs: number
  readonly ambientShard: string | undefined
}

const shardNames = ['master', 'brazil', 'canada'] as const
const groupNames = ['reports', 'archive'] as const

const replicas = fc.array(
  fc.record({
    group: fc.option(fc.constantFrom(...groupNames), { nil: undefined }),
    isOnline: fc.boolean(),
  }),
  { maxLength: 4 },
)

const shard: fc.Arbitrary<ShardSketch> = fc.record({
  replicas: replicas.map((list) => list.map((each, index) => ({ name: `r${index}`, ...each }))),
  reads: fc.constantFrom('primary', 'replica'),
  onNoReplica: fc.constantFrom('primary', 'error'),
})

const change: fc.Arbitrary<Omit<FrameChange, 'label'>> = fc.oneof(
  fc.record({ shard: fc.constantFrom(...shardNames) }),
  fc.constant({ role: 'primary' as const }),
  fc.record({
    role: fc.constant('replica' as const),
    replicaGroup: fc.option(fc.constantFrom(...groupNames), { nil: undefined }),
  }),
  fc.record({
    origin: fc.constant('library' as const),
    primaryFor: fc.record({
      shard: fc.constantFrom(...shardNames),
      because: fc.constantFrom('transaction' as const, 'persisting' as const),
    }),
  }),
  fc.constant({}),
)

const namedShard = fc.record({
  name: fc.constantFrom(...shardNames),
  by: fc.constantFrom('runner' as const, 'handle' as const, 'home' as const),
})

/** Any situation: three shards, scopes up to four deep, any request. */
export const situations: fc.Arbitrary<Situation> = fc.record({
  shards: fc.record({ master: shard, brazil: shard, canada: shard }),
  request: fc.record({
    intent: fc.constantFrom(...intents),
    operation: fc.constant('operation'),
    shard: fc.option(namedShard, { nil: undefined }),
    isReplicated: fc.boolean(),
  }),
  changes: fc.array(change, { maxLength: 4 }),
  wroteAt: fc.dictionary(fc.constantFrom(...shardNames), fc.integer({ min: 0, max: 10_000 })),
  now: fc.integer({ min: 5000, max: 10_000 }),
  readYourWritesMs: fc.constantFrom(0, 1000, 5000),
  ambientShard: fc.option(fc.constantFrom(...shardNames), { nil: undefined }),
})

/** The scopes of a situation. */
export const frameIn = ({ changes, wroteAt }: Situation): Frame | undefined =>
  framed(changes, wroteAt)

/** What the model says: a route in a few words, or the code of the error. */
export type Verdict = `${string}: ${string}`

/** A role replaces what was said of roles before, and leaves the shard. */
const without = ({ shard: name }: Omit<FrameChange, 'label'>): { readonly shard?: string } =>
  name === undefined ? {} : { shard: name }

/**
 * The rules of routing once more, written from the documentation and not from the code: scopes are
 * folded into what they state, then one list of rules is searched.
 */
export const modelVerdict = (situation: Situation): Verdict => {
  const { shards, request, changes, wroteAt, now, readYourWritesMs, ambientShard } = situation
  const stated = changes.reduce<Omit<FrameChange, 'label'>>(
    (outer, inner) =>
      inner.role === undefined
        ? { ...outer, ...inner }
        : { ...without(outer), role: inner.role, replicaGroup: inner.replicaGroup },
    {},
  )
  const name = request.shard?.name ?? stated.shard ?? ambientShard ?? 'master'
  const { replicas: all = [], reads, onNoReplica } = shards[name] ?? {}
  const { intent } = request
  const isPinned = stated.role === 'replica'
  const group = all.some((each) => each.group === stated.replicaGroup)
    ? stated.replicaGroup
    : undefined
  const online = all.filter((each) => each.isOnline && (!group || each.group === group))
  const isRead = intent === 'read' || intent === 'replica runner'
  const wrote = changes.length > 0 ? wroteAt[name] : undefined
  // A transaction inside another's callback leaves the other shard's reads where they were.
  const marked = changes.reduce<readonly string[]>((outer, { role, primaryFor }) => {
    if (role !== undefined) return []
    return primaryFor === undefined ? outer : [...outer, primaryFor.shard]
  }, [])
  const isMarked = isRead && marked.includes(name)

  const rules: readonly (readonly [boolean, string])[] = [
    [isPinned && (intent === 'write' || intent === 'lock'), 'read-only-scope'],
    [intent === 'write' || intent === 'lock', 'primary'],
    [isMarked, 'primary'],
    [stated.role === 'primary', 'primary'],
    [isPinned && online.length > 0, `replica ${group ?? '*'}`],
    [isPinned, onNoReplica === 'error' ? 'no-replica' : 'primary'],
    [!isRead, 'primary'],
    [wrote !== undefined && now - wrote < readYourWritesMs, 'primary'],
    [!request.isReplicated || reads === 'primary' || all.length === 0, 'primary'],
    [online.length > 0, 'replica *'],
    [true, onNoReplica === 'error' ? 'no-replica' : 'primary'],
  ]
  const [, verdict] = rules.find(([applies]) => applies) ?? [true, 'none']
  return `${name}: ${verdict}`
}

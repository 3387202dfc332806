import { type Frame, type FrameChange, childFrame } from '../context/frame.js'
import { OctopusError } from '../errors.js'
import type { ShardTopology, Topology } from '../topology/snapshot.js'
import type { Role, RouteReason, ShardReason } from '../trace/event.js'
import { type Question, decide } from './decide.js'
import { type Situation, askRules, inMs } from './role-rules.js'

/** One thing that would change a route, and to what. */
export interface WhatIf {
  /** As in "would go to the primary if …". */
  readonly when: string
  readonly shard: string
  /** The role there would be then; undefined where it would be refused. */
  readonly role: Role | undefined
  readonly reason: RouteReason | undefined
}

/** A situation that differs in one thing. */
interface Alternative {
  readonly when: string
  readonly situation: Situation
}

const nobody = Object.freeze({})

const inside = ({ frame }: Situation, change: Omit<FrameChange, 'label'>): Frame =>
  childFrame(frame?.owner ?? nobody, frame, frame, { label: 'supposed', ...change })

/** The scope around, but for something. */
const framedOtherwise = (
  situation: Situation,
  when: string,
  change: Partial<Frame>,
): readonly Alternative[] => {
  const { frame } = situation
  return frame === undefined
    ? []
    : [{ when, situation: { ...situation, frame: { ...frame, ...change } } }]
}

const withoutWrite = (situation: Situation): readonly Alternative[] => {
  const { frame, shard, now, policy } = situation
  const wroteAt = frame?.writes.get(shard.name)
  const left = wroteAt === undefined ? 0 : policy.readYourWritesMs - (now - wroteAt)
  if (wroteAt === undefined || left <= 0) return []
  const when = `${shard.name} had not been written ${inMs(now - wroteAt)} ago in this scope; it counts for ${inMs(left)} more`
  return framedOtherwise(situation, when, { writes: new Map() })
}

const withoutPins = (situation: Situation): readonly Alternative[] => {
  const { frame } = situation
  if (frame?.primaryFor !== undefined)
    return framedOtherwise(
      situation,
      `it were outside the ${frame.primaryFor.because === 'transaction' ? 'transaction' : 'save or remove'}`,
      {
        primaryFor: undefined,
      },
    )
  if (frame?.role === undefined) return []
  const name = frame.role === 'primary' ? 'usingPrimary' : 'usingReplica'
  return framedOtherwise(situation, `it were outside ${name}`, {
    role: undefined,
    replicaGroup: undefined,
  })
}

const inScopes = (situation: Situation): readonly Alternative[] =>
  (['primary', 'replica'] as const)
    .filter((role) => role !== situation.frame?.role)
    .map((role) => ({
      when: `it were inside ${role === 'primary' ? 'usingPrimary' : 'usingReplica'}`,
      situation: {
        ...situation,
        frame: inside(situation, { role }),
        group: undefined,
      },
    }))

const allOnline = (shard: ShardTopology): ShardTopology => ({
  ...shard,
  onlineReplicas: new Map(
    [undefined, ...shard.replicaGroups].map((group) => [
      group,
      shard.replicas.filter((replica) => group === undefined || replica.group === group),
    ]),
  ),
})

const configured = (situation: Situation): readonly Alternative[] => {
  const { request, shard, policy } = situation
  const found: Alternative[] = []
  if (!policy.isEnabled)
    found.push({
      when: 'octopus were enabled',
      situation: { ...situation, policy: { ...policy, isEnabled: true } },
    })
  if (request.intent === 'lock' || request.intent === 'version check')
    found.push({
      when: 'it took no lock',
      situation: { ...situation, request: { ...request, intent: 'read' } },
    })
  if (!request.isReplicated)
    found.push({
      when: 'the entity were marked @Replicated',
      situation: { ...situation, request: { ...request, isReplicated: true } },
    })
  if (shard.reads === 'primary')
    found.push({
      when: `reads of ${shard.name} were configured as "replica"`,
      situation: { ...situation, shard: { ...shard, reads: 'replica' } },
    })
  if (shard.replicas.some(({ isOnline }) => !isOnline))
    found.push({
      when: `all replicas of ${shard.name} were in service`,
      situation: { ...situation, shard: allOnline(shard) },
    })
  return found
}

type Outcome = Pick<WhatIf, 'reason' | 'role'>

const outcomeOf = (decide: () => Outcome): Outcome => {
  try {
    return decide()
  } catch (error) {
    if (error instanceof OctopusError) return { role: undefined, reason: undefined }
    throw error
  }
}

const roleIn = (situation: Situation): Outcome =>
  outcomeOf(() => {
    const { rule, chosen } = askRules(situation)
    return { role: chosen.role, reason: chosen.reason ?? rule.name }
  })

/** The single things that would give a situation another role, found by deciding each anew. */
export const roleWhatIfs = (situation: Situation): readonly WhatIf[] => {
  const { role } = roleIn(situation)
  const shard = situation.shard.name
  return [withoutWrite, withoutPins, configured, inScopes]
    .flatMap((vary) => vary(situation))
    .map(({ when, situation: other }) => ({ when, shard, ...roleIn(other) }))
    .filter((found) => found.role !== role)
}

/** How many other shards are told of. */
const fewShards = 3

const movable: ReadonlySet<ShardReason> = new Set(['scope', 'environment', 'default', 'handle'])

/** The other shards that a request could be on, and what it would be there. */
export const shardWhatIfs = (
  { situation, by }: Question,
  topology: Topology,
): readonly WhatIf[] => {
  const { request, frame, now, policy, shard } = situation
  if (!movable.has(by) || !policy.isEnabled) return []
  const others = topology.shardNames.filter((name) => name !== shard.name)
  return others.slice(0, fewShards).map((name) => {
    const there = { ...request, shard: { name, by } }
    return {
      when:
        by === 'handle'
          ? `it were asked of db.shard("${name}")`
          : `it were inside using("${name}", …)`,
      shard: name,
      ...outcomeOf(() => decide(there, frame, topology, now, policy)),
    }
  })
}

import { expect } from 'chai'
import fc from 'fast-check'
import { OctopusError } from '../../lib/errors.js'
import { type Route, decide } from '../../lib/router/decide.js'
import { topologyWith } from '../support/topology.js'
import { type Situation, type Verdict, frameIn, modelVerdict, situations } from './model.js'

const routeIn = (situation: Situation, groups = {}): Route =>
  decide(
    situation.request,
    frameIn(situation),
    topologyWith(situation.shards, groups),
    situation.now,
    {
      isEnabled: true,
      readYourWritesMs: situation.readYourWritesMs,
      ambientShard: situation.ambientShard,
    },
  )

/** The route, or the code and message of the error in its place. */
const outcomeIn = (situation: Situation, groups = {}): Route | string => {
  try {
    return routeIn(situation, groups)
  } catch (error) {
    if (error instanceof OctopusError) return `${error.code}: ${error.message}`
    throw error
  }
}

const verdictIn = (situation: Situation): Verdict => {
  const shard = modelVerdict(situation).split(':')[0] ?? ''
  const outcome = outcomeIn(situation)
  if (typeof outcome === 'string') return `${shard}: ${outcome.split(':')[0] ?? ''}`
  const { role, replicaGroup } = outcome
  return `${outcome.shard}: ${role === 'primary' ? role : `replica ${replicaGroup ?? '*'}`}`
}

const check = (holds: (situation: Situation) => void): void => {
  fc.assert(
    fc.property(situations, (situation) => {
      holds(situation)
    }),
    { numRuns: 2000 },
  )
}

describe('decide, in any situation', () => {
  it('agrees with a second, independent statement of the rules', () => {
    check((situation) => expect(verdictIn(situation)).to.equal(modelVerdict(situation)))
  })

  it('gives the same route for the same input', () => {
    check((situation) => expect(outcomeIn(situation)).to.deep.equal(outcomeIn(situation)))
  })

  it('never sends a write or a lock to a replica', () => {
    check((situation) => {
      for (const intent of ['write', 'lock'] as const) {
        const outcome = outcomeIn({ ...situation, request: { ...situation.request, intent } })
        if (typeof outcome !== 'string') expect(outcome.role).to.equal('primary')
      }
    })
  })

  it('lets what might write reach a replica only to be proved read-only first', () => {
    check((situation) => {
      const outcome = outcomeIn(situation)
      const { intent } = situation.request
      if (typeof outcome === 'string' || intent === 'read' || intent === 'replica runner') return
      if (outcome.role === 'replica') expect(outcome.isReadOnly).to.equal(true)
    })
  })

  it('names a replica group only where one of its replicas is online', () => {
    check((situation) => {
      const outcome = outcomeIn(situation)
      if (typeof outcome === 'string' || outcome.role === 'primary') return
      const online = (situation.shards[outcome.shard]?.replicas ?? []).filter(
        ({ isOnline, group }) =>
          isOnline && (outcome.replicaGroup === undefined || group === outcome.replicaGroup),
      )
      expect(online).to.have.length.above(0)
    })
  })

  it('decides as before when a shard, a group or a replica group of another shard is added', () => {
    check((situation) => {
      const unused = { replicas: [{ name: 'x', group: 'unused' }], onNoReplica: 'error' } as const
      const grown = { ...situation, shards: { ...situation.shards, denmark: unused } }
      const groups = { everything: ['brazil', 'denmark'] }
      expect(outcomeIn(grown, groups)).to.deep.equal(outcomeIn(situation))
    })
  })

  it('changes no frame, no request and no topology', () => {
    check((situation) => {
      const frame = frameIn(situation)
      const before = JSON.stringify([situation, [...(frame?.writes ?? [])]])
      outcomeIn(situation)
      expect(JSON.stringify([situation, [...(frame?.writes ?? [])]])).to.equal(before)
    })
  })
})

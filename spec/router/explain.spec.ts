import { expect } from 'chai'
import fc from 'fast-check'
import { OctopusError } from '../../lib/errors.js'
import { answer, questionOf } from '../../lib/router/decide.js'
import { explainRole } from '../../lib/router/explain-role.js'
import { explainShard } from '../../lib/router/explain-shard.js'
import { rules } from '../../lib/router/role-rules.js'
import { roleWhatIfs, shardWhatIfs } from '../../lib/router/what-if.js'
import { roleRules, shardRules } from '../../lib/trace/event.js'
import { topologyWith } from '../support/topology.js'
import { inReplica, now, offline, twoReplicas } from './decide-table.js'
import { type Situation, frameIn, situations } from './model.js'
import { framed, policy, request } from './support.js'

const questionIn = (situation: Situation) =>
  questionOf(situation.request, frameIn(situation), topologyWith(situation.shards), situation.now, {
    isEnabled: true,
    readYourWritesMs: situation.readYourWritesMs,
    ambientShard: situation.ambientShard,
  })

const refused = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof OctopusError) return error.code
    throw error
  }
}

const check = (holds: (situation: Situation) => void): void => {
  fc.assert(
    fc.property(situations, (situation) => {
      holds(situation)
    }),
    { numRuns: 1000 },
  )
}

describe('the explanation of a role, in any situation', () => {
  it('ends with the rule that decided, after those that it passed over', () => {
    check((situation) => {
      const question = questionIn(situation)
      const code = refused(() => answer(question))
      if (code !== undefined) {
        expect(refused(() => explainRole(question.situation))).to.equal(code)
        return
      }
      const route = answer(question)
      const told = explainRole(question.situation)
      expect(told.at(-1)).to.include({ rule: route.reason, applied: true })
      const passed = told.slice(0, -1)
      expect(passed.every(({ applied }) => !applied)).to.equal(true)
      expect(passed.map(({ rule }) => rule)).to.deep.equal(route.passedOver)
      for (const { why } of told) expect(why).to.match(/\S/).and.not.contain('undefined')
    })
  })

  it('names only changes that give another role', () => {
    check((situation) => {
      const { situation: asked } = questionIn(situation)
      let role: string | undefined
      refused(() => (role = answer({ situation: asked, by: 'scope' }).role))
      for (const change of roleWhatIfs(asked)) {
        expect(change.role).not.to.equal(role)
        expect(change.when).to.match(/\S/).and.not.contain('undefined')
      }
    })
  })
})

describe('the role rules', () => {
  it('are those that events name, each told of', () => {
    expect([...new Set(rules.map(({ name }) => name))]).to.have.members([...roleRules])
  })
})

describe('what would change a role', () => {
  const changesOf = (
    intent: Parameters<typeof request>[0],
    frame: Parameters<typeof questionOf>[1],
    shard: object = twoReplicas,
  ) =>
    roleWhatIfs(
      questionOf(request(intent), frame, topologyWith({ master: shard }), now, policy).situation,
    ).map(({ when, role, reason }) => `${String(role)} (${String(reason)}) if ${when}`)

  it('is a write in the scope, with its age and how long it counts', () => {
    expect(changesOf('read', framed([{}], { master: now - 312 }))).to.deep.equal([
      'replica (read outside a transaction) if master had not been written 312 ms ago in this scope; it counts for 4688 ms more',
      'replica (pinned to replica) if it were inside usingReplica',
    ])
  })

  it('is usingPrimary around a read', () => {
    expect(changesOf('read', framed([{ role: 'primary' }]))[0]).to.equal(
      'replica (read outside a transaction) if it were outside usingPrimary',
    )
  })

  it('is usingReplica around raw SQL', () => {
    expect(changesOf('raw', inReplica)).to.deep.equal([
      'primary (raw query) if it were outside usingReplica',
      'primary (pinned to primary) if it were inside usingPrimary',
    ])
  })

  it('is a transaction around a read', () => {
    const frame = framed([{ primaryFor: { shard: 'master', because: 'transaction' } }])
    expect(changesOf('read', frame)[0]).to.contain('if it were outside the transaction')
  })

  it('is a lock', () => {
    expect(changesOf('lock', undefined)[0]).to.contain('if it took no lock')
  })

  it('is replicas that are out of service', () => {
    expect(changesOf('read', undefined, offline)).to.deep.equal([
      'replica (read outside a transaction) if all replicas of master were in service',
    ])
  })

  it('is a setting of the shard', () => {
    expect(changesOf('read', undefined, { ...twoReplicas, reads: 'primary' })[0]).to.contain(
      'reads of master were configured as "replica"',
    )
  })

  it('is that a write would be refused', () => {
    expect(changesOf('write', undefined)).to.deep.equal([
      'undefined (undefined) if it were inside usingReplica',
    ])
  })
})

describe('the explanation of a shard', () => {
  it('tells every rule up to the one that decided', () => {
    for (const by of shardRules) {
      const told = explainShard({ shard: 'brazil', by, entity: 'User', frame: undefined })
      expect(told.map(({ rule }) => rule)).to.deep.equal(
        shardRules.slice(0, shardRules.indexOf(by) + 1),
      )
      expect(told.filter(({ applied }) => applied).map(({ rule }) => rule)).to.deep.equal([by])
    }
  })

  it('names the scope that names the shard, and where it was opened', () => {
    const frame = framed([{ shard: 'brazil', callSite: 'app.ts:3:1' }, { role: 'primary' }])
    const told = explainShard({ shard: 'brazil', by: 'scope', entity: undefined, frame })
    expect(told.at(-1)?.why).to.equal('scope (app.ts:3:1) is the nearest scope that names a shard')
  })

  it('tells of a few other shards that work could be on', () => {
    const topology = topologyWith({ master: {}, a: twoReplicas, b: {}, c: {}, d: {} })
    const asked = questionOf(request('read'), undefined, topology, now, policy)
    expect(
      shardWhatIfs(asked, topology).map(({ when, shard, role }) => [when, shard, role]),
    ).to.deep.equal([
      ['it were inside using("a", …)', 'a', 'replica'],
      ['it were inside using("b", …)', 'b', 'primary'],
      ['it were inside using("c", …)', 'c', 'primary'],
    ])
    const home = request('read', { shard: { name: 'master', by: 'home' } })
    expect(
      shardWhatIfs(questionOf(home, undefined, topology, now, policy), topology),
    ).to.deep.equal([])
  })
})

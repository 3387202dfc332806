import { expect } from 'chai'
import { NoReplicaError, ReadOnlyScopeError, UnknownShardError } from '../../lib/errors.js'
import { decide } from '../../lib/router/decide.js'
import { roleRules } from '../../lib/trace/event.js'
import { topologyWith } from '../support/topology.js'
import {
  inReplica,
  inReports,
  now,
  offline,
  reportsOffline,
  rows,
  twoReplicas,
} from './decide-table.js'
import { framed, policy, request } from './support.js'

describe('decide: the role', () => {
  for (const row of rows)
    it(`${row.title} goes to the ${row.to}: ${row.because}`, () => {
      const route = decide(
        request(row.intent, { isReplicated: row.isReplicated ?? true }),
        row.frame,
        topologyWith({ master: row.shard ?? twoReplicas, brazil: twoReplicas }),
        now,
        { ...policy, isEnabled: row.isEnabled ?? true },
      )
      expect({
        to: [route.role, route.replicaGroup].filter(Boolean).join(' '),
        because: route.reason,
        isReadOnly: route.isReadOnly,
      }).to.deep.equal({
        to: row.to,
        because: row.because,
        isReadOnly: row.isReadOnly ?? false,
      })
    })

  it('has a row for every rule', () => {
    expect([...new Set(rows.map(({ because }) => because))]).to.have.members([...roleRules])
  })

  it('names the rules that it passed over, in their order', () => {
    const topology = topologyWith({ master: {} })
    const { passedOver } = decide(request('raw'), undefined, topology, now, policy)
    expect(passedOver).to.deep.equal([
      'disabled',
      'write',
      'lock',
      'transaction',
      'persisting',
      'pinned to primary',
      'pinned to replica',
    ])
  })

  for (const intent of ['write', 'lock'] as const)
    for (const shard of [twoReplicas, {}, offline])
      it(`refuses a ${intent} inside usingReplica with ${JSON.stringify(shard)}`, () => {
        const topology = topologyWith({ master: shard })
        expect(() =>
          decide(request(intent, { operation: 'insert' }), inReplica, topology, now, policy),
        )
          .to.throw(ReadOnlyScopeError)
          .with.property('operation', 'insert')
      })

  for (const [title, frame, shard] of [
    ['no replicas inside usingReplica', inReplica, {}],
    ['no online replica', undefined, offline],
    ['no online replica of the group', inReports, reportsOffline],
  ] as const)
    it(`throws where onNoReplica is error: ${title}`, () => {
      const topology = topologyWith({ master: { ...shard, onNoReplica: 'error' } })
      expect(() => decide(request('read'), frame, topology, now, policy))
        .to.throw(NoReplicaError)
        .with.property('shard', 'master')
    })

  it('keeps no memory of writes where the window is 0', () => {
    const justNow = framed([{}], { master: now })
    const topology = topologyWith({ master: twoReplicas })
    const off = { ...policy, readYourWritesMs: 0 }
    expect(decide(request('read'), justNow, topology, now, off).role).to.equal('replica')
  })
})

describe('decide: the shard', () => {
  const topology = topologyWith({ master: {}, brazil: {}, canada: {} })
  const inBrazil = framed([{ shard: 'brazil' }])
  const environment = { ...policy, ambientShard: 'canada' }

  for (const by of ['runner', 'handle', 'home'] as const)
    it(`a ${by} beats scope and environment`, () => {
      const shard = { name: 'master', by }
      const route = decide(request('read', { shard }), inBrazil, topology, now, environment)
      expect(route).to.include({ shard: 'master', shardReason: by })
    })

  it('a scope beats the environment', () => {
    const route = decide(request('read'), inBrazil, topology, now, environment)
    expect(route).to.include({ shard: 'brazil', shardReason: 'scope' })
  })

  it('the environment beats the default', () => {
    for (const frame of [undefined, framed([{ role: 'primary' }])])
      expect(decide(request('read'), frame, topology, now, environment)).to.include({
        shard: 'canada',
        shardReason: 'environment',
      })
  })

  it('the default shard is the last resort', () => {
    const route = decide(request('write'), undefined, topology, now, policy)
    expect(route).to.include({ shard: 'master', shardReason: 'default' })
  })

  it('a shard that has left the topology is unknown', () => {
    const gone = request('read', { shard: { name: 'denmark', by: 'handle' } })
    expect(() => decide(gone, undefined, topology, now, policy)).to.throw(
      UnknownShardError,
      'Unknown shard "denmark"; configured shards: master, brazil, canada.',
    )
  })
})

import { expect } from 'chai'
import { skippedServers } from '../../lib/typeorm/passed-servers.js'
import type { Route } from '../../lib/router/decide.js'
import { topologyWith } from '../support/topology.js'

const shard = topologyWith({
  brazil: { replicas: [{ name: 'r1' }, { name: 'r2', group: 'reports' }, { name: 'r3' }] },
}).shards.get('brazil')!
const [r1, r2] = shard.replicas

const route = (change: Partial<Route> = {}): Route => ({
  shard: 'brazil',
  role: 'replica',
  replicaGroup: undefined,
  reason: 'read outside a transaction',
  shardReason: 'scope',
  passedOver: [],
  isReadOnly: false,
  ...change,
})

describe('the servers that a route skipped', () => {
  it('are none where all replicas were candidates', () => {
    expect(skippedServers(shard, route(), shard.replicas, [])).to.deep.equal([])
  })

  it('are those of other replica groups', () => {
    const reports = route({ replicaGroup: 'reports' })
    expect(skippedServers(shard, reports, [r2!], [])).to.deep.equal([
      { node: 'r1', why: 'it is not in replica group "reports"' },
      { node: 'r3', why: 'it is not in replica group "reports"' },
    ])
  })

  it('are those out of service, once each', () => {
    const out = [{ node: 'r3', why: 'connect ECONNREFUSED' }]
    expect(skippedServers(shard, route(), [r1!, r2!], out)).to.deep.equal(out)
  })

  it('are all replicas where the primary serves for them', () => {
    const skipped = skippedServers(shard, route(), [shard.primary], [])
    expect(skipped.map(({ node }) => node)).to.deep.equal(['r1', 'r2', 'r3'])
    expect(skipped[0]?.why).to.contain('collapseReplicas')
  })

  it('are not told of where a rule chose the primary', () => {
    const write = route({ role: 'primary', reason: 'write' })
    expect(skippedServers(shard, write, [shard.primary], [])).to.deep.equal([])
  })
})

import { expect } from 'chai'
import { topologyOf, withEndpointOnline } from '../../lib/topology/snapshot.js'
import { type TopologyChange, TopologyStore } from '../../lib/topology/store.js'
import { configWith } from '../support/topology.js'

const config = configWith(
  {
    master: {},
    brazil: {
      replicas: [
        { name: 'br-2', group: 'reports', weight: 3 },
        { name: 'br-3' },
        { name: 'br-4', group: 'reports' },
      ],
      onNoReplica: 'error',
    },
  },
  { all: ['brazil', 'master'] },
)
const topology = topologyOf(config)
const brazil = topology.shards.get('brazil')!
const online = (shard = brazil, group?: string): string[] | undefined =>
  shard.onlineReplicas.get(group)?.map(({ node }) => node)

describe('topologyOf', () => {
  it('describes shards, groups and servers as configured, all online', () => {
    expect(topology.defaultShard).to.equal('master')
    expect(topology.shardNames).to.deep.equal(['master', 'brazil'])
    expect(topology.groups.get('all')).to.deep.equal(['brazil', 'master'])
    expect(brazil).to.include({ name: 'brazil', reads: 'replica', onNoReplica: 'error' })
    expect(brazil.replicas[0]).to.deep.equal({
      id: 'brazil/replica br-2',
      shard: 'brazil',
      role: 'replica',
      node: 'br-2',
      group: 'reports',
      weight: 3,
      isOnline: true,
    })
    expect(brazil.primary.id).to.equal('brazil/primary brazil-primary')
  })

  it('sorts online replicas by group, all of them under undefined', () => {
    expect(online()).to.deep.equal(['br-2', 'br-3', 'br-4'])
    expect(online(brazil, 'reports')).to.deep.equal(['br-2', 'br-4'])
    expect(online(brazil, 'archive')).to.equal(undefined)
    expect(brazil.replicaGroups).to.deep.equal(['reports'])
  })

  it('is frozen', () => {
    for (const part of [topology, topology.shardNames, brazil, brazil.replicas, brazil.primary])
      expect(Object.isFrozen(part)).to.equal(true)
  })
})

describe('withEndpointOnline', () => {
  it('takes a replica out of its group and puts it back, without touching the former snapshot', () => {
    const without = withEndpointOnline(topology, 'brazil/replica br-2', false)
    const shard = without.shards.get('brazil')!
    expect(online(shard)).to.deep.equal(['br-3', 'br-4'])
    expect(online(shard, 'reports')).to.deep.equal(['br-4'])
    expect(online()).to.deep.equal(['br-2', 'br-3', 'br-4'])
    const back = withEndpointOnline(without, 'brazil/replica br-2', true)
    expect(back.shards.get('brazil')).to.deep.equal(brazil)
  })

  it('keeps a group that has no online replica left', () => {
    const without = ['br-2', 'br-4'].reduce(
      (current, node) => withEndpointOnline(current, `brazil/replica ${node}`, false),
      topology,
    )
    expect(online(without.shards.get('brazil'), 'reports')).to.deep.equal([])
    expect(without.shards.get('brazil')?.replicaGroups).to.deep.equal(['reports'])
  })

  it('keeps the very shards that do not change, so that their rotations go on', () => {
    for (const [id, isOnline] of [
      ['brazil/replica br-2', true],
      ['brazil/replica nobody', false],
      ['brazil/primary brazil-primary', false],
    ] as const) {
      const same = withEndpointOnline(topology, id, isOnline)
      expect(same.shards.get('brazil')).to.equal(brazil)
    }
    const changed = withEndpointOnline(topology, 'brazil/replica br-2', false)
    expect(changed.shards.get('master')).to.equal(topology.shards.get('master'))
  })
})

describe('TopologyStore', () => {
  const change: TopologyChange = {
    kind: 'endpoint-online',
    endpoint: 'brazil/replica br-2',
    isOnline: false,
  }

  it('holds the present snapshot and tells each change to its subscribers, until they leave', () => {
    const store = new TopologyStore(topology)
    const told: unknown[] = []
    const stop = store.subscribe((snapshot, what) => told.push([snapshot, what]))
    store.apply(change)
    expect(told).to.deep.equal([[store.current, change]])
    expect(online(store.current.shards.get('brazil'))).to.deep.equal(['br-3', 'br-4'])
    stop()
    store.apply({ ...change, isOnline: true })
    expect(told).to.have.length(1)
  })
})

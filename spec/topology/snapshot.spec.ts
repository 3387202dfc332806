import { expect } from 'chai'
import { topologyAfter, topologyOf, withEndpointOnline } from '../../lib/topology/snapshot.js'
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
      revision: 0,
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

describe('topologyAfter', () => {
  const offline = withEndpointOnline(topology, 'brazil/replica br-2', false)
  const changed = configWith(
    {
      master: {},
      brazil: {
        replicas: [
          { name: 'br-2', group: 'reports', weight: 3 },
          { name: 'br-3', weight: 5 },
          { name: 'br-5' },
        ],
      },
      canada: {},
    },
    { all: ['brazil', 'master', 'canada'] },
  )
  const after = topologyAfter(offline, changed, new Set())
  const replica = (of: typeof topology, node: string) =>
    of.shards.get('brazil')?.replicas.find((endpoint) => endpoint.node === node)

  it('has what was added, without what was removed, in the order of the configuration', () => {
    expect(after.shardNames).to.deep.equal(['master', 'brazil', 'canada'])
    expect(after.groups.get('all')).to.deep.equal(['brazil', 'master', 'canada'])
    const nodes = after.shards.get('brazil')?.replicas.map(({ node }) => node)
    expect(nodes).to.deep.equal(['br-2', 'br-3', 'br-5'])
    expect(topology.shards.has('canada')).to.equal(false)
  })

  it('keeps the very servers and shards that stay, offline ones too', () => {
    expect(replica(after, 'br-2')).to.equal(replica(offline, 'br-2'))
    expect(online(after.shards.get('brazil'))).to.deep.equal(['br-3', 'br-5'])
    expect(after.shards.get('master')).to.equal(topology.shards.get('master'))
    expect(topologyAfter(topology, config, new Set()).shards.get('brazil')).to.equal(brazil)
  })

  it('takes a server that has moved for another: online, and of a later revision', () => {
    const moved = topologyAfter(offline, config, new Set(['brazil/replica br-2']))
    expect(replica(moved, 'br-2')).to.deep.equal({ ...replica(topology, 'br-2'), revision: 1 })
    expect(replica(moved, 'br-3')).to.equal(replica(topology, 'br-3'))
    expect(moved.shards.get('brazil')?.primary).to.equal(brazil.primary)
  })

  it('takes a server that comes back for another than the one that was removed', () => {
    const back = topologyAfter(after, config, new Set())
    expect(replica(back, 'br-4')).to.deep.include({ revision: 2, isOnline: true })
  })

  it('has a new weight without taking the server for another', () => {
    expect(replica(after, 'br-3')).to.deep.equal({ ...replica(topology, 'br-3'), weight: 5 })
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
    const topologyChange: TopologyChange = { kind: 'topology', topology }
    store.apply(topologyChange)
    expect(told[1]).to.deep.equal([topology, topologyChange])
    expect(store.current).to.equal(topology)
    stop()
    store.apply({ ...change, isOnline: true })
    expect(told).to.have.length(2)
  })
})

import { expect } from 'chai'
import { NoReplicaError } from '../../lib/index.js'
import { Load, changeUnder, noConnections } from './topology/load.js'
import { describeOnServers } from './topology/servers.js'
import { type Wrapped, end, wrap } from './topology/support.js'

describeOnServers('replicas that come and go', (get) => {
  let stage: Wrapped
  const reads = (times: number): Promise<number[]> =>
    get().sentDuring(async () => {
      for (let time = 0; time < times; time += 1)
        await stage.db.using('brazil', () => stage.entries.count())
    })

  beforeEach(async () => {
    const { at } = get()
    stage = wrap(at(0), {
      shards: { brazil: { ...at(1), replicas: [{ ...at(2), name: 'br-2' }] } },
    })
    await stage.db.initialize()
  })
  afterEach(() => end(stage.db))

  it('get their share of the reads', async () => {
    const { octopus } = stage.db
    await octopus.addReplica('brazil', { ...get().at(3), name: 'br-3' })
    expect(await reads(6)).to.deep.equal([0, 0, 3, 3])
    await octopus.updateNode('brazil', 'br-3', { weight: 2 })
    expect(await reads(6)).to.deep.equal([0, 0, 2, 4])
  })

  it('get a name from their host, and leave those of the others as they are', async () => {
    const { octopus } = stage.db
    const ofBrazil = () => octopus.pools().filter(({ shard }) => shard === 'brazil')
    await octopus.addReplica('brazil', get().at(3))
    // The primary has the name of the host alone, as it was the only server there with none given.
    expect(ofBrazil().map(({ node }) => node)).to.deep.equal([
      '127.0.0.1',
      'br-2',
      `127.0.0.1:${get().at(3).port}`,
    ])
  })

  it('are read by their group', async () => {
    const { db, entries } = stage
    await db.octopus.addReplica('brazil', { ...get().at(3), name: 'br-3', group: 'reports' })
    const count = () => db.usingReplica({ group: 'reports' }, () => entries.count())
    expect(await get().sentDuring(() => db.using('brazil', count))).to.deep.equal([0, 0, 0, 1])
    await db.octopus.updateNode('brazil', 'br-2', { group: 'reports' })
    await db.octopus.removeReplica('brazil', 'br-3')
    expect(await get().sentDuring(() => db.using('brazil', count))).to.deep.equal([0, 0, 1, 0])
  })

  it('take their connections with them, under load', async () => {
    const { db, entries } = stage
    await db.octopus.addReplica('brazil', { ...get().at(3), name: 'br-3' })
    const load = new Load(() => db.using('brazil', () => entries.count()))
    const sent = await changeUnder(get(), load, () => db.octopus.removeReplica('brazil', 'br-2'))
    expect(load.errors).to.deep.equal([])
    expect(sent[1]).to.equal(0)
    expect(sent[2]).to.equal(0)
    expect(sent[3]).to.be.above(50)
    await noConnections(get(), 2)
  })

  it('can all be removed: onNoReplica and usingReplica say what then', async () => {
    const { db, entries } = stage
    await db.octopus.removeReplica('brazil', 'br-2')
    expect(await reads(2)).to.deep.equal([0, 2, 0, 0])
    await db.octopus.addShard('canada', { ...get().at(3), onNoReplica: 'error' })
    const read = () => db.usingReplica(() => entries.count())
    expect(() => db.using('canada', read)).to.throw(NoReplicaError)
  })

  it('can be those of the default shard', async () => {
    const { db, entries } = stage
    await db.octopus.addReplica('master', { ...get().at(3), name: 'm-2' })
    const count = () => get().sentDuring(() => entries.count())
    expect(await count()).to.deep.equal([0, 0, 0, 1])
    await db.octopus.removeReplica('master', 'm-2')
    expect(await count()).to.deep.equal([1, 0, 0, 0])
    await noConnections(get(), 3)
  })

  it('are not what a removed shard leaves: no connection to any of its servers', async () => {
    const { db, entries } = stage
    await reads(3)
    await db.using('brazil', () => entries.insert({ text: 'x' }))
    await db.octopus.removeShard('brazil')
    await noConnections(get(), 1)
    await noConnections(get(), 2)
  })
})

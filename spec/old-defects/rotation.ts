import { expect } from 'chai'
import type { ConnectionProxy, OctopusOptions } from '../../lib/index.js'
import { Client, Item } from './entities.js'
import type { Sent, Stage } from './stage.js'

/** How many statements each server got. */
const counts = (sent: Sent): Record<string, number> =>
  Object.fromEntries(Object.entries(sent).map(([name, words]) => [name, words.length]))

const readTimes = async (db: ConnectionProxy, times: number): Promise<void> => {
  for (let turn = 0; turn < times; turn += 1) await db.manager.find(Client)
}

/** Which servers share the reads. */
export const rotation = (stage: () => Stage): void => {
  /** The servers that `times` plain reads reach. */
  const readers = (options: OctopusOptions, times = 8): Promise<Record<string, number>> =>
    stage().with(options, async (db) => counts(await stage().sent(() => readTimes(db, times))))

  it('[T4] a primary with a name of its own is no replica', async () => {
    const options = { defaultShard: 'main', groups: { all: ['main', 'russia'] } }
    const reached = await readers(options)
    expect(Object.keys(reached)).to.have.members(['master/r1', 'master/r2'])
    expect(reached['master/r1']! + reached['master/r2']!).to.equal(8)
  })

  it('[T5] with as many reads in a request as there are replicas, each query reaches all of them', async () => {
    const { db } = stage()
    const sent = await stage().sent(async () => {
      for (let request = 0; request < 100; request += 1)
        await db.octopus.scope(async () => {
          await db.manager.find(Client)
          await db.manager.find(Item)
        })
    })
    expect(Object.keys(sent)).to.have.members(['master/r1', 'master/r2'])
    for (const words of Object.values(sent)) {
      expect(words.filter((each) => each === 'select client')).to.have.length.within(20, 80)
      expect(words.filter((each) => each === 'select item')).to.have.length.within(20, 80)
    }
  })

  it('[T8] a read outside every scope is answered by the default shard, never by a server of another', async () => {
    expect(await readers({ replicas: [] })).to.deep.equal({ master: 8 })
  })

  it('[T9] replicas of one name on two shards are two servers', async () => {
    const named = (name: 'master/r1' | 'russia/r1') => ({
      ...stage().replica(name, 'fast'),
      name: 'reader',
    })
    const options: OctopusOptions = {
      replicas: [named('master/r1')],
      shards: { russia: stage().shard('russia', [named('russia/r1')]) },
      groups: {},
    }
    const sent = await stage().with(options, (db) =>
      stage().sent(async () => {
        await db.usingReplica({ group: 'fast' }, () => db.manager.find(Client))
        await db.using('russia', () => db.manager.find(Item))
      }),
    )
    expect(sent).to.deep.equal({ 'master/r1': ['select client'], 'russia/r1': ['select item'] })
  })

  it('[T12] a query of no entity is routed like any other', async () => {
    const read = (db: ConnectionProxy) =>
      db
        .createQueryBuilder()
        .select('t.table_name', 'name')
        .from('information_schema.tables', 't')
        .limit(1)
        .getRawMany()
    const { master: none, ...replicas } = await stage().sent(() => read(stage().db))
    expect(none).to.equal(undefined)
    expect(Object.values(replicas)).to.deep.equal([['select schema']])
    const sent = await stage().with({ fullyReplicated: false }, (db) =>
      stage().sent(() => read(db)),
    )
    expect(sent).to.deep.equal({ master: ['select schema'] })
  })

  for (const [number, what, hasReplicaGroups, groups] of [
    ['G1', 'a group of shards', false, { pair: ['master', 'canada'] }],
    ['G1', 'groups of replicas', true, {}],
    ['G2', 'no group', false, {}],
  ] as const)
    it(`[${number}] with ${what} in the configuration, plain reads are on the replicas`, async () => {
      const replicas = (['master/r1', 'master/r2'] as const).map((name) =>
        stage().replica(name, hasReplicaGroups ? name.replace('/', '-of-') : undefined),
      )
      const shards = { canada: stage().shard('canada') }
      const reached = await readers({ replicas, shards, groups })
      expect(Object.keys(reached)).to.have.members(['master/r1', 'master/r2'])
    })

  it('[G7] a shard that is named without a replica group reads all of its replicas', async () => {
    const { db } = stage()
    const sent = counts(await stage().sent(() => db.using('russia', () => readTimes(db, 8))))
    expect(Object.keys(sent)).to.have.members(['russia/r1', 'russia/r2'])
  })

  it('[G8] without any replica or shard everything is on the one server', async () => {
    const sent = await stage().with({ replicas: [], shards: {}, groups: {} }, (db) =>
      stage().sent(async () => {
        await db.manager.find(Client)
        await db.usingReplica(() => db.manager.find(Client))
        await db.manager.update(Client, 1, { name: 'renamed' })
      }),
    )
    expect(sent).to.deep.equal({ master: ['select client', 'select client', 'update client'] })
  })
}

import { expect } from 'chai'
import { UnknownReplicaGroupError } from '../../../lib/index.js'
import { failureOf } from '../../typeorm/compat/support.js'
import { Cat, Country, Dog } from '../entities/replication.js'
import { type Row, row } from '../row.js'
import type { World } from '../world.js'

const times = (count: number, words: string): readonly string[] => Array<string>(count).fill(words)

const repeat = async (count: number, work: () => Promise<unknown>): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await work()
}

/** Where replicas are for those who ask for them, as in Octopus once it has groups. */
const onRequest = (world: World) =>
  world.wrap({ defaultShard: 'russia', octopus: { reads: 'primary' } })

/** Octopus's replicated_slave_grouped, sharded_replicated and sharded specs. */
export const replicaGroups: readonly Row[] = [
  row(
    'G1',
    'with replicas on request, reads are on the primary, and on a group’s replica in its scope',
    { russia: ['select repl_cat'], 'russia/slow': times(2, 'select repl_cat') },
    async (world) => {
      const db = await onRequest(world)
      await db.manager.find(Cat)
      await db.usingReplica({ group: 'slow' }, () => repeat(2, () => db.manager.find(Cat)))
    },
  ),
  row(
    'G2',
    'the replicas of a group take turns',
    { 'russia/fast': times(6, 'select repl_cat') },
    async ({ db }) => {
      const { events } = await db.octopus.withTrace(() =>
        db.using('russia', () =>
          db.usingReplica({ group: 'fast' }, () => repeat(6, () => db.manager.find(Cat))),
        ),
      )
      for (const node of new Set(events.map((event) => event.node)))
        // A round of both may have begun before.
        expect(events.filter((event) => event.node === node)).to.have.length.within(2, 4)
    },
  ),
  row(
    'G3',
    'where groups are configured and none is chosen, reads are on the primary if replicas are on request',
    { russia: times(5, 'select repl_cat'), 'russia/*': times(5, 'select repl_dog') },
    async (world) => {
      const db = await onRequest(world)
      await repeat(5, () => db.manager.find(Cat))
      await world.db.using('russia', () => repeat(5, () => world.db.manager.find(Dog)))
    },
  ),
  row(
    'G4',
    'every read in a group’s scope is of that group',
    { 'russia/slow': [...times(3, 'select repl_cat'), 'select repl_dog', 'select repl_cat'] },
    ({ db }) =>
      db.using('russia', () =>
        db.usingReplica({ group: 'slow' }, async () => {
          await repeat(3, () => db.manager.find(Cat))
          await db.manager.count(Dog)
          await db.manager.find(Cat)
        }),
      ),
  ),
  row(
    'G5',
    'scopes of groups nest: the inner one holds inside, the outer one after it, and a shard without it is an error',
    {
      'russia/fast': ['select repl_cat', 'select repl_dog', 'select repl_cat'],
      'russia/slow': ['select repl_cat'],
    },
    ({ db }) =>
      db.using('russia', () =>
        db.usingReplica({ group: 'fast' }, async () => {
          const find = () => db.manager.find(Cat)
          await find()
          await db.usingReplica({ group: 'slow' }, find)
          await db.using('russia', () => db.manager.find(Dog))
          const error = await failureOf(() => db.using('brazil', find))
          expect(error).to.be.instanceOf(UnknownReplicaGroupError)
          await find()
        }),
      ),
  ),
  row(
    'G6',
    'a shard’s scope and a group’s scope together choose that shard’s replicas',
    {
      master: ['select repl_dog'],
      russia: ['select repl_cat'],
      'russia/fast': times(4, 'select repl_cat'),
      'russia/slow': times(5, 'select repl_cat'),
    },
    async (world) => {
      const db = await world.wrap({ octopus: { reads: 'primary' } })
      const find = () => db.manager.find(Cat)
      await db.manager.find(Dog)
      await db.using('russia', find)
      await db.using('russia', () => db.usingReplica({ group: 'fast' }, () => repeat(4, find)))
      await db.using('russia', () => db.usingReplica({ group: 'slow' }, () => repeat(5, find)))
    },
  ),
  row(
    'G7',
    'a shard without a group is read on its primary if replicas are on request',
    { russia: times(7, 'select repl_cat'), master: ['select repl_dog'] },
    async (world) => {
      const db = await world.wrap({ octopus: { reads: 'primary' } })
      await db.using('russia', () => repeat(7, () => db.manager.find(Cat)))
      await db.manager.find(Dog)
    },
  ),
  row(
    'G8',
    'an entity outside sharding ignores the shard of the scope',
    {
      master: ['insert repl_country', 'select repl_country'],
      brazil: ['insert repl_dog'],
    },
    ({ db }) =>
      db.using('brazil', async () => {
        await db.manager.insert(Country, { name: 'Chile' })
        await db.manager.insert(Dog, { name: 'Rex' })
        expect(await db.manager.countBy(Country, { name: 'Chile' })).to.equal(1)
      }),
  ),
  row(
    'G9',
    'any other entity is on the shard of the scope',
    {
      brazil: ['insert repl_dog', 'insert repl_dog', 'select repl_dog'],
      master: ['insert repl_dog', 'select repl_dog'],
    },
    async ({ db }) => {
      await db.using('brazil', async () => {
        await db.manager.insert(Dog, { name: 'Rex' })
        await db.manager.insert(Dog, { name: 'Bello' })
        expect(await db.manager.count(Dog)).to.equal(2)
      })
      await db.manager.insert(Dog, { name: 'Rex' })
      expect(await db.manager.count(Dog)).to.equal(1)
    },
  ),
]

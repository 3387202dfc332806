import { expect } from 'chai'
import { type EntitySubscriberInterface, EventSubscriber, type InsertEvent } from 'typeorm'
import { failureOf } from '../../typeorm/compat/support.js'
import { SharedCache } from '../../typeorm/scenarios/shared-cache.js'
import { freePort } from '../../support/cluster/free-port.js'
import { Cat, Dog, Kitten } from '../entities/replication.js'
import { type Row, row } from '../row.js'
import { goneReplica } from '../servers.js'
import type { World } from '../world.js'

/** A cat on russia, that its replicas have. */
const catOnRussia = (world: World): Promise<void> =>
  world.aside(async () => {
    await world.sql('russia', "INSERT INTO repl_cat (id, name) VALUES (1, 'Tom')")
    await world.replicate()
  })

/** A replica that answers nobody. */
const replicaGone = async ({ engine }: World) =>
  engine === 'sqljs'
    ? { name: goneReplica, driver: { Database: UnreadableDatabase } }
    : { name: goneReplica, host: '127.0.0.1', port: await freePort() }

class UnreadableDatabase {
  constructor() {
    throw new Error('The database cannot be opened.')
  }
}

/** Refuses a second cat of a name, as a validation would. */
@EventSubscriber()
class OneCatOfAName implements EntitySubscriberInterface<Cat> {
  listenTo(): typeof Cat {
    return Cat
  }
  async beforeInsert({ dataSource, entity: { name } }: InsertEvent<Cat>): Promise<void> {
    if (await dataSource.getRepository(Cat).existsBy({ name })) throw new Error(`${name} is taken.`)
  }
}

/** Octopus's replication_spec.rb. */
export const replication: readonly Row[] = [
  row(
    'RP1',
    'an entity that is not replicated is written to and read from the primary',
    { russia: ['insert repl_dog', 'select repl_dog'] },
    async (world) => {
      const db = await world.wrap({ defaultShard: 'russia', octopus: { fullyReplicated: false } })
      await db.manager.insert(Dog, { name: 'Rex' })
      expect(await db.manager.findOneBy(Dog, { name: 'Rex' })).to.include({ name: 'Rex' })
    },
  ),
  row(
    'RP2',
    'a replicated entity is written to the primary and read from a replica, and does not change how others are read',
    {
      russia: ['insert repl_cat', 'insert repl_dog', 'select repl_dog'],
      'russia/*': ['select repl_cat'],
    },
    async (world) => {
      const db = await world.wrap({ defaultShard: 'russia', octopus: { fullyReplicated: false } })
      await db.manager.insert(Cat, { name: 'Tom' })
      await db.manager.insert(Dog, { name: 'Rex' })
      expect(await db.manager.findOneBy(Dog, { name: 'Rex' })).to.include({ name: 'Rex' })
      await world.replicate()
      expect(await db.manager.findOneBy(Cat, { name: 'Tom' })).to.include({ name: 'Tom' })
    },
  ),
  row(
    'RP3',
    'several entities are inserted on the primary at once',
    { russia: ['insert repl_cat'], 'russia/*': ['select repl_cat'] },
    async (world) => {
      const { db } = world
      const cats = ['Tom', 'Felix'].map((name) => Object.assign(new Cat(), { name }))
      await db.using('russia', () => db.manager.insert(Cat, cats))
      await world.replicate()
      expect(await db.using('russia', () => db.manager.count(Cat))).to.equal(2)
    },
  ),
  row(
    'RP4',
    'an entity that was read from a replica is saved on the primary',
    {
      'russia/*': ['select repl_cat'],
      russia: ['select repl_cat', 'begin', 'update repl_cat', 'commit'],
    },
    async (world) => {
      await catOnRussia(world)
      const { db } = world
      const cat = await db.using('russia', () => db.manager.findOneByOrFail(Cat, { id: 1 }))
      cat.name = 'Thomas'
      await db.manager.save(cat)
      expect(await world.sql('russia', 'SELECT name FROM repl_cat')).to.deep.equal([
        { name: 'Thomas' },
      ])
    },
  ),
  row(
    'RP5',
    'plain reads never touch the primary',
    { 'russia/*': Array<string>(6).fill('select repl_cat') },
    async (world) => {
      await catOnRussia(world)
      const cats = world.db.shard('russia').getRepository(Cat)
      for (let turn = 0; turn < 3; turn += 1) {
        expect(await cats.find()).to.have.length(1)
        expect(await cats.findOneBy({ name: 'Tom' })).to.include({ id: 1 })
      }
    },
  ),
  row(
    'RP6',
    'a child of an entity that was read from a replica is inserted on the primary',
    { 'russia/*': ['select repl_cat'], russia: ['begin', 'insert repl_kitten', 'commit'] },
    async (world) => {
      await catOnRussia(world)
      const { db } = world
      const cat = await db.using('russia', () => db.manager.findOneByOrFail(Cat, { id: 1 }))
      await db.manager.save(Object.assign(new Kitten(), { name: 'Kit', cat }))
      const rows = await world.sql('russia', 'SELECT name FROM repl_kitten')
      expect(rows).to.deep.equal([{ name: 'Kit' }])
    },
  ),
  row(
    'RP7',
    'a result cache answers a repeated query, on each shard with the rows of that shard',
    { 'russia/*': ['select repl_cat'], brazil: ['select repl_cat', 'select repl_dog'] },
    async (world) => {
      await catOnRussia(world)
      const cache = { provider: () => new SharedCache() }
      const db = await world.wrap({ dataSource: { cache } })
      const cats = () => db.manager.find(Cat, { cache: 60_000 })
      for (const turn of ['asks', 'does not ask']) {
        expect(await db.using('russia', cats), turn).to.have.length(1)
        expect(await db.using('brazil', cats), turn).to.have.length(0)
      }
      await db.using('brazil', () => db.manager.find(Dog, { cache: 60_000 }))
    },
  ),
  row(
    'RP8',
    'a data source with a result cache starts without a replica that cannot be reached',
    { master: ['insert repl_cat', 'select repl_cat'] },
    async (world) => {
      const db = await world.wrap({
        octopus: { replicas: [await replicaGone(world)] },
        dataSource: { cache: { provider: () => new SharedCache() } },
      })
      await db.manager.insert(Cat, { name: 'Tom' })
      expect(await db.usingPrimary(() => db.manager.find(Cat))).to.have.length(1)
    },
  ),
  row(
    'RP9',
    'the default shard’s primary is read where usingPrimary says so, in an application that is replicated as a whole',
    { russia: ['select repl_cat'], 'russia/*': ['select repl_cat', 'select repl_cat'] },
    async (world) => {
      const db = await world.wrap({ defaultShard: 'russia' })
      await db.usingPrimary(() => db.manager.find(Cat))
      await db.using('russia', () => db.manager.find(Cat))
      await db.manager.find(Cat)
    },
  ),
  row(
    'RP10',
    'a count is read from a replica',
    { 'russia/*': ['select repl_cat'] },
    async (world) => {
      await catOnRussia(world)
      expect(await world.db.using('russia', () => world.db.manager.count(Cat))).to.equal(1)
    },
  ),
  row(
    'RP11',
    'every entity is written to the primary and read from replicas, if nothing else is said',
    {
      russia: ['insert repl_cat', 'insert repl_dog'],
      'russia/*': ['select repl_cat'],
    },
    async (world) => {
      const db = await world.wrap({ defaultShard: 'russia' })
      await db.manager.insert(Cat, { name: 'Tom' })
      await db.manager.insert(Dog, { name: 'Rex' })
      await world.replicate()
      expect(await db.manager.findOneBy(Cat, { name: 'Tom' })).to.include({ name: 'Tom' })
    },
  ),
  row(
    'RP12',
    'so are those that are not marked as replicated',
    { russia: ['insert repl_dog'], 'russia/*': ['select repl_dog'] },
    async (world) => {
      const db = await world.wrap({ defaultShard: 'russia' })
      await db.manager.insert(Dog, { name: 'Rex' })
      await world.replicate()
      expect(await db.manager.findOneBy(Dog, { name: 'Rex' })).to.include({ name: 'Rex' })
    },
  ),
  row(
    'RP13',
    'what a subscriber checks before an insert is read from the primary',
    {
      russia: [
        ['begin', 'select repl_cat', 'insert repl_cat', 'commit'],
        ['begin', 'select repl_cat', 'rollback'],
      ].flat(),
    },
    async (world) => {
      const db = await world.wrap({ dataSource: { subscribers: [OneCatOfAName] } })
      const save = () =>
        db.using('russia', () => db.manager.save(Object.assign(new Cat(), { name: 'Tom' })))
      await save()
      expect(await failureOf(save)).to.have.property('message', 'Tom is taken.')
    },
  ),
  row(
    'RP14',
    'after a read that a replica failed, work goes on on the default shard',
    { master: ['insert repl_cat'] },
    (world) => afterFailedRead(world, 'master'),
  ),
  row(
    'RP15',
    'the same where the default shard has another name',
    { russia: ['insert repl_cat'] },
    (world) => afterFailedRead(world, 'russia'),
  ),
]

const afterFailedRead = async (world: World, defaultShard: 'master' | 'russia'): Promise<void> => {
  const replicas = [await replicaGone(world)]
  const db = await world.wrap({
    defaultShard,
    octopus: { replicas, onNoReplica: 'error', groups: {} },
  })
  const read = () => db.using(defaultShard, () => db.usingReplica(() => db.manager.find(Cat)))
  expect(await failureOf(read)).to.be.instanceOf(Error)
  expect(db.octopus.currentShard()).to.equal(defaultShard)
  await db.manager.insert(Cat, { name: 'Tom' })
}

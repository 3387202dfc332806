import { expect } from 'chai'
import {
  Column,
  type DataSource,
  DefaultNamingStrategy,
  Entity,
  type EntitySubscriberInterface,
  EventSubscriber,
  type InsertEvent,
  PrimaryGeneratedColumn,
} from 'typeorm'
import type { ConnectionProxy, ShardOptions } from '../../../lib/index.js'
import { SqljsEndpoint } from '../../support/engines/sqljs-endpoint.js'
import { summaries } from '../../support/engines/summary.js'
import { failureOf } from '../../typeorm/compat/support.js'
import { Bacon, Item, Keyboard, User } from '../entities/model.js'
import { type Row, row } from '../row.js'
import type { World } from '../world.js'
import { insert, saveNew, select, user, usersOf, usersOn } from './model-stage.js'

const serverEngines = ['mariadb', 'postgres'] as const

/** A data source with a shard of another engine than the world's, and that shard's own log. */
const withLite = async (world: World) => {
  const endpoint = await SqljsEndpoint.open('lite')
  const lite: ShardOptions = { ...endpoint.connection, type: endpoint.engine, synchronize: true }
  const db = await world.wrap({ shards: [], octopus: { shards: { lite } } })
  const mark = endpoint.mark()
  return { db, statements: async () => summaries(await endpoint.since(mark)) }
}

/** Names the tables of entities that name none. */
class OfModels extends DefaultNamingStrategy {
  override tableName(entity: string, own: string | undefined): string {
    return own ?? `model_${entity.toLowerCase()}`
  }
}

/** Named by {@link OfModels}. */
@Entity()
class Ham {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

const refused = (name: string): Error => new Error(`${name} is taken.`)

/** Refuses a second keyboard of a name, as a validation would. */
@EventSubscriber()
class OneKeyboardOfAName implements EntitySubscriberInterface<Keyboard> {
  listenTo(): typeof Keyboard {
    return Keyboard
  }
  async beforeInsert({ dataSource, entity: { name } }: InsertEvent<Keyboard>): Promise<void> {
    if (await dataSource.getRepository(Keyboard).existsBy({ name })) throw refused(name)
  }
}

const saved = ['begin', 'select model_keyboard', 'insert model_keyboard', 'commit'] as const
const notSaved = ['begin', 'select model_keyboard', 'rollback'] as const

const save = (dataSource: DataSource): Promise<Keyboard> =>
  dataSource.manager.save(Object.assign(new Keyboard(), { name: 'Key' }))

const isTaken = async (work: () => unknown): Promise<void> => {
  expect(await failureOf(work)).to.have.property('message', 'Key is taken.')
}

/** What each shard's handle knows of an entity. */
const metadataOf = (db: ConnectionProxy, entity: Function) =>
  db.octopus.shardNames.map((name) => db.shard(name).getMetadata(entity))

/** Octopus's model_spec: what goes by the servers and their settings. */
export const modelServers: readonly Row[] = [
  row(
    'M17',
    'a shard of SQLite works beside those of another engine',
    { master: select },
    async (world) => {
      const { db, statements } = await withLite(world)
      const lite = usersOf(db, 'lite')
      const saved = await lite.save(user('Sqlite3'))
      expect(await lite.findOneBy({ name: 'Sqlite3' })).to.deep.equal(saved)
      expect(await db.manager.count(User)).to.equal(0)
      expect(await statements()).to.deep.equal([...saveNew, ...select])
    },
    serverEngines,
  ),
  row(
    'M36',
    'type, driver and SQL are those of the shard’s engine',
    { master: insert },
    async (world) => {
      const { db, statements } = await withLite(world)
      const facts = (dataSource: DataSource): readonly string[] => [
        dataSource.options.type,
        dataSource.driver.options.type,
        dataSource.createQueryBuilder(User, 'u').getQuery().slice(0, 8),
      ]
      const quote = world.engine === 'mariadb' ? '`' : '"'
      const own = [world.engine, world.engine, `SELECT ${quote}`]
      const ofLite = ['sqljs', 'sqljs', 'SELECT "']
      expect(facts(db.shard('master'))).to.deep.equal(own)
      expect(facts(db.shard('lite'))).to.deep.equal(ofLite)
      expect(facts(db)).to.deep.equal(own)
      expect(db.using('lite', () => facts(db))).to.deep.equal(ofLite)
      await db.manager.insert(User, user('Ana'))
      expect(await statements()).to.deep.equal([])
    },
    serverEngines,
  ),
  row(
    'M37',
    'what is written to a shard of another engine is read there and nowhere else',
    { master: [...select, ...insert] },
    async (world) => {
      const { db, statements } = await withLite(world)
      await db.using('lite', async () => {
        const ana = await db.manager.save(user('Ana'))
        expect(await db.manager.find(User)).to.deep.equal([ana])
      })
      expect(await usersOf(db, 'master').find()).to.deep.equal([])
      await db.manager.insert(User, user('Bo'))
      expect(await statements()).to.deep.equal([...saveNew, ...select])
    },
    serverEngines,
  ),
  row(
    'M87',
    'an entity has the table that it names, on a shard of another engine too',
    { master: ['insert model_ham'] },
    async (world) => {
      const { db, statements } = await withLite(world)
      const tables = () => metadataOf(db, Bacon).map(({ tableName }) => tableName)
      expect(tables()).to.deep.equal(['model_ham', 'model_ham'])
      await db.shard('lite').manager.insert(Bacon, { name: 'On lite' })
      await db.shard('master').manager.insert(Bacon, { name: 'On master' })
      expect(tables()).to.deep.equal(['model_ham', 'model_ham'])
      expect(await statements()).to.deep.equal(['insert model_ham'])
    },
    serverEngines,
  ),
  row(
    'M88',
    'an entity has the table that it names, in a scope of another shard',
    { brazil: ['insert model_ham', 'select model_ham'] },
    async ({ db }) => {
      await db.using('brazil', async () => {
        expect(db.getMetadata(Bacon).tableName).to.equal('model_ham')
        await db.manager.insert(Bacon, { name: 'Ham' })
      })
      expect(await db.shard('brazil').manager.countBy(Bacon, { name: 'Ham' })).to.equal(1)
    },
  ),
  row(
    'M89',
    'a naming strategy names the tables of every shard',
    { brazil: ['insert model_ham'], canada: ['select model_ham', 'select model_ham'] },
    async (world) => {
      const db = await world.wrap({
        dataSource: { entities: [Ham], namingStrategy: new OfModels() },
      })
      await db.shard('brazil').manager.insert(Ham, { name: 'Ham' })
      expect(await db.shard('canada').manager.count(Ham)).to.equal(0)
      expect(await db.using('canada', () => db.manager.countBy(Ham, { name: 'Ham' }))).to.equal(0)
      expect(await world.sql('brazil', 'SELECT name FROM model_ham')).to.deep.equal([
        { name: 'Ham' },
      ])
    },
  ),
  row(
    'M90',
    'the metadata of an entity is one for the shards of an engine, and work does not change it',
    { master: ['insert model_ham'], brazil: ['insert model_ham', 'select model_ham'] },
    async ({ db }) => {
      const [before, ...others] = metadataOf(db, Bacon)
      for (const each of others) expect(each).to.equal(before)
      await db.shard('master').manager.insert(Bacon, { name: 'Master' })
      await db.using('brazil', () => db.manager.insert(Bacon, { name: 'Brazil' }))
      expect(await db.shard('brazil').manager.find(Bacon)).to.have.length(1)
      for (const each of metadataOf(db, Bacon)) expect(each).to.equal(before)
      expect(before).to.include({ tableName: 'model_ham', tablePath: 'model_ham' })
    },
  ),
  row(
    'M93',
    'a subscriber that refuses a name looks on the primary of the entity’s shard',
    { russia: [...saved, ...notSaved], brazil: saved },
    async (world) => {
      const db = await world.wrap({
        defaultShard: 'russia',
        dataSource: { subscribers: [OneKeyboardOfAName] },
      })
      await save(db)
      await db.using('brazil', () => save(db))
      await isTaken(() => save(db))
    },
  ),
  row(
    'M94',
    'the same on a handle',
    { brazil: [...saved, ...notSaved], master: saved },
    async (world) => {
      const db = await world.wrap({ dataSource: { subscribers: [OneKeyboardOfAName] } })
      await save(db.shard('brazil'))
      await save(db)
      await isTaken(() => save(db.shard('brazil')))
    },
  ),
  row(
    'M95',
    'which shards have replicas can be asked',
    { 'russia/*': select, master: insert },
    async ({ db }) => {
      const replicas = db.octopus.pools().filter(({ role }) => role === 'replica')
      expect(replicas.map(({ shard, node }) => `${shard}/${node}`)).to.deep.equal([
        'russia/fast-1',
        'russia/fast-2',
        'russia/slow-1',
      ])
      const roleOn = (shard: string) => db.using(shard, () => db.octopus.explain(User).role)
      expect(['master', 'russia'].map(roleOn)).to.deep.equal(['primary', 'replica'])
      await db.using('russia', () => db.manager.find(User))
      await db.manager.insert(User, user('Ana'))
    },
  ),
  row(
    'M96',
    'only the entities that are listed as replicated are read from replicas',
    { 'russia/*': select, russia: ['select model_item'] },
    async (world) => {
      await usersOn(world, 'russia', 'Ana')
      await world.replicate()
      const db = await world.wrap({
        defaultShard: 'russia',
        octopus: { fullyReplicated: false, replicated: ['User'] },
      })
      expect(db.octopus.explain(User).reason).to.equal('read outside a transaction')
      expect(db.octopus.explain(Item).reason).to.equal('entity not replicated')
      expect(await db.manager.find(User)).to.have.length(1)
      expect(await db.manager.find(Item)).to.have.length(0)
    },
  ),
]

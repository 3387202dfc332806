import { expect } from 'chai'
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm'
import { type ConnectionProxy, CrossShardError, Unsharded } from '../../../lib/index.js'
import { until } from '../../support/until.js'
import { failureOf } from '../../typeorm/compat/support.js'
import { Advert, User } from '../entities/model.js'
import { type Row, row } from '../row.js'
import type { ShardName } from '../servers.js'
import type { World } from '../world.js'
import { user, usersOn } from './model-stage.js'

abstract class HasValue {
  @PrimaryGeneratedColumn() id!: number
  @Column() value!: string
}

/** Lives on canada, whatever the scope. */
@Unsharded('canada')
@Entity('model_setting')
class Setting extends HasValue {}

/** Where the class that it extends lives. */
@Entity('model_setting')
class LocalSetting extends Setting {}

/** Lives on canada, and is on brazil too. */
@Unsharded('canada', { allowShard: ['brazil'] })
@Entity('model_setting')
class Flag extends HasValue {}

/** Lives on canada; to ask for it elsewhere is an error. */
@Unsharded('canada', { strict: true })
@Entity('model_setting')
class StrictSetting extends HasValue {}

const select = ['select model_setting'] as const
const insert = ['insert model_setting'] as const

/** A data source with these entities, and a setting on each shard. */
const stage = async (world: World): Promise<ConnectionProxy> => {
  for (const shard of ['master', 'brazil', 'canada', 'russia'] as const)
    await world.sql(shard, `INSERT INTO model_setting (id, value) VALUES (1, 'of ${shard}')`)
  return world.wrap({
    dataSource: { entities: [User, Setting, LocalSetting, Flag, StrictSetting] },
  })
}

/** The values of the settings that a server has. */
const valuesOn = async (world: World, shard: ShardName): Promise<readonly unknown[]> => {
  const rows = await world.sql(shard, 'SELECT value FROM model_setting ORDER BY id')
  return rows.map(({ value }) => value)
}

/** The connections that canada has open; SQLite has none. */
const connectionsTo = async (world: World): Promise<number> => {
  const counts = {
    sqljs: 'SELECT 0 AS n',
    mariadb: "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE db = 'app'",
    postgres: 'SELECT COUNT(*) AS n FROM pg_stat_activity WHERE datname = current_database()',
  }
  const [found] = await world.sql('canada', counts[world.engine])
  return Number(found?.['n'])
}

/** Finds the one setting, and the rules by which its shard was chosen. */
const found = async <E extends HasValue>(
  db: ConnectionProxy,
  find: () => Promise<readonly E[]>,
): Promise<readonly string[]> => {
  const { value, events } = await db.octopus.withTrace(find)
  return [...value.map((each) => each.value), ...events.map(({ shardReason }) => shardReason)]
}

/** A row that finds a setting. */
const finds = (
  number: string,
  title: string,
  shard: 'canada' | 'brazil',
  reason: string,
  find: (db: ConnectionProxy) => Promise<readonly HasValue[]>,
): Row =>
  row(number, title, { [shard]: select }, async (world) => {
    const db = await stage(world)
    expect(await found(db, () => find(db))).to.deep.equal([`of ${shard}`, reason])
  })

const refused = async (work: () => unknown): Promise<void> => {
  const error = await failureOf(work)
  expect(error).to.be.instanceOf(CrossShardError)
  expect(error).to.have.property('message').that.includes('StrictSetting').and.includes('brazil')
}

/** Octopus's model_spec: models with a connection of their own. */
export const modelUnsharded: readonly Row[] = [
  finds('M38', 'an entity outside sharding is on its own shard', 'canada', 'unsharded', (db) =>
    db.manager.find(Setting),
  ),
  finds('M39', 'so is one that extends it, in every scope', 'canada', 'unsharded', (db) =>
    db.using('brazil', () => db.manager.find(LocalSetting)),
  ),
  row(
    'M40',
    'an entity outside sharding that names no shard is on the default one',
    { master: ['insert model_advert', 'select model_advert'] },
    async (world) => {
      const { db } = world
      await db.using('brazil', () => db.manager.insert(Advert, { name: 'Teste' }))
      const adverts = await db.shard('brazil').manager.find(Advert)
      expect(adverts.map(({ name }) => name)).to.deep.equal(['Teste'])
      expect(await world.sql('master', 'SELECT name FROM model_advert')).to.have.length(1)
    },
  ),
  finds(
    'M74',
    'an entity outside sharding is found on its own shard without a scope',
    'canada',
    'unsharded',
    (db) => db.getRepository(Setting).find(),
  ),
  row(
    'M75',
    'a handle of another shard finds an entity outside sharding on its own, and the trace says so; strict, it is an error',
    { canada: select },
    async (world) => {
      const db = await stage(world)
      const brazil = db.shard('brazil')
      const settings = () => brazil.getRepository(Setting).find()
      expect(await found(db, settings)).to.deep.equal(['of canada', 'unsharded'])
      await refused(() => brazil.getRepository(StrictSetting).find())
    },
  ),
  row(
    'M76',
    'so does a scope of another shard',
    { canada: [...select, ...select] },
    async (world) => {
      const db = await stage(world)
      await db.using('brazil', async () => {
        const settings = () => db.manager.find(Setting)
        expect(await found(db, settings)).to.deep.equal(['of canada', 'unsharded'])
        await refused(() => db.manager.find(StrictSetting))
      })
      const strict = await db.using('canada', () => db.manager.find(StrictSetting))
      expect(strict).to.have.length(1)
    },
  ),
  row(
    'M77',
    'an entity outside sharding is saved on its own shard, in every scope',
    { canada: ['begin', ...insert, 'commit'] },
    async (world) => {
      const db = await stage(world)
      const setting = Object.assign(new Setting(), { value: 'new' })
      await db.using('brazil', () => db.manager.save(setting))
      expect(await valuesOn(world, 'canada')).to.deep.equal(['of canada', 'new'])
      expect(await valuesOn(world, 'brazil')).to.deep.equal(['of brazil'])
    },
  ),
  finds(
    'M78',
    'an entity outside sharding that further shards have is on its own by default',
    'canada',
    'unsharded',
    (db) => db.manager.find(Flag),
  ),
  finds('M79', 'a handle of one of the further shards finds it there', 'brazil', 'handle', (db) =>
    db.shard('brazil').manager.find(Flag),
  ),
  finds('M80', 'so does a scope', 'brazil', 'scope', (db) =>
    db.using('brazil', () => db.manager.find(Flag)),
  ),
  finds('M81', 'a handle of any other shard finds it on its own', 'canada', 'unsharded', (db) =>
    db.shard('russia').manager.find(Flag),
  ),
  finds('M82', 'so does a scope of any other shard', 'canada', 'unsharded', (db) =>
    db.using('russia', () => db.manager.find(Flag)),
  ),
  row(
    'M83',
    'it is saved on its own shard, and where it was loaded from a further one, there',
    {
      canada: ['begin', ...insert, 'commit'],
      brazil: [...select, ...select, 'begin', 'update model_setting', 'commit'],
    },
    async (world) => {
      const db = await stage(world)
      await db.manager.save(Object.assign(new Flag(), { value: 'new' }))
      expect(await valuesOn(world, 'canada')).to.deep.equal(['of canada', 'new'])
      const [flag] = await db.using('brazil', () => db.manager.find(Flag))
      await db.manager.save(Object.assign(flag ?? {}, { value: 'changed' }))
      expect(await valuesOn(world, 'brazil')).to.deep.equal(['changed'])
      expect(await valuesOn(world, 'master')).to.deep.equal(['of master'])
    },
  ),
  row(
    'M84',
    'after an entity outside sharding was read from a further shard, others are read from the default one',
    { brazil: select, master: ['select model_user'] },
    async (world) => {
      await usersOn(world, 'master', 'Clean')
      const db = await stage(world)
      expect(await db.shard('brazil').manager.find(Flag)).to.have.length(1)
      expect(await db.manager.find(User)).to.deep.equal([user('Clean', { id: 1 })])
    },
  ),
  row(
    'M85',
    'the same in a scope of the default shard',
    { brazil: select, master: ['select model_user'] },
    async (world) => {
      await usersOn(world, 'master', 'Clean')
      const db = await stage(world)
      await db.using('master', async () => {
        expect(await db.shard('brazil').manager.find(Flag)).to.have.length(1)
        expect(await db.manager.find(User)).to.deep.equal([user('Clean', { id: 1 })])
      })
    },
  ),
  row(
    'M86',
    'the connections of an entity outside sharding go back to its shard’s pool, which is closed with the others',
    { canada: ['begin', ...insert, 'commit'], master: ['insert model_user'] },
    async (world) => {
      const before = await connectionsTo(world)
      const db = await stage(world)
      const canada = () => db.octopus.pools().find(({ shard }) => shard === 'canada')
      const lent: (number | undefined)[] = []
      const stop = db.octopus.onRoute(() => lent.push(canada()?.active))
      await db.manager.save(Object.assign(new Setting(), { value: 'new' }))
      stop()
      // SQLite has one connection, which is not lent.
      expect(lent.includes(1), 'lent while it is saved').to.equal(world.engine !== 'sqljs')
      await until(() => canada()?.active === 0, { what: 'the connection to be given back' })
      await db.manager.insert(User, user('Ana'))
      expect(canada()?.state).to.equal('open')
      await db.destroy()
      expect(db.octopus.pools().filter(({ state }) => state === 'open')).to.deep.equal([])
      const isClosed = async () => (await connectionsTo(world)) === before
      await until(isClosed, { what: 'its connections to be closed' })
    },
  ),
]

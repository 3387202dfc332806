import { expect } from 'chai'
import { Account, User } from '../entities/model.js'
import { type Row, row } from '../row.js'
import {
  expectUsers,
  saveChange,
  saveNew,
  select,
  user,
  usersOf,
  usersOn,
  usual,
} from './model-stage.js'

const lock = ['begin', 'lock model_account', 'commit'] as const

/** Octopus's model_spec: what an entity knows of its shard. */
export const modelHomes: readonly Row[] = [
  row(
    'M4',
    'an entity saved on a handle and the one found in a scope of that name are the same record',
    { canada: [...saveNew, ...select] },
    async ({ db }) => {
      const saved = await usersOf(db, 'canada').save(user('Rafael'))
      const found = await db.using('canada', () =>
        db.manager.findOneByOrFail(User, { name: 'Rafael' }),
      )
      expect(found).not.to.equal(saved)
      expect(db.octopus.isSameRecord(saved, found)).to.equal(true)
    },
  ),
  row(
    'M5',
    'an entity saved in a scope and the one that a handle of that name finds are the same record',
    { canada: [...saveNew, ...select] },
    async ({ db }) => {
      const saved = await db.using('canada', () => db.manager.save(user('Rafael')))
      const found = await usersOf(db, 'canada').findOneByOrFail({ name: 'Rafael' })
      expect(found).not.to.equal(saved)
      expect(db.octopus.isSameRecord(found, saved)).to.equal(true)
    },
  ),
  row(
    'M25',
    'entities know their shard, saved ones and found ones',
    { russia: saveNew, canada: [...saveNew, ...select] },
    async ({ db }) => {
      const alone = await usersOf(db, 'russia').save(user('Alone'))
      expect(db.octopus.shardOf(alone)).to.equal('russia')
      await usersOf(db, 'canada').save(user('Ana'))
      const found = await usersOf(db, 'canada').findOneByOrFail({ name: 'Ana' })
      expect(db.octopus.shardOf(found)).to.equal('canada')
    },
  ),
  row('M26', 'each entity of a list knows its shard', { brazil: select }, async (world) => {
    const { db } = world
    await usersOn(world, 'brazil', 'One', 'Two', 'Three', 'Four', 'Five')
    const found = await usersOf(db, 'brazil').find()
    expect(found.map((each) => db.octopus.shardOf(each))).to.deep.equal(
      Array<string>(5).fill('brazil'),
    )
  }),
  row(
    'M27',
    'an entity that was loaded and changed is saved on its shard, where no other row of its id is',
    { brazil: [...select, ...saveChange], master: select },
    async (world) => {
      const { db } = world
      await usersOn(world, 'brazil', 'Alone')
      await usersOn(world, 'master', 'Master')
      const alone = await usersOf(db, 'brazil').findOneByOrFail({ id: 1 })
      alone.name = 'Changed'
      await db.manager.save(alone)
      expect(await db.manager.findOneByOrFail(User, { id: 1 })).to.include({ name: 'Master' })
      await expectUsers(world, { brazil: ['Changed'], master: ['Master'] })
    },
  ),
  row(
    'M28',
    'an entity reloads itself from its shard, by the data source that its class uses',
    { brazil: ['select model_account', 'select model_account'] },
    async (world) => {
      const { db } = world
      // The class goes by the one that it was given last.
      await world.wrap({})
      Account.useDataSource(db)
      for (const shard of ['brazil', 'master', 'canada'] as const)
        await world.sql(shard, `INSERT INTO model_account (id, owner) VALUES (1, 'on ${shard}')`)
      const account = await db.using('brazil', () => Account.findOneByOrFail({ id: 1 }))
      account.owner = 'Ana'
      await db.using('canada', () => account.reload())
      expect(account.owner).to.equal('on brazil')
    },
  ),
  row(
    'M29',
    'an entity is read again with a lock, in a transaction on the primary of its shard',
    { 'russia/*': ['select model_account'], russia: lock },
    async (world) => {
      const { db } = world
      await world.sql('russia', `INSERT INTO model_account (id, owner) VALUES (1, 'Ana')`)
      await world.replicate()
      const { id } = await db.shard('russia').manager.findOneByOrFail(Account, { id: 1 })
      const found = await db.using('russia', () =>
        db.manager.findOneOrFail(Account, {
          where: { id },
          lock: { mode: 'pessimistic_write' },
          transaction: true,
        }),
      )
      expect(found).to.include({ owner: 'Ana' })
    },
    ['mariadb', 'postgres'],
  ),
  row(
    'M33',
    'an entity that is found again is the same record as the one that was saved',
    { brazil: [...saveNew, ...select] },
    async ({ db }) => {
      const mike = await usersOf(db, 'brazil').save(user('Mike'))
      const again = await usersOf(db, 'brazil').findOneByOrFail({ name: 'Mike' })
      expect(again).not.to.equal(mike)
      expect(db.octopus.isSameRecord(again, mike)).to.equal(true)
    },
  ),
  row(
    'M34',
    'entities of one id are the same record on one shard and others on another',
    { canada: [...select, ...select], brazil: select },
    async (world) => {
      const { db } = world
      await usersOn(world, 'canada', 'Ana')
      await usersOn(world, 'brazil', 'Ana')
      const find = (shard: string) => usersOf(db, shard).findOneByOrFail({ id: 1 })
      const [canada1, again, brazil1] = [
        await find('canada'),
        await find('canada'),
        await find('brazil'),
      ]
      expect(canada1, 'by their columns').to.deep.equal(brazil1)
      expect(db.octopus.isSameRecord(canada1, brazil1)).to.equal(false)
      expect(db.octopus.isSameRecord(canada1, again)).to.equal(true)
    },
  ),
  row(
    'M60',
    'an entity carries nothing of its shard in its keys, its copies and its JSON',
    { brazil: [...saveNew, ...select] },
    async ({ db }) => {
      await db.using('brazil', () => db.manager.save(user('Ana')))
      const ana = await usersOf(db, 'brazil').findOneByOrFail({ name: 'Ana' })
      const { id, ...plain } = JSON.parse(JSON.stringify(ana)) as User
      expect(id).to.equal(ana.id)
      expect(plain).to.deep.equal({ name: 'Ana', ...usual })
      expect(Object.getOwnPropertyNames(ana)).to.have.members(['id', 'isAdmin', 'name', 'number'])
      expect(Object.getOwnPropertySymbols(ana)).to.deep.equal([])
      expect(structuredClone(ana)).to.deep.equal({ id, ...plain })
      expect(ana).to.deep.equal(user('Ana', { id }))
      expect(db.octopus.shardOf(ana)).to.equal('brazil')
    },
  ),
  row(
    'M97',
    'an entity that was read from a replica is at home on the shard, and is saved on its primary',
    { 'russia/*': select, russia: saveChange },
    async (world) => {
      await usersOn(world, 'russia', 'Ana')
      await world.replicate()
      const db = await world.wrap({ defaultShard: 'russia' })
      const ana = await db.manager.findOneByOrFail(User, { id: 1 })
      expect(db.octopus.shardOf(ana)).to.equal('russia')
      ana.name = 'Ana Maria'
      await db.manager.save(ana)
      await expectUsers(world, { russia: ['Ana Maria'] })
    },
  ),
]

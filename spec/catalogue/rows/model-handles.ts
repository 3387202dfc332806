import { expect } from 'chai'
import type { Repository, SelectQueryBuilder } from 'typeorm'
import { InvalidScopeError, UnknownShardError } from '../../../lib/index.js'
import { Account, Keyboard, User } from '../entities/model.js'
import { type Row, row } from '../row.js'
import {
  expectUsers,
  insert,
  saveNew,
  select,
  user,
  usersOf,
  usersOn,
  usual,
} from './model-stage.js'

const named = {
  named(this: Repository<User>, name: string): SelectQueryBuilder<User> {
    return this.createQueryBuilder('u').where({ name })
  },
}

/** Octopus's model_spec: shards chosen for one object. */
export const modelHandles: readonly Row[] = [
  row(
    'M3',
    'a handle saves and finds on the shard of its name',
    { canada: [...saveNew, ...select] },
    async (world) => {
      const users = usersOf(world.db, 'canada')
      await users.save(user('Rafael'))
      expect(await users.findOneByOrFail({ name: 'Rafael' })).to.be.instanceOf(User)
      await expectUsers(world, { canada: ['Rafael'] })
    },
  ),
  row(
    'M7',
    'what a handle saves is in its count, and not in the default shard’s',
    { canada: [...saveNew, ...select], master: select },
    async ({ db }) => {
      const canadians = usersOf(db, 'canada')
      await canadians.save(user('Ana'))
      expect(await canadians.count()).to.equal(1)
      expect(await db.manager.count(User)).to.equal(0)
    },
  ),
  row(
    'M8',
    'an entity that a handle creates is saved on its shard, others on the default one',
    {
      canada: [...saveNew, ...select, ...saveNew, ...select],
      brazil: select,
      master: [...saveNew, ...select],
    },
    async (world) => {
      const { db } = world
      const users = db.getRepository(User)
      const canadians = usersOf(db, 'canada')
      const thiago = canadians.create({ name: 'Thiago', ...usual })
      expect(db.octopus.shardOf(thiago)).to.equal('canada')
      await users.save(thiago)
      expect(await canadians.count()).to.equal(1)
      expect(await usersOf(db, 'brazil').count()).to.equal(0)

      const joaquim = users.create({ name: 'Joaquim', ...usual })
      const manuel = canadians.create({ name: 'Manuel', ...usual })
      expect(db.octopus.shardOf(joaquim), 'before it is saved').to.equal(undefined)
      for (const each of [joaquim, manuel]) await users.save(each)
      const order = { id: 'ASC' } as const
      expect(await canadians.find({ order })).to.deep.equal([thiago, manuel])
      expect(await users.find({ order })).to.deep.equal([joaquim])
    },
  ),
  row(
    'M11',
    'one handle counts none and finds none',
    { canada: [...select, ...select] },
    async (world) => {
      await usersOn(world, 'master', 'Ana')
      const canadians = usersOf(world.db, 'canada')
      expect(await canadians.count()).to.equal(0)
      expect(await canadians.findOneBy({ name: 'Ana' })).to.equal(null)
    },
  ),
  row(
    'M12',
    'one handle counts one and finds it',
    { canada: [...select, ...select] },
    async (world) => {
      await usersOn(world, 'canada', 'Ana')
      const canadians = usersOf(world.db, 'canada')
      expect(await canadians.count()).to.equal(1)
      expect(await canadians.findOneBy({ id: 1 })).to.deep.equal(user('Ana', { id: 1 }))
    },
  ),
  row(
    'M13',
    'a handle that is not used changes nothing',
    { master: [...saveNew, ...select] },
    async (world) => {
      const { db } = world
      db.shard('canada')
      usersOf(db, 'canada')
      await db.manager.save(user('Ana'))
      expect(await db.manager.count(User)).to.equal(1)
      await expectUsers(world, { master: ['Ana'] })
    },
  ),
  row(
    'M16',
    'a handle inserts a list, and the data source itself one on the default shard',
    {
      canada: [...insert, ...select, ...select],
      master: [...insert, ...select],
    },
    async (world) => {
      const { db } = world
      const canadians = usersOf(db, 'canada')
      await canadians.insert([user('America 1'), user('America 2')])
      await db.manager.insert(User, user('Thiago'))
      for (const name of ['America 1', 'America 2'])
        expect(await canadians.existsBy({ name })).to.equal(true)
      expect(await usersOf(db, 'master').existsBy({ name: 'Thiago' })).to.equal(true)
      await expectUsers(world, { canada: ['America 1', 'America 2'], master: ['Thiago'] })
    },
  ),
  row(
    'M18',
    'raw SQL on a handle leaves the current shard as it is',
    { canada: select, master: insert },
    async (world) => {
      const { db } = world
      await usersOn(world, 'canada', 'Ana')
      const rows: unknown = await db.shard('canada').query('SELECT name FROM model_user')
      expect(rows).to.deep.equal([{ name: 'Ana' }])
      expect(db.octopus.currentShard()).to.equal('master')
      await db.manager.insert(User, user('Bo'))
      await expectUsers(world, { canada: ['Ana'], master: ['Bo'] })
    },
  ),
  row(
    'M19',
    'the same where the default shard is another one',
    { canada: select, russia: insert },
    async (world) => {
      await usersOn(world, 'canada', 'Ana')
      const db = await world.wrap({ defaultShard: 'russia' })
      const rows: unknown = await db.shard('canada').query('SELECT name FROM model_user')
      expect(rows).to.deep.equal([{ name: 'Ana' }])
      expect(db.octopus.currentShard()).to.equal('russia')
      await db.manager.insert(User, user('Bo'))
      await expectUsers(world, { canada: ['Ana'], russia: ['Bo'] })
    },
  ),
  row(
    'M21',
    'what a handle saved is found in a scope, and by the handle again',
    { brazil: [...saveNew, ...select, ...select] },
    async ({ db }) => {
      const brazilians = usersOf(db, 'brazil')
      const thiago = await brazilians.save(user('Thiago'))
      const inScope = await db.using('brazil', () => db.manager.findOneByOrFail(User, {}))
      expect(inScope).to.deep.equal(thiago)
      expect(await brazilians.findOneBy({ name: 'Thiago' })).to.deep.equal(thiago)
    },
  ),
  row(
    'M23',
    'shards of a group and a shard of its own are chosen alike, and are apart',
    { russia: insert, 'russia/*': select, brazil: select, canada: [...select, ...select] },
    async (world) => {
      const { db } = world
      await usersOf(db, 'russia').insert(user('Alone'))
      await world.replicate()
      expect(await usersOf(db, 'russia').count()).to.equal(1)
      expect(await db.usingGroup('americas', () => db.manager.count(User))).to.deep.equal([
        { shard: 'brazil', value: 0 },
        { shard: 'canada', value: 0 },
      ])
      expect(await usersOf(db, 'canada').count()).to.equal(0)
      await expectUsers(world, { russia: ['Alone'] })
    },
  ),
  row(
    'M24',
    'methods of an extended repository run on the shard of its handle or of the scope',
    { brazil: [...select, ...select, ...select], master: select },
    async (world) => {
      const { db } = world
      await usersOn(world, 'brazil', 'Thiago')
      const extended = db.getRepository(User).extend(named)
      const thiago = user('Thiago', { id: 1 })
      const onBrazil = db.shard('brazil').manager.withRepository(extended)
      expect(await onBrazil.named('Thiago').getOne(), 'given to a handle').to.deep.equal(thiago)
      const extendedThere = usersOf(db, 'brazil').extend(named)
      expect(await extendedThere.named('Thiago').getOne(), 'of a handle').to.deep.equal(thiago)
      const inScope = await db.using('brazil', () => extended.named('Thiago').getOne())
      expect(inScope, 'in a scope').to.deep.equal(thiago)
      expect(await extended.named('Thiago').getOne(), 'elsewhere').to.equal(null)
    },
  ),
  row(
    'M31',
    'a method of an entity may open a scope',
    { canada: ['begin', 'insert model_account', 'commit'], master: ['select model_account'] },
    async (world) => {
      const { db } = world
      const account = Object.assign(new Account(), { owner: 'Ana' })
      const copy = await account.copyTo(db, 'canada')
      expect(db.octopus.shardOf(copy)).to.equal('canada')
      expect(db.octopus.shardOf(account)).to.equal(undefined)
      expect(await db.manager.count(Account)).to.equal(0)
      const rows = await world.sql('canada', 'SELECT owner FROM model_account')
      expect(rows).to.deep.equal([{ owner: 'Ana' }])
    },
  ),
  row(
    'M32',
    'an unknown shard is an error where it is named, with the names that there are',
    { brazil: ['insert model_keyboard'] },
    async ({ db }) => {
      let hasRun = false
      const work = (): void => {
        hasRun = true
      }
      const message = /"crazy_shard".*master, brazil, canada, russia/
      expect(() => db.using('crazy_shard', work)).to.throw(UnknownShardError, message)
      expect(() => db.shard('crazy_shard')).to.throw(UnknownShardError, message)
      expect(() => db.using(Symbol('brazil') as never, work)).to.throw(InvalidScopeError)
      expect(hasRun).to.equal(false)
      await db.using('brazil', () => db.manager.insert(Keyboard, { name: 'Key' }))
    },
  ),
]

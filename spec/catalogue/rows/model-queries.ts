import { expect } from 'chai'
import { Client, Item, Note, User } from '../entities/model.js'
import { type Row, row } from '../row.js'
import type { World } from '../world.js'
import { expectUsers, saveNew, select, user, usersOf, usersOn } from './model-stage.js'

/** Users with these numbers on brazil and on the default shard. */
const numbers = async (
  world: World,
  own: { readonly brazil: readonly number[]; readonly master: readonly number[] },
): Promise<void> => {
  for (const shard of ['brazil', 'master'] as const)
    await world.aside(() =>
      usersOf(world.db, shard).insert(
        own[shard].map((number, at) => user(`Ana ${at}`, { number })),
      ),
    )
}

/** A note of long ago on brazil, and one of its id on canada. */
const oldNote = async (world: World): Promise<Note> => {
  const quote = world.engine === 'mariadb' ? '`' : '"'
  for (const shard of ['brazil', 'canada'] as const)
    await world.sql(
      shard,
      `INSERT INTO model_note (id, text, ${quote}createdAt${quote}, ${quote}updatedAt${quote})
       VALUES (1, '${shard}', '2001-06-01 12:00:00', '2001-06-01 12:00:00')`,
    )
  return world.aside(() => world.db.shard('brazil').manager.findOneByOrFail(Note, { id: 1 }))
}

const yearsOf = (world: World, shard: string): Promise<readonly number[]> =>
  world.aside(async () => {
    const note = await world.db.shard(shard).manager.findOneByOrFail(Note, { id: 1 })
    return [note.createdAt.getFullYear(), note.updatedAt.getFullYear()]
  })

/** Clients and items of the same ids on two shards. */
const clients = async (world: World): Promise<void> => {
  const values = {
    brazil: ["(1, 'Thiago')", "(1, 'Item 4', 1)"],
    canada: ["(1, 'Mike'), (2, 'Joao')", "(1, 'Item 1', 1), (2, 'Item 2', 1), (3, 'Item 3', 2)"],
  }
  for (const shard of ['brazil', 'canada'] as const) {
    const quoted = world.engine === 'mariadb' ? '`clientId`' : '"clientId"'
    await world.sql(shard, `INSERT INTO model_client (id, name) VALUES ${values[shard][0]}`)
    await world.sql(
      shard,
      `INSERT INTO model_item (id, name, ${quoted}) VALUES ${values[shard][1]}`,
    )
  }
}

/** Octopus's model_spec: counts, sums, transactions and joins. */
export const modelQueries: readonly Row[] = [
  row('M47', 'a handle counts what meets a condition', { brazil: select }, async (world) => {
    await usersOn(world, 'brazil', 'User1', 'User2', 'User3')
    await usersOn(world, 'master', 'User2', 'User2')
    expect(await usersOf(world.db, 'brazil').countBy({ name: 'User2' })).to.equal(1)
  }),
  row(
    'M48',
    'each shard has its own maximum',
    { brazil: [...select, ...select], master: select },
    async (world) => {
      await numbers(world, { brazil: [11, 3], master: [12] })
      const { db } = world
      expect(await usersOf(db, 'brazil').maximum('number')).to.equal(11)
      expect(await usersOf(db, 'master').maximum('number')).to.equal(12)
      expect(await usersOf(db, 'brazil').minimum('number')).to.equal(3)
    },
  ),
  row(
    'M49',
    'each shard has its own sum: on a handle, with a condition, and by default',
    { brazil: [...select, ...select], master: select },
    async (world) => {
      await numbers(world, { brazil: [1, 2, 3], master: [1, 1] })
      const { db } = world
      expect(await usersOf(db, 'brazil').sum('number')).to.equal(6)
      expect(await usersOf(db, 'brazil').sum('number', { name: 'Ana 1' })).to.equal(2)
      expect(await db.getRepository(User).sum('number')).to.equal(2)
    },
  ),
  row('M50', 'a builder on a handle tells that there is one', { brazil: select }, async (world) => {
    await usersOn(world, 'brazil', 'User1')
    const query = usersOf(world.db, 'brazil').createQueryBuilder('u').where({ name: 'User1' })
    expect(await query.getExists()).to.equal(true)
  }),
  row('M51', 'and that there is none', { brazil: select }, async (world) => {
    await usersOn(world, 'brazil', 'User1')
    await usersOn(world, 'master', 'User2')
    const query = usersOf(world.db, 'brazil').createQueryBuilder('u').where({ name: 'User2' })
    expect(await query.getExists()).to.equal(false)
  }),
  row(
    'M52',
    'a handle tells whether something exists',
    { brazil: [...select, ...select] },
    async (world) => {
      await usersOn(world, 'brazil', 'User1')
      await usersOn(world, 'master', 'User2')
      const brazilians = usersOf(world.db, 'brazil')
      expect(await brazilians.exists({ where: { name: 'User1' } })).to.equal(true)
      expect(await brazilians.existsBy({ name: 'User2' })).to.equal(false)
    },
  ),
  row(
    'M53',
    'a builder sets an entity’s date of change to now, on its shard',
    { brazil: ['update model_note'] },
    async (world) => {
      const note = await oldNote(world)
      const { db } = world
      const query = db.createQueryBuilder().update(Note).whereEntity(note).updateEntity(false)
      await db.using('canada', () => query.set({ text: 'touched' }).execute())
      const thisYear = new Date().getFullYear()
      expect(await yearsOf(world, 'brazil')).to.deep.equal([2001, thisYear])
      expect(await yearsOf(world, 'canada')).to.deep.equal([2001, 2001])
    },
  ),
  row(
    'M54',
    'a builder sets a date of an entity to a given one, on its shard',
    { brazil: ['update model_note'] },
    async (world) => {
      const note = await oldNote(world)
      const { db } = world
      const query = db.createQueryBuilder().update(Note).whereEntity(note).updateEntity(false)
      const createdAt = new Date(2010, 5, 1)
      await db.using('canada', () => query.set({ createdAt, updatedAt: createdAt }).execute())
      expect(await yearsOf(world, 'brazil')).to.deep.equal([2010, 2010])
      expect(await yearsOf(world, 'canada')).to.deep.equal([2001, 2001])
    },
  ),
  row(
    'M55',
    'a handle selects the values of one column',
    { brazil: [...select, ...select], master: select },
    async (world) => {
      const { db } = world
      await usersOn(world, 'brazil', 'User1', 'User2')
      const names = (shard: string) =>
        usersOf(db, shard).createQueryBuilder('u').select('u.name', 'name').orderBy('u.id')
      expect(await names('brazil').getRawMany()).to.deep.equal([
        { name: 'User1' },
        { name: 'User2' },
      ])
      expect(await names('master').getRawMany()).to.deep.equal([])
      expect(await names('brazil').limit(1).getRawOne()).to.deep.equal({ name: 'User1' })
    },
  ),
  row(
    'M61',
    'in a scope’s transaction all reads and writes are on its shard, by its manager or not',
    {
      master: [...saveNew, ...select],
      brazil: ['begin', ...select, ...select, 'insert model_user', 'commit', ...select],
    },
    async (world) => {
      const { db } = world
      await db.manager.save(user('Thiago'))
      await db.using('brazil', () =>
        db.transaction(async (manager) => {
          expect(await manager.findOneBy(User, { name: 'Thiago' })).to.equal(null)
          expect(await db.manager.findOneBy(User, { name: 'Thiago' })).to.equal(null)
          await manager.save(user('Brazil'))
        }),
      )
      expect(await usersOf(db, 'brazil').count()).to.equal(1)
      expect(await usersOf(db, 'master').count()).to.equal(1)
      await expectUsers(world, { brazil: ['Brazil'], master: ['Thiago'] })
    },
  ),
  row(
    'M62',
    'one handle serves in its own transaction and after it',
    { canada: ['begin', 'insert model_user', ...select, 'commit', ...select] },
    async (world) => {
      const canada = world.db.shard('canada')
      const users = canada.getRepository(User)
      await canada.transaction(async (manager) => {
        const own = manager.withRepository(users)
        await own.insert(user('Ana'))
        expect(await own.count()).to.equal(1)
      })
      expect(await users.find()).to.have.length(1)
      await expectUsers(world, { canada: ['Ana'] })
    },
  ),
  row(
    'M91',
    'a builder joins and has a condition on what is joined, on one shard',
    { canada: ['select model_item'] },
    async (world) => {
      await clients(world)
      const found = await world.db
        .shard('canada')
        .createQueryBuilder(Item, 'item')
        .innerJoin('item.client', 'client')
        .where('client.id = :id', { id: 1 })
        .orderBy('item.id')
        .getMany()
      expect(found.map(({ name }) => name)).to.deep.equal(['Item 1', 'Item 2'])
    },
  ),
  row(
    'M92',
    'relations are found with a condition on them, on one shard',
    { canada: ['select model_item', 'select model_client'] },
    async (world) => {
      await clients(world)
      const { manager } = world.db.shard('canada')
      const found = await manager.find(Item, {
        relations: { client: true },
        where: { client: { id: 1 } },
        order: { id: 'ASC' },
      })
      expect(found.map(({ name, client }) => [name, client?.name])).to.deep.equal([
        ['Item 1', 'Mike'],
        ['Item 2', 'Mike'],
      ])
      expect(await manager.countBy(Client, { items: { name: 'Item 3' } })).to.equal(1)
    },
  ),
]

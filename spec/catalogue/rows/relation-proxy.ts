import { expect } from 'chai'
import { DataSource, Not, Repository, type SelectQueryBuilder } from 'typeorm'
import { inBatches } from '../../../lib/index.js'
import { Client, Item, Memo, User, made } from '../entities/people.js'
import { type Row, row } from '../row.js'
import type { World } from '../world.js'

const items = ['select people_item'] as const
const users = ['select people_user'] as const

/** A client with items on a shard, and others of the same ids on the next. */
const clientOn = (world: World, shard: 'brazil' | 'canada'): Promise<Client> =>
  world.aside(async () => {
    const save = (where: string) =>
      world.db.using(where, () =>
        world.db.manager.save(
          made(Client, {
            name: `Ana of ${where}`,
            items: ['One', 'Two', 'Three'].map((name) =>
              made(Item, { name: `${name} of ${where}` }),
            ),
          }),
        ),
      )
    await save(shard === 'brazil' ? 'canada' : 'brazil')
    return save(shard)
  })

const relationOf = (world: World, client: Client) =>
  world.db.createQueryBuilder().relation(Client, 'items').of(client)

const names = (found: readonly Item[]): string[] => found.map(({ name }) => name).toSorted()

const itemsOf = (shard: string): string[] =>
  ['One', 'Three', 'Two'].map((name) => `${name} of ${shard}`)

/** A builder of a shard's items, made in its scope. */
const bound = ({ db }: World, shard: string): SelectQueryBuilder<Item> =>
  db.using(shard, () => db.createQueryBuilder(Item, 'i'))

/** Octopus's relation_proxy_spec. */
export const relationProxyRows: readonly Row[] = [
  row(
    'R1',
    "a relation belongs to its owner's shard",
    { canada: ['select people_item'] },
    async (world) => {
      const client = await clientOn(world, 'canada')
      expect(names(await relationOf(world, client).loadMany())).to.deep.equal(itemsOf('canada'))
    },
  ),
  row(
    'R2',
    'properties named like members of the proxy or of a promise are an entity’s own',
    { brazil: ['begin', 'insert people_memo', 'commit', 'select people_memo'] },
    async ({ db }) => {
      // oxlint-disable-next-line unicorn/no-thenable -- a column's name
      const values = { using: 'a pen', shard: 'of glass', then: 'ink' }
      await db.using('brazil', () => db.manager.save(made(Memo, values)))
      const found = await db.shard('brazil').manager.findOneByOrFail(Memo, { using: 'a pen' })
      expect(found).to.include(values)
    },
  ),
  row('R4', 'a negated condition keeps the shard', { canada: items }, async (world) => {
    await clientOn(world, 'canada')
    const query = bound(world, 'canada').where({ name: Not('One of canada') })
    expect(await query.andWhere({ name: Not('Two of canada') }).getCount()).to.equal(1)
  }),
  row(
    'R5',
    'a condition on a clone leaves the original as it was',
    { brazil: [...items, ...items] },
    async (world) => {
      await clientOn(world, 'brazil')
      const all = bound(world, 'brazil')
      expect(await all.clone().where({ name: 'One of brazil' }).getCount()).to.equal(1)
      expect(await all.getCount()).to.equal(3)
    },
  ),
  row('R6', 'so does a negated one', { canada: [...items, ...items] }, async (world) => {
    await clientOn(world, 'canada')
    const all = bound(world, 'canada')
    expect(
      await all
        .clone()
        .where({ name: Not('One of canada') })
        .getCount(),
    ).to.equal(2)
    expect(await all.getCount()).to.equal(3)
  }),
  row('R8', 'batches go to a callback', { brazil: [...items, ...items] }, async (world) => {
    await clientOn(world, 'brazil')
    const found: string[] = []
    const repository = world.db.shard('brazil').getRepository(Item)
    for await (const batch of inBatches(repository, { size: 2 })) found.push(...names(batch))
    expect(found.toSorted()).to.deep.equal(itemsOf('brazil'))
  }),
  row('R9', 'batches are asked for one by one', { canada: items }, async (world) => {
    await clientOn(world, 'canada')
    const { db } = world
    const batches = db.using('canada', () => inBatches(db.getRepository(Item), { size: 2 }))
    const first = await batches.next()
    expect(first.value).to.have.length(2)
    await batches.return()
  }),
  row('R10', 'batches that nobody asks for send nothing', { brazil: users }, async (world) => {
    await clientOn(world, 'canada')
    const { db } = world
    db.using('canada', () => inBatches(db.getRepository(Item), { size: 2 }))
    await db.using('brazil', () => db.manager.find(User))
  }),
  row('R11', 'a handle is a DataSource', { brazil: users }, async ({ db }) => {
    expect(db.shard('brazil')).to.be.instanceOf(DataSource)
    await db.shard('brazil').manager.find(User)
  }),
  row('R12', 'a repository of a handle is a Repository', { canada: users }, async ({ db }) => {
    const repository = db.shard('canada').getRepository(User)
    expect(repository).to.be.instanceOf(Repository)
    expect(repository.target).to.equal(User)
    await repository.find()
  }),
  row('R13', 'the handle of a shard is one object', { brazil: users }, async ({ db }) => {
    const handle = db.shard('brazil')
    // What they are is too much to print.
    expect(handle === db.using('canada', () => db.shard('brazil'))).to.equal(true)
    expect(handle === db.shard('canada')).to.equal(false)
    await handle.manager.find(User)
  }),
  row('R14', 'so is its repository of an entity', { canada: users }, async ({ db }) => {
    const repository = db.shard('canada').getRepository(User)
    expect(db.shard('canada').getRepository(User) === repository).to.equal(true)
    expect(db.getRepository(User) === repository).to.equal(false)
    await repository.find()
  }),
  row(
    'R15',
    'a builder that is bound to a shard needs no scope',
    { canada: items },
    async (world) => {
      await clientOn(world, 'canada')
      expect(names(await bound(world, 'canada').getMany())).to.deep.equal(itemsOf('canada'))
    },
  ),
  row(
    'R16',
    'it runs there after work on another shard',
    { brazil: items, canada: users },
    async (world) => {
      await clientOn(world, 'brazil')
      const { db } = world
      const query = bound(world, 'brazil')
      await db.using('canada', () => db.manager.find(User))
      expect(names(await query.getMany())).to.deep.equal(itemsOf('brazil'))
    },
  ),
  row(
    'R17',
    'it runs there inside the scope of another shard',
    { canada: items },
    async (world) => {
      await clientOn(world, 'canada')
      const query = bound(world, 'canada')
      const found = await world.db.using('brazil', () => query.getMany())
      expect(names(found)).to.deep.equal(itemsOf('canada'))
    },
  ),
  row(
    'R18',
    'rows come from the shard of the query, and the code that goes through them is in its own scope',
    { brazil: [...items, ...items], canada: [...users, ...users] },
    async (world) => {
      await clientOn(world, 'brazil')
      const { db } = world
      const batches = db.using('brazil', () => inBatches(db.getRepository(Item), { size: 2 }))
      await db.using('canada', async () => {
        for await (const batch of batches) {
          expect(batch.every((item) => db.octopus.shardOf(item) === 'brazil')).to.equal(true)
          expect(db.octopus.currentShard()).to.equal('canada')
          await db.manager.find(User)
        }
      })
    },
  ),
  row(
    'R19',
    'a relation that is asked for late, inside another scope, comes from its own shard',
    { brazil: [...items, ...items], canada: users },
    async (world) => {
      const client = await clientOn(world, 'brazil')
      const { db } = world
      const relation = relationOf(world, client)
      await db.using('canada', async () => {
        await db.manager.find(User)
        expect(names(await relation.loadMany())).to.deep.equal(itemsOf('brazil'))
        expect(await db.manager.countBy(Item, { client })).to.equal(3)
      })
    },
  ),
]

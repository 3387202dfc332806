import { expect } from 'chai'
import { failureOf } from '../../typeorm/compat/support.js'
import { Client, type Item } from '../entities/associations.js'
import type { Row } from '../row.js'
import { expectOnBrazil, find, inTransaction, named } from './association-kind.js'
import { allKinds, manyToMany, oneToMany, polymorphic, through } from './association-kinds.js'
import { each, expectMembers } from './association-stage.js'

/** Octopus's association_shard_tracking_spec: whole collections, and how members get into them. */
export const associationCollections: readonly Row[] = [
  each(
    allKinds,
    'A1',
    'a collection, its ids, its first and its last are of its owner’s shard',
    ({ load, ids, one }) => [...load, ...ids, ...one, ...one],
    async (world, { owner, child, free }, association) => {
      await world.aside(() => association.add(world.db, owner, free))
      await expectMembers(world, association, owner, [child, free])
      expect(await association.ids(world.db, owner)).to.have.members([child.id, free.id])
      const one = (direction: 'ASC' | 'DESC') =>
        association.at(world.db, owner, () =>
          world.db.manager.findOneOrFail(association.Child, {
            where: association.criteria(owner),
            order: { id: direction },
          }),
        )
      expectOnBrazil(world, [await one('ASC')], [child])
      expectOnBrazil(world, [await one('DESC')], [free])
    },
  ),
  each(
    [manyToMany, oneToMany, polymorphic],
    'A2',
    'a member finds its owner on its own shard',
    ({ owners }) => owners,
    async (world, { owner, child }, association) => {
      expectOnBrazil(world, await association.owners(world.db, child), [owner])
    },
  ),
  each(
    allKinds,
    'A3',
    'a member that is saved with another owner is that one’s when it is loaded again, on their shard',
    ({ replaceOwner, owners, load }) => [...replaceOwner, ...owners, ...load, ...load],
    async (world, { owner, child, lonely }, association) => {
      await association.replaceOwner(world.db, child, lonely)
      expectOnBrazil(world, await association.owners(world.db, child), [lonely])
      await expectMembers(world, association, lonely, [child])
      await expectMembers(world, association, owner, [])
    },
  ),
  each(
    [manyToMany, through],
    'A4',
    'what is created through an association is found from both sides, on the shard of its owner',
    ({ create, owners, load }) => [...create, ...owners, ...load],
    async (world, { lonely }, association) => {
      const created = named(association.Child, { name: 'created' })
      await association.create(world.db, lonely, created)
      expectOnBrazil(world, await association.owners(world.db, created), [lonely])
      await expectMembers(world, association, lonely, [created])
    },
  ),
  each(
    [oneToMany],
    'A4',
    'what is created through an association is found from both sides, on the shard of its member',
    ({ owners, load }) => [
      'select assoc_item',
      ...inTransaction('insert assoc_client', 'update assoc_item'),
      ...owners,
      ...load,
    ],
    async (world, { free }, association) => {
      const created = named(Client, { name: 'created', items: [free as Item] })
      await world.db.manager.save(created)
      expectOnBrazil(world, await association.owners(world.db, free), [created])
      await expectMembers(world, association, created, [free])
    },
  ),
  each(
    allKinds,
    'A5',
    'the members of these ids become the collection by one update, on its owner’s shard',
    ({ setIds, load }) => [...setIds, ...load],
    async (world, { lonely, child, free }, association) => {
      await association.setIds(world.db, lonely, [child.id, free.id])
      await expectMembers(world, association, lonely, [child, free])
    },
  ),
  each(
    allKinds,
    'A6',
    'the members of these ids become the collection by a save, on its owner’s shard',
    ({ saveIds, load }) => [...saveIds, ...load],
    async (world, { lonely, child, free }, association) => {
      await association.saveIds(world.db, lonely, [child.id, free.id])
      await expectMembers(world, association, lonely, [child, free])
    },
  ),
  each(
    allKinds,
    'A7',
    'an entity of the same shard is added there',
    ({ add, load }) => [...add, ...load],
    async (world, { owner, child, free }, association) => {
      await association.add(world.db, owner, free)
      await expectMembers(world, association, owner, [child, free])
    },
  ),
  each(
    allKinds,
    'A8',
    'a member that is built is saved on the shard of its owner',
    ({ build, load }) => [...build, ...load],
    async (world, { lonely }, association) => {
      const built = named(association.Child, { name: 'built' })
      await association.build(world.db, lonely, built)
      expect(world.db.octopus.shardOf(built)).to.equal('brazil')
      await expectMembers(world, association, lonely, [built])
    },
  ),
  each(
    allKinds,
    'A9',
    'a member is created on the shard of its owner',
    ({ create, load }) => [...create, ...load],
    async (world, { owner, child }, association) => {
      const created = named(association.Child, { name: 'created' })
      await association.create(world.db, owner, created)
      expect(world.db.octopus.shardOf(created)).to.equal('brazil')
      await expectMembers(world, association, owner, [child, created])
    },
  ),
  each(
    allKinds,
    'A10',
    'a member that cannot be created is an error there, which leaves nothing behind',
    ({ create, refusedCreate, load }) => [...create, ...refusedCreate, ...load],
    async (world, { owner, child }, association) => {
      const created = named(association.Child, { name: 'created' })
      await association.create(world.db, owner, created)
      const nameless = new association.Child()
      const error = await failureOf(() => association.create(world.db, owner, nameless))
      expect(error).to.be.instanceOf(Error)
      expect(world.db.octopus.shardOf(nameless)).to.equal(undefined)
      await expectMembers(world, association, owner, [child, created])
    },
  ),
  each(
    [oneToMany, polymorphic],
    'A33',
    'all members are there after one was built and saved, and after the owner was loaded again',
    ({ create, load, query }) => [...create, ...load, ...query],
    async (world, { lonely, free }, association) => {
      await world.aside(() => association.add(world.db, lonely, free))
      const built = named(association.Child, { name: 'built' })
      await association.create(world.db, lonely, built)
      await expectMembers(world, association, lonely, [free, built])
      expectOnBrazil(world, await find(world, association, lonely), [free, built])
    },
  ),
].flat()

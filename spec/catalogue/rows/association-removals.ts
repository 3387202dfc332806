import { expect } from 'chai'
import type { Row } from '../row.js'
import { destroyAll, expectOnBrazil } from './association-kind.js'
import { allKinds } from './association-kinds.js'
import { each, expectMembers } from './association-stage.js'

/** Octopus's association_shard_tracking_spec: how members leave a collection. */
export const associationRemovals: readonly Row[] = [
  each(
    allKinds,
    'A15',
    'all members are taken out of a collection by one update, on its owner’s shard, and stay there',
    ({ unlinkAll, load }) => [...unlinkAll, ...load],
    async (world, { owner, child }, association) => {
      const { db } = world
      await association.unlinkAll(db, owner)
      await expectMembers(world, association, owner, [])
      const left = () => db.shard('brazil').manager.existsBy(association.Child, { id: child.id })
      expect(await world.aside(left)).to.equal(true)
    },
  ),
  each(
    allKinds,
    'A16',
    'all members of a collection are removed from its owner’s shard',
    ({ load, destroyOne }) => [...load, ...destroyOne, ...load],
    async (world, { owner, child }, association) => {
      const { db } = world
      await destroyAll(world, association, owner)
      await expectMembers(world, association, owner, [])
      const left = (shard: string) => () =>
        db.shard(shard).manager.existsBy(association.Child, { id: child.id })
      expect(await world.aside(left('brazil'))).to.equal(false)
      expect(await world.aside(left('master'))).to.equal(true)
    },
  ),
  each(
    allKinds,
    'A17',
    'the first member is found on the owner’s shard; once all are removed there is none',
    ({ one, load, destroyOne, none }) => [...one, ...load, ...destroyOne, ...none],
    async (world, { owner, child }, association) => {
      const first = () =>
        association.at(world.db, owner, () =>
          world.db.manager.findOne(association.Child, {
            where: association.criteria(owner),
            order: { id: 'ASC' },
          }),
        )
      const found = await first()
      expectOnBrazil(world, found ? [found] : [], [child])
      await destroyAll(world, association, owner)
      expect(await first()).to.equal(null)
    },
  ),
  each(
    allKinds,
    'A31',
    'a collection is cleared by a save, on its owner’s shard',
    ({ clear, load }) => [...clear, ...load],
    async (world, { owner }, association) => {
      await association.clear(world.db, owner)
      await expectMembers(world, association, owner, [])
    },
  ),
  each(
    allKinds,
    'A32',
    'a member is taken out of a collection: neither side finds the other',
    ({ removeOne, load, noOwners }) => [...removeOne, ...load, ...noOwners],
    async (world, { owner, child }, association) => {
      const { db } = world
      await association.removeOne(db, owner, child)
      await expectMembers(world, association, owner, [])
      expect(await association.owners(db, child)).to.deep.equal([])
      const kept = () => db.shard('canada').manager.existsBy(association.Child, { id: child.id })
      expect(await world.aside(kept)).to.equal(true)
    },
  ),
].flat()

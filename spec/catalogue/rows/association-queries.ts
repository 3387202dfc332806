import { expect } from 'chai'
import { EntityNotFoundError, Like } from 'typeorm'
import { failureOf } from '../../typeorm/compat/support.js'
import { Comment } from '../entities/associations.js'
import type { Row } from '../row.js'
import { destroyAll, expectOnBrazil, find, named } from './association-kind.js'
import { allKinds, polymorphic } from './association-kinds.js'
import { each } from './association-stage.js'

/** Octopus's association_shard_tracking_spec: what is asked of a collection. */
export const associationQueries: readonly Row[] = [
  each(
    allKinds,
    'A11',
    'the count of a collection grows on its owner’s shard',
    ({ query, create }) => [query, create, query, create, query].flat(),
    async (world, { lonely }, association) => {
      const { db } = world
      const count = () =>
        association.at(db, lonely, () =>
          db.manager.countBy(association.Child, association.criteria(lonely)),
        )
      for (const before of [0, 1]) {
        expect(await count()).to.equal(before)
        await association.create(db, lonely, named(association.Child, { name: 'created' }))
      }
      expect(await count()).to.equal(2)
    },
  ),
  each(
    allKinds,
    'A12',
    'so does its size, which comes with its members',
    ({ findAndCount, create, query }) => [...query, ...create, ...findAndCount],
    async (world, { lonely }, association) => {
      const { db } = world
      const findAndCount = () =>
        association.at(db, lonely, () =>
          db.manager.findAndCount(association.Child, {
            where: association.criteria(lonely),
            order: { id: 'ASC' },
            skip: 0,
            take: 1,
          }),
        )
      expect(await findAndCount()).to.deep.equal([[], 0])
      const created = named(association.Child, { name: 'created' })
      await association.create(db, lonely, created)
      const [found, size] = await findAndCount()
      expectOnBrazil(world, found, [created])
      expect(size).to.equal(1)
    },
  ),
  each(
    allKinds,
    'A13',
    'so does its length, once it is loaded',
    ({ load, create }) => [...load, ...create, ...load, ...create, ...load],
    async ({ db }, { lonely }, association) => {
      for (const before of [0, 1]) {
        expect(await association.load(db, lonely)).to.have.length(before)
        await association.create(db, lonely, named(association.Child, { name: 'created' }))
      }
      expect(await association.load(db, lonely)).to.have.length(2)
    },
  ),
  each(
    allKinds,
    'A14',
    'an empty collection has no member until one is created',
    ({ query, create }) => [...query, ...create, ...query],
    async ({ db }, { lonely }, association) => {
      const isEmpty = async () =>
        !(await association.at(db, lonely, () =>
          db.manager.existsBy(association.Child, association.criteria(lonely)),
        ))
      expect(await isEmpty()).to.equal(true)
      await association.create(db, lonely, named(association.Child, { name: 'created' }))
      expect(await isEmpty()).to.equal(false)
    },
  ),
  each(
    allKinds,
    'A18',
    'the members of which something is true are found on the owner’s shard, until they are removed',
    ({ query, load, destroyOne }) => [...query, ...load, ...destroyOne, ...query],
    async (world, { owner, child }, association) => {
      const where = { name: Like('ch%') }
      expectOnBrazil(world, await find(world, association, owner, { where }), [child])
      await destroyAll(world, association, owner)
      expect(await find(world, association, owner, { where })).to.deep.equal([])
    },
  ),
  each(
    allKinds,
    'A22',
    'a sum over a collection is computed on the owner’s shard',
    ({ query, load, destroyOne }) => [...query, ...load, ...destroyOne, ...query],
    async (world, { owner, child }, association) => {
      const sum = async () =>
        Number(
          await association.at(world.db, owner, () =>
            world.db.manager.sum(association.Child, 'id', association.criteria(owner)),
          ),
        )
      expect(await sum()).to.equal(child.id)
      await destroyAll(world, association, owner)
      expect(await sum()).to.equal(0)
    },
  ),
  each(
    allKinds,
    'A24',
    'a member is found by its id on the owner’s shard, and is not found once it is removed',
    ({ one, load, destroyOne, none }) => [...one, ...load, ...destroyOne, ...none],
    async (world, { owner, child: { id }, child }, association) => {
      const member = () =>
        association.at(world.db, owner, () =>
          world.db.manager.findOneByOrFail(association.Child, {
            ...association.criteria(owner),
            id,
          }),
        )
      expectOnBrazil(world, [await member()], [child])
      await destroyAll(world, association, owner)
      expect(await failureOf(member)).to.be.instanceOf(EntityNotFoundError)
    },
  ),
  each(
    allKinds,
    'A26',
    'columns of members are selected on the owner’s shard',
    ({ query, load, destroyOne }) => [...query, ...load, ...destroyOne, ...query],
    async (world, { owner }, association) => {
      const names = () => find(world, association, owner, { select: { name: true } })
      expect(await names()).to.deep.equal([named(association.Child, { name: 'child' })])
      await destroyAll(world, association, owner)
      expect(await names()).to.deep.equal([])
    },
  ),
  each(
    allKinds,
    'A28',
    'whether any member is so is asked on the owner’s shard',
    ({ query, load, destroyOne }) => [...query, ...load, ...destroyOne, ...query],
    async (world, { owner }, association) => {
      const isAny = () =>
        association.at(world.db, owner, () =>
          world.db.manager.exists(association.Child, {
            where: { ...association.criteria(owner), name: Like('ch%') },
          }),
        )
      expect(await isAny()).to.equal(true)
      await destroyAll(world, association, owner)
      expect(await isAny()).to.equal(false)
    },
  ),
  each(
    allKinds,
    'A30',
    'whether an id is a member’s is asked on the owner’s shard',
    ({ query, load, destroyOne }) => [query, query, load, destroyOne, query].flat(),
    async (world, { owner, child, free }, association) => {
      const isMember = (id: number) =>
        association.at(world.db, owner, () =>
          world.db.manager.existsBy(association.Child, { ...association.criteria(owner), id }),
        )
      expect(await isMember(child.id)).to.equal(true)
      expect(await isMember(free.id)).to.equal(false)
      await destroyAll(world, association, owner)
      expect(await isMember(child.id)).to.equal(false)
    },
  ),
  each(
    [polymorphic],
    'A35',
    'the members are counted by group on the owner’s shard',
    ({ query, create }) => [...query, ...create, ...query],
    async ({ db }, { owner, child }, association) => {
      const counts = () =>
        association.at(db, owner, () =>
          db
            .createQueryBuilder(Comment, 'comment')
            .select('comment.id', 'id')
            .addSelect('COUNT(*)', 'count')
            .where(association.criteria(owner))
            .groupBy('comment.id')
            .getRawMany<{ id: number; count: string | number }>(),
        )
      expect((await counts()).map(({ id }) => id)).to.deep.equal([child.id])
      await association.create(db, owner, named(Comment, { name: 'created' }))
      expect((await counts()).map(({ count }) => Number(count))).to.deep.equal([1, 1])
    },
  ),
].flat()

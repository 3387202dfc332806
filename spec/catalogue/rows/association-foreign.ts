import { expect } from 'chai'
import { type FindOptionsWhere, IsNull } from 'typeorm'
import { Client, Item } from '../entities/associations.js'
import { type Row, row } from '../row.js'
import type { World } from '../world.js'
import { named } from './association-kind.js'
import { oneToMany } from './association-kinds.js'
import { again, entityOn, expectMembers, expectRefusal, stage } from './association-stage.js'

type Add = (world: World, owner: Client, item: Item) => unknown

/** By what the row adds to the behaviour's number. */
const waysToAdd: Readonly<Record<string, Add>> = {
  '': ({ db }, owner, item) =>
    db.createQueryBuilder().relation(Client, 'items').of(owner).add(item),
  ' with its owner': ({ db }, owner, item) =>
    db.manager.save(Object.assign(owner, { items: [item] })),
  ' as its member': ({ db }, owner, item) =>
    db.manager.save(Object.assign(item, { client: owner })),
  ' by an update': ({ db }, owner, item) =>
    db.manager.update(Item, item as FindOptionsWhere<Item>, { client: owner }),
}

const waysToName: Readonly<Record<string, (world: World) => Promise<Item>>> = {
  '': (world) => entityOn(world, 'brazil', Item),
  ' by a scope': ({ db }) =>
    db.using('brazil', () => db.manager.save(named(Item, { name: 'in a scope' }))),
  ' by a group': async ({ db }) => {
    const [first] = await db.usingGroup('americas', () =>
      db.manager.save(named(Item, { name: 'in a group' })),
    )
    if (first === undefined) throw new Error('The group has a first shard.')
    return first.value
  },
  ' by declaration': async (world) => {
    const { id, name } = await entityOn(world, 'brazil', Item)
    return world.db.octopus.bindShard(named(Item, { id, name }), 'brazil')
  },
}

/** Octopus's association_shard_tracking_spec: entities of another shard, and how shards are named. */
export const associationForeign: readonly Row[] = [
  ...Object.entries(waysToAdd).map(([way, add]) =>
    row(
      `A36 one-to-many${way}`,
      `an entity of another shard is not added${way}, and nothing is sent`,
      { brazil: ['select assoc_item'], canada: ['select assoc_item', 'select assoc_client'] },
      async (world) => {
        const { owner, child } = await stage(world, oneToMany)
        const foreign = await entityOn(world, 'canada', Item)
        for (const scope of ['master', 'brazil', 'canada']) {
          const client = await again(world, owner)
          await expectRefusal(world, client, foreign, () =>
            world.db.using(scope, () => add(world, client as Client, foreign)),
          )
          delete foreign.client
        }
        await expectMembers(world, oneToMany, owner, [child])
        const { manager } = world.db.shard('canada')
        const ownerless = { id: foreign.id, client: IsNull() }
        expect(await manager.existsBy(Item, ownerless)).to.equal(true)
        expect(await manager.count(Client)).to.equal(1)
      },
    ),
  ),
  ...Object.entries(waysToName).map(([way, item]) =>
    row(
      `A37 one-to-many${way}`,
      `an entity of the same shard is added, however the shard was named${way && `:${way}`}`,
      { brazil: ['update assoc_item', 'select assoc_item'] },
      async (world) => {
        const { owner, child } = await stage(world, oneToMany)
        const added = await world.aside(() => item(world))
        await oneToMany.add(world.db, owner as Client, added)
        await expectMembers(world, oneToMany, owner, [child, added])
      },
    ),
  ),
]

import { expect } from 'chai'
import { Computer, Keyboard, Permission, Role } from '../entities/associations.js'
import { type Row, row } from '../row.js'
import type { World } from '../world.js'
import { expectOnBrazil, inTransaction, named } from './association-kind.js'

interface Stage {
  readonly computer: Computer
  readonly keyboard: Keyboard
  readonly onMaster: { readonly computer: Computer; readonly keyboard: Keyboard }
}

/** A computer with its keyboard on brazil and on master. */
const stage = (world: World): Promise<Stage> =>
  world.aside(async () => {
    const pair = async (shard: string) => {
      const { manager } = world.db.shard(shard)
      const computer = await manager.save(named(Computer, { name: `computer of ${shard}` }))
      const keyboard = named(Keyboard, { name: `keyboard of ${shard}`, computer })
      await manager.save(keyboard)
      delete keyboard.computer
      return { computer, keyboard }
    }
    return { ...(await pair('brazil')), onMaster: await pair('master') }
  })

const computerOf = ({ db }: World, keyboard: Keyboard): Promise<Computer | undefined> =>
  db.createQueryBuilder().relation(Keyboard, 'computer').of(keyboard).loadOne<Computer>()

const keyboardOf = ({ db }: World, computer: Computer): Promise<Keyboard | undefined> =>
  db.createQueryBuilder().relation(Computer, 'keyboard').of(computer).loadOne<Keyboard>()

const list = <E>(found: E | undefined): readonly E[] => (found === undefined ? [] : [found])

/** Octopus's association_shard_tracking_spec: one-to-one relations, and the block at its end. */
export const associationOneToOne: readonly Row[] = [
  row(
    'A40',
    'both sides of a one-to-one relation are found on their shard',
    {
      brazil: ['select assoc_computer', 'select assoc_keyboard'],
      master: ['select assoc_computer'],
    },
    async (world) => {
      const { computer, keyboard, onMaster } = await stage(world)
      expectOnBrazil(world, list(await computerOf(world, keyboard)), [computer])
      expectOnBrazil(world, list(await keyboardOf(world, computer)), [keyboard])
      expect(await computerOf(world, onMaster.keyboard)).to.deep.equal(onMaster.computer)
    },
  ),
  row(
    'A41',
    'the owning side is saved with another entity of its shard, which both find when loaded again',
    {
      brazil: [
        'select assoc_keyboard',
        ...inTransaction('update assoc_keyboard'),
        'select assoc_computer',
        'select assoc_keyboard',
        'select assoc_keyboard',
      ],
    },
    async (world) => {
      const { computer, keyboard } = await stage(world)
      const { db } = world
      const other = named(Computer, { name: 'other' })
      await world.aside(() => db.shard('brazil').manager.save(other))
      await db.manager.save(Object.assign(keyboard, { computer: other }))
      expectOnBrazil(world, list(await computerOf(world, keyboard)), [other])
      expectOnBrazil(world, list(await keyboardOf(world, other)), [keyboard])
      expect(await keyboardOf(world, computer)).to.equal(undefined)
    },
  ),
  row(
    'A42',
    'what is built for the other side is saved by a cascade, on its shard',
    {
      brazil: [
        'select assoc_computer',
        'select assoc_keyboard',
        ...inTransaction('insert assoc_keyboard'),
        'select assoc_keyboard',
        'select assoc_computer',
      ],
    },
    async (world) => {
      const { db } = world
      const computer = named(Computer, { name: 'bare' })
      await world.aside(() => db.shard('brazil').manager.save(computer))
      const keyboard = named(Keyboard, { name: 'built' })
      await db.manager.save(Object.assign(computer, { keyboard }))
      expectOnBrazil(world, list(await keyboardOf(world, computer)), [keyboard])
      expectOnBrazil(world, list(await computerOf(world, keyboard)), [computer])
    },
  ),
  row(
    'A43',
    'what is created for the other side is on its shard',
    {
      brazil: [
        ...inTransaction('insert assoc_keyboard'),
        'select assoc_keyboard',
        'select assoc_computer',
      ],
    },
    async (world) => {
      const { db } = world
      const computer = named(Computer, { name: 'bare' })
      await world.aside(() => db.shard('brazil').manager.save(computer))
      const keyboard = await db.manager.save(named(Keyboard, { name: 'created', computer }))
      expectOnBrazil(world, list(await keyboardOf(world, computer)), [keyboard])
      expectOnBrazil(world, list(await computerOf(world, keyboard)), [computer])
    },
  ),
  row(
    'A44',
    'an entity is loaded with the other side of a one-to-one relation, both at home on the shard',
    { brazil: ['select assoc_computer', 'select assoc_computer'] },
    async (world) => {
      const { computer, keyboard } = await stage(world)
      const found = await world.db.shard('brazil').manager.findOneOrFail(Computer, {
        where: { id: computer.id },
        relations: { keyboard: true },
      })
      expectOnBrazil(world, [found], [computer])
      expectOnBrazil(world, list(found.keyboard ?? undefined), [keyboard])
    },
  ),
  row(
    'A45',
    'what is built and created for a collection has the values that it is given',
    {
      brazil: [
        ...inTransaction('insert assoc_permission', 'insert assoc_role_permission'),
        'insert assoc_permission',
        'insert assoc_role_permission',
        'select assoc_permission',
      ],
    },
    async (world) => {
      const { db } = world
      const role = await world.aside(() =>
        db.shard('brazil').manager.save(named(Role, { name: 'role' })),
      )
      const permissions = () => db.createQueryBuilder().relation(Role, 'permissions').of(role)
      const built = db.manager.create(Permission, { name: 'built', roles: [role] })
      expect(built).to.include({ name: 'built' })
      const created = await db.manager.save(built)
      expect(created).to.include({ name: 'built' })
      const inserted = named(Permission, { name: 'inserted' })
      await db.using('brazil', () => db.manager.insert(Permission, inserted))
      await permissions().add(inserted)
      expectOnBrazil(world, await permissions().loadMany<Permission>(), [created, inserted])
    },
  ),
]

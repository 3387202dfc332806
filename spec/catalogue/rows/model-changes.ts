import { expect } from 'chai'
import type { Repository } from 'typeorm'
import type { ConnectionProxy } from '../../../lib/index.js'
import { User } from '../entities/model.js'
import { type Row, row } from '../row.js'
import { insert, saveChange, select, user, usersOf, usersOn, usual } from './model-stage.js'

interface Stage {
  readonly db: ConnectionProxy
  /** Of no shard. */
  readonly users: Repository<User>
  /** Loaded from brazil. */
  readonly ana: User
}

const shards = ['master', 'brazil', 'canada'] as const
const update = ['update model_user'] as const
const remove = [...select, 'begin', 'delete model_user', 'commit'] as const

/** The users of each shard, by name. */
const usersByShard = (db: ConnectionProxy): Promise<readonly (readonly User[])[]> =>
  Promise.all(shards.map((shard) => usersOf(db, shard).find({ order: { id: 'ASC' } })))

/**
 * A row that changes one entity of brazil. Master and canada have others of its id.
 *
 * @param words - the statements that brazil gets; nothing else gets any
 * @param scope - the scope that the change is made in
 * @param work - the change
 * @param expected - the users of brazil after it
 */
const change = (
  number: string,
  title: string,
  words: readonly string[],
  scope: 'canada' | 'brazil',
  work: (stage: Stage) => Promise<unknown>,
  expected: readonly Partial<User>[],
): Row =>
  row(number, title, { brazil: words }, async (world) => {
    const { db } = world
    for (const shard of shards) await usersOn(world, shard, `Ana of ${shard}`)
    const ana = await world.aside(() => usersOf(db, 'brazil').findOneByOrFail({ id: 1 }))
    await db.using(scope, () => work({ db, users: db.getRepository(User), ana }))
    const [onMaster, onBrazil, onCanada] = await world.aside(() => usersByShard(db))
    expect(onBrazil?.map(({ name, number, isAdmin }) => ({ name, number, isAdmin }))).to.deep.equal(
      expected.map((fields) => ({ name: 'Ana of brazil', ...usual, ...fields })),
    )
    expect(onMaster).to.deep.equal([user('Ana of master', { id: 1 })])
    expect(onCanada).to.deep.equal([user('Ana of canada', { id: 1 })])
  })

/** Saves another user where the shard is the scope's, and looks for it there. */
const saveAnother = async ({ db, users }: Stage): Promise<void> => {
  expect(db.octopus.currentShard()).to.equal('brazil')
  const other = await users.save(user('Other'))
  expect(await users.findOneBy({ id: other.id })).to.deep.equal(other)
}
const saveAnotherWords = ['begin', ...insert, 'commit', ...select] as const

/** Octopus's model_spec: changes to an entity, on its shard whatever the scope. */
export const modelChanges: readonly Row[] = [
  change(
    'M41',
    'a number that is raised is saved on the entity’s shard',
    saveChange,
    'canada',
    ({ users, ana }) => {
      ana.number += 1
      return users.save(ana)
    },
    [{ number: 11 }],
  ),
  change(
    'M42',
    '`increment` with an entity is one statement on its shard',
    update,
    'canada',
    ({ users, ana }) => users.increment(ana, 'number', 1),
    [{ number: 11 }],
  ),
  change(
    'M43',
    'a number that is lowered is saved on the entity’s shard',
    saveChange,
    'canada',
    ({ users, ana }) => {
      ana.number -= 1
      return users.save(ana)
    },
    [{ number: 9 }],
  ),
  change(
    'M44',
    '`decrement` with an entity is one statement on its shard',
    update,
    'canada',
    ({ users, ana }) => users.decrement(ana, 'number', 1),
    [{ number: 9 }],
  ),
  change(
    'M45',
    'a flag that is turned is saved on the entity’s shard',
    saveChange,
    'canada',
    ({ users, ana }) => {
      ana.isAdmin = !ana.isAdmin
      return users.save(ana)
    },
    [{ isAdmin: true }],
  ),
  change(
    'M46',
    'a builder that turns the flag of an entity is one statement on its shard',
    update,
    'canada',
    ({ users, ana }) =>
      users
        .createQueryBuilder()
        .update()
        .set({ isAdmin: () => 'NOT admin' })
        .whereEntity(ana)
        .execute(),
    [{ isAdmin: true }],
  ),
  change(
    'M56',
    '`update` with an entity is one statement on its shard',
    update,
    'canada',
    ({ users, ana }) => users.update(ana, { name: 'Joaquim' }),
    [{ name: 'Joaquim' }],
  ),
  change(
    'M57',
    'values that are merged into an entity are saved on its shard',
    saveChange,
    'canada',
    ({ users, ana }) => users.save(users.merge(ana, { name: 'Joaquim', number: 12 })),
    [{ name: 'Joaquim', number: 12 }],
  ),
  change(
    'M58',
    'the same in a scope of its shard',
    saveChange,
    'brazil',
    ({ users, ana }) => users.save(users.merge(ana, { name: 'Joaquim', number: 12 })),
    [{ name: 'Joaquim', number: 12 }],
  ),
  change(
    'M59',
    'one value that is set is saved on the entity’s shard',
    saveChange,
    'canada',
    ({ users, ana }) => users.save(Object.assign(ana, { name: 'Joaquim' })),
    [{ name: 'Joaquim' }],
  ),
  change(
    'M70',
    '`delete` with an entity is one statement on its shard',
    ['delete model_user'],
    'canada',
    ({ users, ana }) => users.delete(ana),
    [],
  ),
  change(
    'M71',
    'a `delete` in a scope leaves the scope as it is',
    ['delete model_user', ...saveAnotherWords],
    'brazil',
    async (stage) => {
      await stage.users.delete(stage.ana)
      await saveAnother(stage)
    },
    [{ name: 'Other' }],
  ),
  change(
    'M72',
    '`remove` of an entity is on its shard',
    remove,
    'canada',
    ({ users, ana }) => users.remove(ana),
    [],
  ),
  change(
    'M73',
    'a `remove` in a scope leaves the scope as it is',
    [...remove, ...saveAnotherWords],
    'brazil',
    async (stage) => {
      await stage.users.remove(stage.ana)
      await saveAnother(stage)
    },
    [{ name: 'Other' }],
  ),
]

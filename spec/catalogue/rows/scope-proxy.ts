import { expect } from 'chai'
import type { FindOptionsSelect } from 'typeorm'
import { UnknownShardError } from '../../../lib/index.js'
import { failureOf } from '../../typeorm/compat/support.js'
import { User, made } from '../entities/people.js'
import { type Row, row } from '../row.js'
import type { World } from '../world.js'

const select = ['select people_user'] as const

/** Users of the same ids on two shards. */
const usersOnTwo = async (world: World): Promise<void> => {
  for (const shard of ['brazil', 'canada'] as const)
    await world.sql(
      shard,
      `INSERT INTO people_user (id, name, number) VALUES (1, 'Ana of ${shard}', 3), (2, 'Bo of ${shard}', 4)`,
    )
}

const onHandle =
  (fields: FindOptionsSelect<User>, expected: Partial<User>): Row['program'] =>
  async (world) => {
    await usersOnTwo(world)
    const users = world.db.shard('brazil').getRepository(User)
    const found = await users.findOneOrFail({ select: fields, where: { number: 3 } })
    expect(found).to.deep.equal(made(User, expected))
  }

const built =
  (fields: readonly string[], expected: Partial<User>): Row['program'] =>
  async (world) => {
    await usersOnTwo(world)
    const query = world.db.shard('canada').createQueryBuilder(User, 'u').where({ number: 4 })
    const found = await query.select([...fields]).getOneOrFail()
    expect(found).to.deep.equal(made(User, expected))
  }

/** Octopus's scope_proxy_spec. */
export const scopeProxyRows: readonly Row[] = [
  row(
    'SP1',
    'conditions add up in scopes of several shards, and the shard where it runs decides',
    { canada: select },
    async (world) => {
      await usersOnTwo(world)
      const { db } = world
      const query = db.createQueryBuilder(User, 'u')
      db.using('brazil', () => query.where('u.number > 2'))
      db.using('canada', () => query.andWhere('u.number < 4'))
      const found = await db.using('canada', () => query.getMany())
      expect(found.map(({ name }) => name)).to.deep.equal(['Ana of canada'])
    },
  ),
  row(
    'SP3',
    'one field is selected on a handle',
    { brazil: select },
    onHandle({ name: true }, { name: 'Ana of brazil' }),
  ),
  row(
    'SP4',
    'several fields are selected on a handle',
    { brazil: select },
    onHandle({ id: true, name: true }, { id: 1, name: 'Ana of brazil' }),
  ),
  row(
    'SP5',
    'a builder selects one field',
    { canada: select },
    built(['u.name'], { name: 'Bo of canada' }),
  ),
  row(
    'SP6',
    'a builder selects several fields',
    { canada: select },
    built(['u.id', 'u.name'], { id: 2, name: 'Bo of canada' }),
  ),
  row('SP7', 'a builder adds to its selection', { brazil: select }, async (world) => {
    await usersOnTwo(world)
    const query = world.db.shard('brazil').createQueryBuilder(User, 'u').select('u.id')
    const found = await query.addSelect('u.number').where({ number: 4 }).getOneOrFail()
    expect(found).to.deep.equal(made(User, { id: 2, number: 4 }))
  }),
  row('SP8', 'a builder selects raw values', { brazil: select }, async (world) => {
    await usersOnTwo(world)
    const query = world.db.shard('brazil').createQueryBuilder(User, 'u').select('u.name', 'who')
    expect(await query.where({ number: 3 }).getRawMany()).to.deep.equal([{ who: 'Ana of brazil' }])
  }),
  row(
    'SP9',
    'an unknown shard is an error when it is named',
    { master: select },
    async ({ db }) => {
      const error = await failureOf(() => db.shard('crazy_shard'))
      expect(error).to.be.instanceOf(UnknownShardError)
      expect(error).to.have.property('message').that.includes('crazy_shard')
      await db.manager.find(User)
    },
  ),
  row(
    'SP10',
    'a clone of a builder is another one, of the same shard',
    { brazil: [...select, ...select] },
    async (world) => {
      await usersOnTwo(world)
      const { db } = world
      const query = db.using('brazil', () => db.createQueryBuilder(User, 'u'))
      const clone = query.clone().where({ number: 4 })
      expect(clone === query).to.equal(false)
      expect(await clone.getCount()).to.equal(1)
      expect(await db.using('canada', () => query.getCount())).to.equal(2)
    },
  ),
]

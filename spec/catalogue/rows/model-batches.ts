import { expect } from 'chai'
import { Not, type Repository } from 'typeorm'
import { Shard, inBatches } from '../../../lib/index.js'
import { Keyboard, User } from '../entities/model.js'
import { type Row, row } from '../row.js'
import type { World } from '../world.js'
import { select, usersOf, usersOn } from './model-stage.js'

const twice = [...select, ...select] as const
const thrice = [...twice, ...select] as const
const names = (users: readonly User[]): readonly string[] => users.map(({ name }) => name)

/** Three users on brazil, and others of their ids on the default shard and on canada. */
const stage = async (world: World): Promise<Repository<User>> => {
  await usersOn(world, 'brazil', 'User1', 'User2', 'User3')
  for (const shard of ['master', 'canada'] as const)
    await usersOn(world, shard, 'Other1', 'Other2', 'Other3', 'Other4')
  return world.db.getRepository(User)
}

/** One entity after the other, from batches of one. */
async function* oneByOne(users: Repository<User>): AsyncGenerator<User, void, void> {
  for await (const batch of inBatches(users, { size: 1 })) yield* batch
}

async function* mapped<T, U>(
  values: AsyncIterable<T>,
  change: (value: T) => U,
): AsyncGenerator<U, void, void> {
  for await (const value of values) yield change(value)
}

class Reader {
  readonly #users: Repository<User>

  constructor(users: Repository<User>) {
    this.#users = users
  }

  @Shard('brazil')
  async *names(): AsyncGenerator<string, void, void> {
    for await (const batch of inBatches(this.#users, { size: 2 })) yield* names(batch)
  }
}

/** Octopus's model_spec: `find_each` and `find_in_batches`. */
export const modelBatches: readonly Row[] = [
  row(
    'M63',
    'batches of a handle are of its shard, and the loop over them works where it stands',
    { brazil: twice, canada: Array<string>(3).fill('insert model_keyboard') },
    async (world) => {
      await stage(world)
      const { db } = world
      const found: string[] = []
      await db.using('canada', async () => {
        for await (const batch of inBatches(usersOf(db, 'brazil'), { size: 2 }))
          for (const { name } of batch) {
            found.push(name)
            await db.manager.insert(Keyboard, { name })
          }
      })
      expect(found).to.deep.equal(['User1', 'User2', 'User3'])
    },
  ),
  row(
    'M64',
    'batches with a negated condition are of their shard',
    { brazil: thrice, canada: ['insert model_keyboard', 'insert model_keyboard'] },
    async (world) => {
      const users = await stage(world)
      const { db } = world
      const batches = db.using('brazil', () =>
        inBatches(users, { where: { name: Not('User2') }, size: 1 }),
      )
      const found: string[] = []
      await db.using('canada', async () => {
        for await (const [each] of batches) {
          found.push(String(each?.name))
          await db.manager.insert(Keyboard, { name: String(each?.name) })
        }
      })
      expect(found).to.deep.equal(['User1', 'User3'])
    },
  ),
  row(
    'M65',
    'a generator method that is decorated with its shard stays there',
    { brazil: twice },
    async (world) => {
      const reader = new Reader(await stage(world))
      const found: string[] = []
      await world.db.using('canada', async () => {
        for await (const name of reader.names()) found.push(name)
      })
      expect(found).to.deep.equal(['User1', 'User2', 'User3'])
    },
  ),
  row(
    'M66',
    'a generator made in a scope sends nothing before it is asked, and then what it needs, there',
    { brazil: twice, master: ['insert model_keyboard'] },
    async (world) => {
      const users = await stage(world)
      const { db } = world
      const lazy = db.using('brazil', () => mapped(oneByOne(users), ({ name }) => name))
      await db.manager.insert(Keyboard, { name: 'before' })
      const shards: string[] = []
      const stop = db.octopus.onRoute(({ shard }) => shards.push(shard))
      expect(await lazy.next()).to.deep.equal({ done: false, value: 'User1' })
      const second = await db.using('canada', () => lazy.next())
      expect(second).to.deep.equal({ done: false, value: 'User2' })
      await lazy.return()
      stop()
      expect(shards).to.deep.equal(['brazil', 'brazil'])
    },
  ),
  row(
    'M67',
    'batches made in a scope are of its shard, each of the size',
    { brazil: twice },
    async (world) => {
      const users = await stage(world)
      const found: (readonly string[])[] = []
      for await (const batch of world.db.using('brazil', () => inBatches(users, { size: 2 })))
        found.push(names(batch))
      expect(found).to.deep.equal([['User1', 'User2'], ['User3']])
    },
  ),
  row(
    'M68',
    'batches that are asked for one at a time, in other scopes, stay on the shard they were made on',
    { brazil: twice, master: select },
    async (world) => {
      const users = await stage(world)
      const { db } = world
      const batches = db.using('brazil', () => inBatches(users, { size: 2 }))
      const asked = [
        await db.using('canada', () => batches.next()),
        await batches.next(),
        await db.using('master', () => batches.next()),
      ]
      expect(asked.map(({ value }) => value && names(value))).to.deep.equal([
        ['User1', 'User2'],
        ['User3'],
        undefined,
      ])
      for (const each of asked[0]?.value ?? []) expect(db.octopus.shardOf(each)).to.equal('brazil')
      const others = inBatches(users, { size: 5 })
      const { value } = await db.using('canada', () => others.next())
      expect(db.octopus.shardOf(value?.[0] ?? {})).to.equal('master')
    },
  ),
  row('M69', 'batches that nobody asks for are not read', { brazil: select }, async (world) => {
    const users = await stage(world)
    const { db } = world
    const batches = db.using('brazil', () => inBatches(users, { size: 1 }))
    const firsts = mapped(batches, ([first]) => first?.name)
    await db.using('canada', async () => {
      for await (const first of firsts) {
        expect(first).to.equal('User1')
        break
      }
    })
    expect(await batches.next()).to.deep.equal({ done: true, value: undefined })
  }),
]

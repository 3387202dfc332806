import { expect } from 'chai'
import type { ConnectionProxy } from '../../../lib/index.js'
import { Client, Item, Part, User, made } from '../entities/people.js'
import { type Row, row } from '../row.js'
import type { World } from '../world.js'

const select = ['select people_user'] as const

/** The server's own id of the connection that answers. */
const connectionHere = async ({ engine }: World, db: ConnectionProxy): Promise<unknown> => {
  const name = engine === 'mariadb' ? 'CONNECTION_ID()' : 'pg_backend_pid()'
  const [found] = (await db.query(`SELECT ${name} AS id FROM people_user`)) as { id: unknown }[]
  return String(found?.id)
}

const withUser = (world: World, shard: 'brazil' | 'canada'): Promise<unknown> =>
  world.aside(() => world.db.using(shard, () => world.db.manager.insert(User, { name: 'Ana' })))

const onServers = ['mariadb', 'postgres'] as const

/** Octopus's proxy_spec: what the proxy does. */
export const proxyWork: readonly Row[] = [
  row(
    'P21',
    'the default shard has a name, which a scope can say',
    { master: select },
    async ({ db }) => {
      expect(db.octopus.defaultShard).to.equal('master')
      await db.using('canada', () => db.using('master', () => db.manager.find(User)))
    },
  ),
  row(
    'P22',
    'the default shard has the name that it is given',
    { russia: select },
    async (world) => {
      const db = await world.wrap({ defaultShard: 'russia' })
      expect(db.octopus.currentShard()).to.equal('russia')
      await db.usingPrimary(() => db.manager.find(User))
    },
  ),
  row('P23', 'a scope is of one shard', { canada: select }, async ({ db }) => {
    await db.using('canada', () => {
      expect(db.octopus.currentShard()).to.equal('canada')
      return db.manager.find(User)
    })
  }),
  row(
    'P25',
    "a query runner that is made in a scope is of the scope's shard, wherever it is used",
    { brazil: select },
    async ({ db }) => {
      const runner = db.using('brazil', () => db.createQueryRunner())
      await db.using('canada', () => runner.manager.find(User))
      await runner.release()
    },
  ),
  row(
    'P26',
    "a query runner of a handle is of the handle's shard",
    { canada: select },
    async ({ db }) => {
      const runner = db.using('brazil', () => db.shard('canada').createQueryRunner())
      await runner.manager.find(User)
      await runner.release()
    },
  ),
  row(
    'P27',
    'parents and children that are saved one by one are on the shard of their scope',
    {
      canada: ['client', 'item', 'part'].flatMap((name) => [
        'begin',
        `insert people_${name}`,
        'commit',
      ]),
    },
    ({ db }) =>
      db.using('canada', async () => {
        const client = await db.manager.save(made(Client, { name: 'Ana' }))
        const item = await db.manager.save(made(Item, { name: 'One', client }))
        const part = await db.manager.save(made(Part, { name: 'Left', item }))
        expect(db.octopus.shardOf(part)).to.equal('canada')
      }),
  ),
  row(
    'P28',
    'parents and children that are saved together are saved in one transaction on one shard',
    {
      brazil: [
        'begin',
        'insert people_client',
        'insert people_item',
        'insert people_part',
        'commit',
      ],
    },
    async ({ db }) => {
      const item = made(Item, { name: 'One', parts: [made(Part, { name: 'Left' })] })
      await db.using('brazil', () => db.manager.save(made(Client, { name: 'Ana', items: [item] })))
      expect(db.octopus.shardOf(item.parts![0]!)).to.equal('brazil')
    },
  ),
  row(
    'P29',
    'raw queries in a scope stay on its shard, the last like the first',
    { canada: [...select, ...select, ...select] },
    ({ db }) =>
      db.using('canada', async () => {
        for (let turn = 0; turn < 3; turn += 1) await db.query('SELECT 1 FROM people_user')
      }),
  ),
  row(
    'P30',
    'queries one after the other share one connection to a shard',
    { brazil: [...select, ...select] },
    async (world) => {
      await withUser(world, 'brazil')
      const { db } = world
      const ids = await db.using('brazil', async () => [
        await connectionHere(world, db),
        await connectionHere(world, db),
      ])
      expect(ids[0]).to.equal(ids[1])
    },
    onServers,
  ),
  row(
    'P31',
    'a connection that was given back is used again',
    { canada: [...select, ...select] },
    async (world) => {
      await withUser(world, 'canada')
      const { db } = world
      const here = () => connectionHere(world, db)
      const before = await db.using('canada', here)
      const runner = db.shard('canada').createQueryRunner()
      await runner.connect()
      await runner.release()
      expect(await db.using('canada', here)).to.equal(before)
    },
    onServers,
  ),
  row(
    'P32',
    'after all connections were closed there are new ones',
    { brazil: [...select, ...select] },
    async (world) => {
      const db = await world.wrap({})
      const find = () => db.using('brazil', () => db.manager.find(User))
      await find()
      await db.destroy()
      await db.initialize()
      await find()
    },
  ),
  row('P33', 'it is initialized until it is destroyed', { canada: select }, async (world) => {
    const db = await world.wrap({})
    expect(db.isInitialized).to.equal(true)
    await db.using('canada', () => db.manager.find(User))
    await db.destroy()
    expect(db.isInitialized).to.equal(false)
    expect(db.octopus.pools().every(({ state }) => state !== 'open')).to.equal(true)
  }),
]

import { expect } from 'chai'
import type { Logger } from 'typeorm'
import { SharedCache } from '../../typeorm/scenarios/shared-cache.js'
import { Client, Item, User, made } from '../entities/people.js'
import { type Row, row } from '../row.js'
import type { World } from '../world.js'

const select = ['select people_user'] as const

const cached = (world: World, enabled = true) =>
  world.wrap({
    dataSource: { cache: { provider: () => new SharedCache() } },
    octopus: { enabled },
  })

/** Keeps what it is told of queries. */
class Notes implements Logger {
  readonly lines: string[] = []

  logQuery(sql: string): void {
    this.lines.push(sql)
  }
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

/** Octopus's small spec files: query_cache, load_balancing, log and collection_proxy. */
export const smallRows: readonly Row[] = [
  row(
    'Q1',
    'a result cache that is switched on for the data source is on for each shard',
    { brazil: select, canada: [...select, ...select] },
    async (world) => {
      const db = await cached(world)
      const find = () => db.manager.find(User, { cache: 60_000 })
      for (const shard of ['brazil', 'canada', 'brazil', 'canada']) await db.using(shard, find)
      await db.using('canada', () => db.manager.find(User))
    },
  ),
  row(
    'Q2',
    'one call clears the result caches of all shards',
    { brazil: [...select, ...select], canada: [...select, ...select, 'select people_client'] },
    async (world) => {
      const db = await cached(world)
      const find = () => db.manager.find(User, { cache: 60_000 })
      for (const shard of ['brazil', 'canada']) await db.using(shard, find)
      await db.usingAll(() => db.queryResultCache?.clear())
      for (const shard of ['brazil', 'canada', 'brazil']) await db.using(shard, find)
      await db.using('canada', () => db.manager.find(Client))
    },
  ),
  row(
    'Q3',
    'where octopus is disabled the result cache works as without it',
    { master: select },
    async (world) => {
      const db = await cached(world, false)
      const find = () => db.manager.find(User, { cache: 60_000 })
      await db.using('brazil', find)
      await find()
    },
  ),
  row('Q4', 'and is cleared as without it', { master: [...select, ...select] }, async (world) => {
    const db = await cached(world, false)
    const find = () => db.manager.find(User, { cache: 60_000 })
    await find()
    await db.using('brazil', () => db.queryResultCache?.clear())
    await find()
  }),
  row(
    'LB1',
    'an empty list of replicas is none: the primary is read',
    { russia: select },
    async (world) => {
      const db = await world.wrap({ defaultShard: 'russia', octopus: { replicas: [] } })
      await db.manager.find(User)
    },
  ),
  row('LB2', 'a list of replicas is read from', { 'russia/*': select }, async ({ db }) => {
    await db.using('russia', () => db.manager.find(User))
  }),
  row(
    'LG1',
    'what is logged says the shard, and the server',
    { master: select, brazil: select, 'russia/slow': select },
    async (world) => {
      const logger = new Notes()
      const db = await world.wrap({ dataSource: { logger, logging: true } })
      const find = () => db.manager.find(User)
      await find()
      await db.using('brazil', find)
      await db.using('russia', () => db.usingReplica({ group: 'slow' }, find))
      const lines = logger.lines.filter((line) => line.includes('people_user'))
      expect(
        lines.map((line) => /^\[[^\]]*\]/.exec(line)?.[0].replace(/primary [^\]]+/, 'primary')),
      ).to.deep.equal([
        '[Shard: master, primary]',
        '[Shard: brazil, primary]',
        '[Shard: russia, replica slow-1]',
      ])
    },
  ),
  row(
    'CP1',
    'counting a relation does not load it',
    { brazil: ['select people_client', 'select people_item'] },
    async (world) => {
      const { db } = world
      await world.aside(() =>
        db.using('brazil', () =>
          db.manager.save(made(Client, { name: 'Ana', items: [made(Item, { name: 'One' })] })),
        ),
      )
      const ana = await db.using('brazil', () =>
        db.manager.findOneByOrFail(Client, { name: 'Ana' }),
      )
      expect(await db.manager.countBy(Item, { client: ana })).to.equal(1)
      expect(ana.items).to.equal(undefined)
    },
  ),
]

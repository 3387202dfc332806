import { expect } from 'chai'
import { DataSource } from 'typeorm'
import { ConfigError, UnknownShardError, octopus } from '../../../lib/index.js'
import { failureOf } from '../../typeorm/compat/support.js'
import { Client, Item, User, made } from '../entities/people.js'
import { type Row, row } from '../row.js'
import type { World } from '../world.js'

const select = ['select people_user'] as const
const graph = ['begin', 'insert people_client', 'insert people_item', 'commit'] as const

/** Which shards an application has in which environment. */
const environments = { production: ['brazil'], staging: ['canada'] } as const
const inEnvironment = (world: World, name: keyof typeof environments) =>
  world.wrap({ shards: environments[name] })

/** An application that is switched off, with shards that its other environments have. */
const switchedOff = (world: World) =>
  world.wrap({ shards: ['brazil'], octopus: { enabled: false, groups: {} } })

/** Octopus's proxy_spec: what the proxy knows of its configuration. */
export const proxyConfiguration: readonly Row[] = [
  row(
    'P1',
    'all shards and groups are known, and a group lists its shards',
    { brazil: select, canada: [...select, ...select] },
    async ({ db }) => {
      expect(db.octopus.shardNames).to.deep.equal(['master', 'brazil', 'canada', 'russia'])
      expect(db.octopus.groups.get('americas')).to.deep.equal(['brazil', 'canada'])
      await db.usingGroup('americas', () => db.manager.find(User))
      await db.using('canada', () => db.manager.find(User))
    },
  ),
  row(
    'P2',
    'outside every scope work is on the default shard',
    { master: select },
    async ({ db }) => {
      expect(db.octopus.currentShard()).to.equal('master')
      await db.manager.find(User)
    },
  ),
  row(
    'P3',
    'a shard without replicas is read on its primary',
    { brazil: select },
    async ({ db }) => {
      const roles = db.octopus.pools().filter(({ shard }) => shard === 'brazil')
      expect(roles.map(({ role }) => role)).to.deep.equal(['primary'])
      await db.using('brazil', () => db.manager.find(User))
    },
  ),
  row(
    'P4',
    "the options that others see are the default shard's outside a scope, and the shard's inside",
    { master: select, canada: ['select people_client'] },
    async ({ db, engine }) => {
      const canadian = db.using('canada', () => db.options)
      expect(canadian.type).to.equal(engine)
      // What they are is too much to print.
      expect(db.options === db.octopus.dataSource.options).to.equal(true)
      expect(db.options === canadian).to.equal(false)
      await db.manager.find(User)
      await db.shard('canada').manager.find(Client)
    },
  ),
  row(
    'P5',
    'the proxy has the members of the DataSource, and telling so opens no connection',
    { canada: select },
    async (world) => {
      const db = await world.wrap({})
      for (const name of ['getRepository', 'query', 'transaction', 'using'] as const) {
        expect(name in db, name).to.equal(true)
        expect(db.using('canada', () => typeof db[name])).to.equal('function')
      }
      const open = () => db.octopus.pools().filter(({ state }) => state === 'open')
      expect(open().map(({ shard }) => shard)).to.deep.equal(['master'])
      await db.using('canada', () => db.manager.find(User))
      expect(open().map(({ shard }) => shard)).to.deep.equal(['master', 'canada'])
    },
  ),
  row('P6', 'the proxy invents no members', { brazil: select }, async ({ db }) => {
    expect('then' in db).to.equal(false)
    expect((db as unknown as Record<string, unknown>)['no_such_method']).to.equal(undefined)
    await db.using('brazil', () => db.manager.find(User))
  }),
  row(
    'P7',
    'options that are given are not changed, and serve a second time',
    { brazil: select, canada: ['select people_client'] },
    async (world) => {
      const options = Object.freeze({ groups: Object.freeze({ south: Object.freeze(['brazil']) }) })
      const [one, two] = [
        await world.wrap({ octopus: options }),
        await world.wrap({ octopus: options }),
      ]
      await one.usingGroup('south', () => one.manager.find(User))
      await two.using('canada', () => two.manager.find(Client))
    },
  ),
  row(
    'P8',
    'a name that is used twice is an error, wherever it stands',
    { master: select },
    async ({ db }) => {
      const wrap = (options: object) => () => octopus(new DataSource({ type: 'sqljs' }), options)
      const shards = { brazil: {}, canada: {} }
      for (const [options, name] of [
        [{ shards: { master: {} } }, 'master'],
        [{ shards, groups: { brazil: ['canada'] } }, 'brazil'],
        [{ shards, groups: { south: ['brazil', 'brazil'] } }, 'brazil'],
        [{ shards: { brazil: { replicas: [{ name: 'r' }, { name: 'r' }] } } }, 'r'],
      ] as const)
        expect(wrap(options)).to.throw(ConfigError, name)
      await db.manager.find(User)
    },
  ),
  row('P9', 'no further shards is the default one alone', { master: select }, async (world) => {
    const db = await world.wrap({ shards: [] })
    expect(db.octopus.shardNames).to.deep.equal(['master'])
    await db.manager.find(User)
  }),
  row(
    'P10',
    'and none of its reads go to replicas',
    { master: [...select, ...select] },
    async (world) => {
      const db = await world.wrap({ shards: [] })
      expect(db.octopus.pools().map(({ role }) => role)).to.deep.equal(['primary'])
      await db.manager.find(User)
      await db.usingReplica(() => db.manager.find(User))
    },
  ),
  row(
    'P11',
    'a shard that lists replicas is read from them',
    { 'russia/*': select },
    async ({ db }) => {
      await db.using('russia', () => db.manager.find(User))
    },
  ),
  row(
    'P12',
    'the primary is not among the replicas of its shard',
    { 'russia/slow': select },
    async ({ db }) => {
      const pools = db.octopus
        .pools()
        .filter(({ shard, role }) => shard === 'russia' && role === 'replica')
      expect(pools.map(({ node }) => node)).to.deep.equal(['fast-1', 'fast-2', 'slow-1'])
      await db.using('russia', () =>
        db.usingReplica({ group: 'slow' }, () => db.manager.find(User)),
      )
    },
  ),
  row(
    'P13',
    'an application has the shards of its environment',
    { brazil: select },
    async (world) => {
      const db = await inEnvironment(world, 'production')
      await db.using('brazil', () => db.manager.find(User))
    },
  ),
  row('P14', 'and in another environment others', { canada: select }, async (world) => {
    const db = await inEnvironment(world, 'staging')
    expect(await failureOf(() => db.using('brazil', () => null))).to.be.instanceOf(
      UnknownShardError,
    )
    await db.using('canada', () => db.manager.find(User))
  }),
  row('P15', 'every server has its own name', { canada: select }, async ({ db }) => {
    const names = db.octopus.pools().map(({ shard, node }) => `${shard} ${node}`)
    expect(new Set(names).size).to.equal(7)
    await db.using('canada', () => db.manager.find(User))
  }),
  row(
    'P16',
    'the shards of one environment are not those of another',
    { brazil: select, canada: ['select people_client'] },
    async (world) => {
      const production = await inEnvironment(world, 'production')
      const staging = await inEnvironment(world, 'staging')
      expect(production.octopus.shardNames).to.deep.equal(['master', 'brazil'])
      expect(staging.octopus.shardNames).to.deep.equal(['master', 'canada'])
      await production.using('brazil', () => production.manager.find(User))
      await staging.using('canada', () => staging.manager.find(Client))
    },
  ),
  row('P17', 'switched off, the default shard works', { master: select }, async (world) => {
    const db = await switchedOff(world)
    await db.manager.find(User)
  }),
  row(
    'P18',
    'switched off, a handle of an unknown shard is an error, and not a silent nothing',
    { master: select },
    async (world) => {
      const db = await switchedOff(world)
      expect(await failureOf(() => db.shard('canada'))).to.be.instanceOf(UnknownShardError)
      await db.shard('brazil').manager.find(User)
    },
  ),
  row('P19', 'so is a scope of one', { master: select }, async (world) => {
    const db = await switchedOff(world)
    const nested = () => db.using('brazil', () => db.using('canada', () => null))
    expect(await failureOf(nested)).to.be.instanceOf(UnknownShardError)
    await db.using('brazil', () => db.manager.find(User))
  }),
  row(
    'P20',
    'switched off, relations work on the default shard',
    { master: [...graph, 'select people_item'] },
    async (world) => {
      const db = await switchedOff(world)
      const ana = await db.using('brazil', () =>
        db.manager.save(made(Client, { name: 'Ana', items: [made(Item, { name: 'One' })] })),
      )
      expect(await db.manager.countBy(Item, { client: { id: ana.id } })).to.equal(1)
    },
  ),
]

import { expect } from 'chai'
import {
  ConfigError,
  DestructiveSchemaError,
  type OctopusOptions,
  UnknownGroupError,
  UnknownShardError,
} from '../../../lib/index.js'
import { Item, failureOf, itemsOf, memory, proxies, twoShards } from './support.js'

const withReplicas = {
  replicas: [{ name: 'main-2' }],
  shards: {
    brazil: { synchronize: true, replicas: [{ name: 'br-2' }, { name: 'br-3', group: 'reports' }] },
  },
} as const satisfies OctopusOptions

describe('collapseReplicas', () => {
  const { start } = proxies()

  it('reads from the primary, and traces each decision as it would be with replicas', async () => {
    const db = await start({ ...withReplicas, collapseReplicas: true })
    const items = db.getRepository(Item)
    await db.using('brazil', () => items.save({ name: 'Ana' }))
    const { value, events } = await db.octopus.withTrace(() =>
      db.using('brazil', async () => [
        await items.find(),
        await db.usingReplica({ group: 'reports' }, () => items.find()),
        await db.usingPrimary(() => items.find()),
      ]),
    )
    expect(value.map((found) => found.map(({ name }) => name))).to.deep.equal([
      ['Ana'],
      ['Ana'],
      ['Ana'],
    ])
    const [primary] = db.octopus
      .pools()
      .filter(({ shard, role }) => shard === 'brazil' && role === 'primary')
    expect(events.map(({ role, reason, node }) => ({ role, reason, node }))).to.deep.equal([
      { role: 'replica', reason: 'read outside a transaction', node: primary!.node },
      { role: 'replica', reason: 'pinned to replica', node: primary!.node },
      { role: 'primary', reason: 'pinned to primary', node: primary!.node },
    ])
    expect(
      db.octopus.pools().filter(({ role, state }) => role === 'replica' && state !== 'idle'),
    ).to.deep.equal([])
  })

  it('still refuses what a replica would refuse', async () => {
    const db = await start({ ...withReplicas, collapseReplicas: true })
    const error = await failureOf(() =>
      db.usingReplica(() => db.getRepository(Item).save({ name: 'Ana' })),
    )
    expect(error).to.have.property('code', 'read-only-scope')
    const byRunner = () => db.createQueryRunner('slave').manager.save(Item, { name: 'Ana' })
    expect(await failureOf(byRunner)).to.have.property('code', 'read-only-scope')
    expect(await db.getRepository(Item).count()).to.equal(0)
  })
})

describe('enabled: false', () => {
  const { wrap } = proxies()

  it('warns once, sends everything to the wrapped DataSource, and still checks names', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    const db = wrap(memory(), {
      ...withReplicas,
      groups: { all: ['master', 'brazil'] },
      enabled: false,
    })
    await db.initialize()
    const items = db.getRepository(Item)
    const { value, events } = await db.octopus.withTrace(async () => {
      await db.using('brazil', () => items.save({ name: 'scope' }))
      await db.shard('brazil').getRepository(Item).save({ name: 'handle' })
      await db.usingGroup('all', () => items.save({ name: 'group' }))
      await db.usingReplica(() => items.find())
      return db.using('brazil', () => db.usingReplica(() => items.find()))
    })
    process.off('warning', onWarning)
    expect(value.map(({ name }) => name)).to.deep.equal(['scope', 'handle', 'group'])
    expect(
      new Set(events.map(({ shard, role, reason }) => `${shard} ${role} ${reason}`)),
    ).to.deep.equal(new Set(['master primary disabled']))
    expect(warnings.filter(({ name }) => name === 'OctopusWarning')).to.have.length(1)
    expect(
      db.octopus
        .pools()
        .filter(({ state }) => state !== 'idle')
        .map(({ shard, role }) => [shard, role]),
    ).to.deep.equal([['master', 'primary']])
    expect(await failureOf(() => db.using('peru', () => 0))).to.be.instanceOf(UnknownShardError)
    expect(await failureOf(() => db.shard('peru'))).to.be.instanceOf(UnknownShardError)
    expect(await failureOf(() => db.usingGroup('europe', () => 0))).to.be.instanceOf(
      UnknownGroupError,
    )
    expect(
      await failureOf(() => wrap(memory(), { groups: { all: ['peru'] }, enabled: false })),
    ).to.be.instanceOf(ConfigError)
  })

  it('connects no other server, whatever the shards ask for', async () => {
    const db = wrap(memory(), {
      shards: { brazil: { synchronize: true, connect: 'eager' } },
      enabled: false,
    })
    await db.initialize()
    expect(
      db.octopus
        .pools()
        .filter(({ state }) => state === 'open')
        .map(({ shard }) => shard),
    ).to.deep.equal(['master'])
    await db.destroy()
    await db.initialize()
    expect(await db.getRepository(Item).count()).to.equal(0)
  })
})

describe('calls that drop data', () => {
  const { start } = proxies()

  it('are refused where they would mean the default shard by accident', async () => {
    const db = await start(twoShards)
    await db.usingAll((name) => db.getRepository(Item).save({ name }))
    for (const call of [
      () => db.dropDatabase(),
      () => db.synchronize(true),
      () => db.octopus.scope(() => db.dropDatabase()),
      () => db.usingPrimary(() => db.synchronize(true)),
    ]) {
      const error = await failureOf(call)
      expect(error).to.be.instanceOf(DestructiveSchemaError)
      expect(String(error)).to.include('master, brazil, canada')
    }
    await db.synchronize()
    expect(await itemsOf(db)).to.deep.equal({
      master: ['master'],
      brazil: ['brazil'],
      canada: ['canada'],
    })
  })

  it('work in a scope, on a handle and by a fan-out, on that shard', async () => {
    const db = await start(twoShards)
    const fill = () => db.usingAll((name) => db.getRepository(Item).save({ name }))
    await fill()
    await db.using('brazil', () => db.synchronize(true))
    expect(await itemsOf(db)).to.deep.equal({ master: ['master'], brazil: [], canada: ['canada'] })
    await db.shard('canada').dropDatabase()
    await db.shard('canada').synchronize()
    expect(await itemsOf(db)).to.deep.equal({ master: ['master'], brazil: [], canada: [] })
    await db.shard('master').synchronize(true)
    await fill()
    await db.usingAll(() => db.synchronize(true))
    expect(await itemsOf(db)).to.deep.equal({ master: [], brazil: [], canada: [] })
  })

  it('work as ever where there is one shard', async () => {
    const db = await start({ replicas: [{ name: 'copy' }] })
    await db.getRepository(Item).save({ name: 'Ana' })
    await db.synchronize(true)
    expect(await db.usingPrimary(() => db.getRepository(Item).count())).to.equal(0)
    await db.dropDatabase()
    const tables = await db.query(`SELECT name FROM sqlite_master WHERE name = 'item'`)
    expect(tables).to.deep.equal([])
  })
})

import { expect } from 'chai'
import { QueryFailedError } from 'typeorm'
import type { ConnectionProxy, OctopusOptions } from '../../lib/index.js'
import { until } from '../support/until.js'
import { Load, changeUnder, noConnections } from './topology/load.js'
import { type Servers, describeOnServers } from './topology/servers.js'
import { SilentServer } from './topology/silent-server.js'
import { Entry, type Wrapped, end, failure, wrap } from './topology/support.js'

describeOnServers('a server that moves', (get) => {
  const opened: ConnectionProxy[] = []
  const open = async (options: (servers: Servers) => OctopusOptions): Promise<Wrapped> => {
    const servers = get()
    const wrapped = wrap(servers.at(0), options(servers))
    opened.push(wrapped.db)
    await wrapped.db.initialize()
    return wrapped
  }
  const withReplica = () =>
    open(({ at }) => ({ shards: { brazil: { ...at(1), replicas: [{ ...at(2), name: 'br-2' }] } } }))
  const brazil = ({ db }: Wrapped): string =>
    db.octopus.pools().find(({ shard, role }) => shard === 'brazil' && role === 'primary')!.node
  const placeOf = ({ host, port }: { host: string; port: number }) => ({ host, port })

  afterEach(async () => {
    for (const db of opened.splice(0)) await end(db)
  })

  it('has a primary’s new work at once, under load, and the old server has none', async () => {
    const stage = await withReplica()
    const { db, entries } = stage
    const load = new Load(() =>
      db.using('brazil', async () => {
        await entries.insert({ text: 'loaded' })
        await db.transaction((manager) => manager.count(Entry))
      }),
    )
    const { at } = get()
    const sent = await changeUnder(get(), load, () =>
      db.octopus.updateNode('brazil', brazil(stage), placeOf(at(3))),
    )
    expect(load.errors).to.deep.equal([])
    expect(sent[1]).to.equal(0)
    expect(sent[3]).to.be.above(100)
    await noConnections(get(), 1)
  })

  it('is left by destroy() too, though somebody holds a connection to it', async () => {
    const stage = await withReplica()
    const { db } = stage
    const { at, node } = get()
    const runner = db.shard('brazil').createQueryRunner()
    await runner.query('SELECT 1')
    const moved = db.octopus.updateNode('brazil', brazil(stage), placeOf(at(3)))
    await db.using('brazil', () => db.query('SELECT 1'))
    expect(await node(1).connections()).to.equal(1)
    await db.destroy()
    await moved
    await noConnections(get(), 1)
    await noConnections(get(), 3)
    expect(await failure(runner.query('SELECT 1'))).to.be.instanceOf(Error)
  })

  it('has a replica’s reads at once, under load, and the old server has none', async () => {
    const { db, entries } = await withReplica()
    const load = new Load(() => db.using('brazil', () => entries.count()))
    const { at } = get()
    const sent = await changeUnder(get(), load, () =>
      db.octopus.updateNode('brazil', 'br-2', placeOf(at(3))),
    )
    expect(load.errors).to.deep.equal([])
    expect(sent.slice(0, 3)).to.deep.equal([0, 0, 0])
    expect(sent[3]).to.be.above(50)
    await noConnections(get(), 2)
  })

  it('has the default shard’s work, and its options say where it is', async () => {
    const { db, source, entries } = await open(() => ({}))
    const given = source.options
    const node = db.octopus.pools()[0]!.node
    const load = new Load(() => entries.insert({ text: 'loaded' }))
    const { at } = get()
    const sent = await changeUnder(get(), load, () =>
      db.octopus.updateNode('master', node, placeOf(at(3))),
    )
    expect(load.errors).to.deep.equal([])
    expect(sent[0]).to.equal(0)
    expect(sent[3]).to.be.above(50)
    expect(db.options).to.include(placeOf(at(3)))
    expect(source.options).to.include(placeOf(at(3)))
    expect(db.driver.options).to.include(placeOf(at(3)))
    expect(given).to.include(placeOf(at(0)))
    await noConnections(get(), 0)
  })

  it('lets a runner that holds a connection finish where it is', async () => {
    const stage = await withReplica()
    const { db, entries } = stage
    const { at, sentDuring } = get()
    const runner = db.using('brazil', () => db.createQueryRunner())
    await runner.connect()
    await runner.startTransaction()
    let isSettled = false
    const change = db.octopus
      .updateNode('brazil', brazil(stage), placeOf(at(3)))
      .finally(() => (isSettled = true))
    const sent = await sentDuring(async () => {
      await db.using('brazil', () => entries.insert({ text: 'new' }))
      await runner.manager.insert(Entry, { text: 'old' })
      await runner.commitTransaction()
    })
    expect(sent).to.deep.equal([0, 1, 0, 1])
    expect(isSettled).to.equal(false)
    await runner.release()
    await change
    await noConnections(get(), 1)
    const later = () => db.using('brazil', () => entries.insert({ text: 'later' }))
    expect(await sentDuring(later)).to.deep.equal([0, 0, 0, 1])
  })

  it('stays in service when the server that it left goes down', async () => {
    const { db, entries } = await withReplica()
    const { at, killAll, sentDuring } = get()
    const runner = db.using('brazil', () => db.usingReplica(() => db.createQueryRunner()))
    await runner.connect()
    const change = db.octopus.updateNode('brazil', 'br-2', placeOf(at(3)))
    await killAll(2)
    expect(await failure(runner.query('SELECT 1'))).to.be.instanceOf(QueryFailedError)
    await runner.release()
    await change
    const count = () => db.using('brazil', () => entries.count())
    expect(await sentDuring(count)).to.deep.equal([0, 0, 0, 1])
    const { outOfService } = db.octopus.pools().find(({ node }) => node === 'br-2')!
    expect(outOfService).to.equal(undefined)
  })

  it('keeps its name, its settings and the entities that are at home there', async () => {
    const stage = await withReplica()
    const { db, entries } = stage
    const { at } = get()
    const entry = await db.using('brazil', () => entries.save({ text: 'kept' }))
    const name = brazil(stage)
    const { driver } = db.shard('brazil')
    await db.octopus.updateNode('brazil', name, placeOf(at(3)))
    expect(brazil(stage)).to.equal(name)
    expect(db.shard('brazil').driver).to.equal(driver)
    expect(db.octopus.shardOf(entry)).to.equal('brazil')
    expect(db.shard('brazil').options).to.include({ ...placeOf(at(3)), poolSize: 4 })
    await db.octopus.updateNode('brazil', name, { poolSize: 2 })
    await db.using('brazil', () => entries.insert({ text: 'x' }))
    const primary = db.octopus
      .pools()
      .find(({ shard, role }) => `${shard} ${role}` === 'brazil primary')
    expect(primary).to.include({ node: name, max: 2 })
  })

  it('can be given as a URL, and moved by its host again', async () => {
    const stage = await withReplica()
    const { db, entries } = stage
    const { at, engine, sentDuring } = get()
    const { host, port } = at(3)
    await db.octopus.updateNode('brazil', brazil(stage), {
      url: `${engine === 'mariadb' ? 'mariadb' : 'postgres'}://app:app@${host}:${port}/app`,
    })
    const insert = () => db.using('brazil', () => entries.insert({ text: 'by url' }))
    expect(await sentDuring(insert)).to.deep.equal([0, 0, 0, 1])
    await db.octopus.updateNode('brazil', brazil(stage), { port: at(1).port })
    expect(await sentDuring(insert)).to.deep.equal([0, 1, 0, 0])
  })

  it('takes along what inherits from it', async () => {
    const { db } = await open(({ at }) => ({ shards: { brazil: placeOf(at(1)) } }))
    expect(db.shard('brazil').options).to.include({ poolSize: 4 })
    await db.octopus.updateNode('master', db.octopus.pools()[0]!.node, { poolSize: 3 })
    expect(db.shard('brazil').options).to.include({ poolSize: 3, ...placeOf(get().at(1)) })
    await db.using('brazil', () => db.query('SELECT 1'))
    expect(db.octopus.pools().map(({ max }) => max)).to.deep.equal([0, 3])
  })

  it('is not waited for where it never answered', async () => {
    const { at, sentDuring } = get()
    const silent = await SilentServer.start()
    try {
      const stage = await open(() => ({ shards: { brazil: placeOf(silent) } }))
      const { db, entries } = stage
      const insert = () => db.using('brazil', () => entries.insert({ text: 'at last' }))
      const waiting = insert()
      await until(() => silent.connections > 0, { what: 'the silent server to be asked' })
      const sent = await sentDuring(async () => {
        await db.octopus.updateNode('brazil', brazil(stage), placeOf(at(3)))
        await insert()
        await waiting
      })
      expect(sent).to.deep.equal([0, 0, 0, 2])
    } finally {
      silent.stop()
    }
  })

  it('is left for another where it answers too late', async () => {
    const { at, sentDuring } = get()
    const slow = await SilentServer.start()
    try {
      const stage = await open(() => ({ shards: { brazil: placeOf(slow) } }))
      const { db, entries } = stage
      const insert = () => db.using('brazil', () => entries.insert({ text: 'late' }))
      const waiting = insert()
      await until(() => slow.connections > 0, { what: 'the slow server to be asked' })
      const change = db.octopus.updateNode('brazil', brazil(stage), placeOf(at(3)))
      slow.answerAs(at(1).port)
      const sent = await sentDuring(async () => {
        await Promise.all([insert(), insert(), waiting, change])
        await insert()
      })
      expect(sent).to.deep.equal([0, 0, 0, 4])
      await noConnections(get(), 1)
    } finally {
      slow.stop()
    }
  })

  it('is left for another before the data source is initialised', async () => {
    const { at, sentDuring } = get()
    const { db, entries } = wrap(at(0), {})
    opened.push(db)
    await db.octopus.updateNode('master', db.octopus.pools()[0]!.node, placeOf(at(3)))
    const sent = await sentDuring(async () => {
      await db.initialize()
      await entries.insert({ text: 'first' })
    })
    expect(sent).to.deep.equal([0, 0, 0, 1])
  })
})

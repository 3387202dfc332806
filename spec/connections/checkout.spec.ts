import { expect } from 'chai'
import { AcquireTimeoutError } from '../../lib/index.js'
import { until } from '../support/until.js'
import { Entry, describeOnServers, errorOf, later, outcomeOf, times } from './own-support.js'

describeOnServers('checking out connections', { shards: 1 }, (servers) => {
  it('never opens more connections on the server than the pool may have', async () => {
    const db = await servers().open({}, { poolSize: 3 })
    const free = await servers().hold()
    const work = Promise.all(times(30, () => db.query(servers().waiting)))
    await until(() => db.octopus.pools()[0]?.active === 3, { what: '3 connections in use' })
    expect(db.octopus.pools()[0]).to.include({ max: 3, active: 3, idle: 0, waiting: 27 })
    await servers().connected(3)
    await free()
    let most = 0
    let isOver = false
    void work.then(() => (isOver = true))
    while (!isOver) most = Math.max(most, await servers().node().connections())
    await work
    expect(most).to.be.at.most(3)
    expect(db.octopus.pools()[0]).to.include({ active: 0, waiting: 0 })
  })

  it('serves callers in the order in which they came', async () => {
    const db = await servers().open({}, { poolSize: 1 })
    const order: number[] = []
    await Promise.all(times(20, (index) => db.query('SELECT 1').then(() => void order.push(index))))
    expect(order).to.deep.equal(times(20, (index) => index))
  })

  it('gives up after acquireTimeoutMs with the pool’s numbers and the age of the oldest lease', async () => {
    const db = await servers().open({ acquireTimeoutMs: 100 }, { poolSize: 2 })
    const runners = times(2, () => db.createQueryRunner())
    for (const runner of runners) await runner.connect()
    const [first, second] = await Promise.all([
      errorOf(db.query('SELECT 1')),
      errorOf(db.query('SELECT 1')),
    ])
    for (const error of [first, second]) {
      expect(error).to.be.instanceOf(AcquireTimeoutError)
      expect(error).to.include({ code: 'acquire-timeout', stage: 'acquire' })
    }
    const { pool, holders, message } = first as AcquireTimeoutError
    expect(pool).to.deep.equal({ max: 2, active: 2, idle: 0, waiting: 2 })
    expect(holders.oldestLeaseMs).to.be.within(90, 5000)
    expect(holders).to.include({ heldByScope: 0 })
    expect(message).to.match(/^master\/primary 127\.0\.0\.1.*max 2, active 2, idle 0, waiting 2/)
    for (const runner of runners) await runner.release()
    await db.query('SELECT 1')
  })

  it('tells where the oldest connection was taken, with checkoutCallSites', async () => {
    const options = { acquireTimeoutMs: 50, checkoutCallSites: true }
    const db = await servers().open(options, { poolSize: 1 })
    const runner = db.createQueryRunner()
    const takenByThisFunction = () => runner.connect()
    await takenByThisFunction()
    const error = (await errorOf(db.query('SELECT 1'))) as AcquireTimeoutError
    expect(error.holders.takenAt).to.include('takenByThisFunction')
    expect(error.holders.takenAt).to.match(/^\s+at .*takenByThisFunction/)
    expect(error.message).to.include('takenByThisFunction')
    await runner.release()
  })

  it('does not remember where a connection was taken unless it is asked to', async () => {
    const db = await servers().open({ acquireTimeoutMs: 50 }, { poolSize: 1 })
    const runner = db.createQueryRunner()
    await runner.connect()
    const error = (await errorOf(db.query('SELECT 1'))) as AcquireTimeoutError
    expect(error.holders.takenAt).to.equal(undefined)
    await runner.release()
  })

  it('lets a caller who gave up leave the queue: nothing is lent to him', async () => {
    const db = await servers().open({ acquireTimeoutMs: 100 }, { poolSize: 1 })
    const runner = db.createQueryRunner()
    await runner.connect()
    const gaveUp = await Promise.all(times(3, () => errorOf(db.query('SELECT 1'))))
    expect(gaveUp).to.have.length(3)
    expect(db.octopus.pools()[0]).to.include({ active: 1, waiting: 0 })
    const waiting = db.query('SELECT 1')
    await until(() => db.octopus.pools()[0]?.waiting === 1, { what: 'a waiter' })
    await runner.release()
    await waiting
    expect(db.octopus.pools()[0]).to.include({ active: 0, waiting: 0 })
  })

  it('waits for ever with an acquireTimeoutMs of 0', async () => {
    const db = await servers().open({ acquireTimeoutMs: 0 }, { poolSize: 1 })
    const runner = db.createQueryRunner()
    await runner.connect()
    let isOver = false
    const waiting = outcomeOf(db.query('SELECT 1')).then(() => (isOver = true))
    await until(() => db.octopus.pools()[0]?.waiting === 1, { what: 'a waiter' })
    expect(isOver).to.equal(false)
    await runner.release()
    await waiting
  })

  it('says so when a scope waits for the connection that its own transaction holds', async () => {
    const db = await servers().open({ acquireTimeoutMs: 100 }, { poolSize: 1 })
    const error = await errorOf(
      db.octopus.scope(() =>
        db.transaction(async (manager) => {
          await manager.count(Entry)
          await db.getRepository(Entry).find()
        }),
      ),
    )
    expect(error).to.be.instanceOf(AcquireTimeoutError)
    expect((error as AcquireTimeoutError).holders.heldByScope).to.equal(1)
    expect(error.message).to.include('The scope that waits holds 1 itself')
  })

  it('counts as held by the scope nothing that another scope holds', async () => {
    const db = await servers().open({ acquireTimeoutMs: 100 }, { poolSize: 1 })
    const end = later()
    const other = db.octopus.scope(() =>
      db.transaction(async (manager) => {
        await manager.count(Entry)
        await end.promise
      }),
    )
    await until(() => db.octopus.pools()[0]?.active === 1, { what: 'the transaction' })
    const error = (await errorOf(
      db.octopus.scope(() => db.getRepository(Entry).find()),
    )) as AcquireTimeoutError
    end.resolve()
    await other
    expect(error.holders.heldByScope).to.equal(0)
    expect(error.message).not.to.include('The scope that waits holds')
  })

  it('opens the pool once for callers who come at the same time', async () => {
    const db = await servers().open(
      { shards: { brazil: servers().at(0) }, allowSharedServer: true },
      { poolSize: 5 },
    )
    const brazil = db.shard('brazil')
    await Promise.all(times(5, () => brazil.getRepository(Entry).find()))
    const pools = db.octopus.pools().filter(({ shard }) => shard === 'brazil')
    expect(pools).to.have.length(1)
    expect(pools[0]).to.include({ state: 'open', active: 0 })
    expect(await servers().node().connections()).to.be.at.most(1 + 5)
  })
})

describeOnServers('connections that nobody needs', { shards: 3, replicas: 2 }, (servers) => {
  const topology = () => ({
    replicas: servers().replicasOf(0),
    shards: {
      brazil: { ...servers().at(1), replicas: servers().replicasOf(1) },
      canada: { ...servers().at(2), replicas: servers().replicasOf(2) },
    },
  })
  const counts = () =>
    Promise.all(servers().cluster.nodes.map(async (node) => [node.name, await node.connections()]))
  const countsAre = async (expected: Record<string, number>): Promise<void> => {
    const all = servers().cluster.nodes.map(({ name }) => [name, expected[name] ?? 0])
    expect(Object.fromEntries(await counts())).to.deep.equal(Object.fromEntries(all))
  }

  it('are not opened: making the data source opens none, initialize() one to the default primary', async () => {
    const db = servers().wrap(topology())
    await countsAre({})
    await db.initialize()
    await countsAre({ s0p: 1 })
    expect(db.octopus.pools().map(({ state }) => state)).to.deep.equal([
      'open',
      ...times(8, () => 'idle'),
    ])
  })

  it('are not opened by scopes, handles, repositories and explain', async () => {
    const db = await servers().open(topology())
    await db.using('brazil', async () => {
      db.getRepository(Entry)
      db.createQueryBuilder(Entry, 'e').where('e.id = 1')
      db.octopus.explain(Entry, 'find')
      await db.octopus.scope(() => Promise.resolve())
    })
    db.shard('canada').getRepository(Entry)
    await countsAre({ s0p: 1 })
  })

  it('are not opened to a shard that a request does not use', async () => {
    const db = await servers().open(topology())
    await db.octopus.scope(() =>
      db.using('brazil', () => db.getRepository(Entry).insert({ id: 1 })),
    )
    await countsAre({ s0p: 1, s1p: 1 })
    await db.using('brazil', () => db.getRepository(Entry).delete({ id: 1 }))
  })

  it('are opened to a replica only once it has its turn', async () => {
    const db = await servers().open(topology())
    await db.getRepository(Entry).find()
    const opened = Object.fromEntries(await counts()) as Record<string, number>
    expect((opened['s0r1'] ?? 0) + (opened['s0r2'] ?? 0)).to.equal(1)
  })
})

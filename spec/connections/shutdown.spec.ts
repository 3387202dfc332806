import { expect } from 'chai'
import { PoolClosedError } from '../../lib/index.js'
import { TcpProxy } from '../support/faults/tcp-proxy.js'
import { until } from '../support/until.js'
import { runChild } from './children.js'
import { Entry, describeOnServers, errorOf, outcomeOf, timed, times } from './own-support.js'

/** Statements that run have so long, and a server so long to answer the goodbye. */
const drainMs = 300
const goodbyeMs = 1000
/** How long an end may take at most, on a busy machine. */
const boundMs = drainMs + goodbyeMs + 4000

describeOnServers('destroy()', { shards: 2 }, (servers, engine) => {
  it('lets running statements end, and gives their callers the results', async () => {
    const db = await servers().open()
    const free = await servers().hold()
    const running = times(3, () => outcomeOf(db.query(servers().waiting)))
    await until(() => db.octopus.pools()[0]?.active === 3, { what: 'the statements' })
    let isOver = false
    const destroyed = db.destroy().then(() => (isOver = true))
    await servers().connected(3)
    expect(isOver).to.equal(false)
    await free()
    await destroyed
    for (const { error } of await Promise.all(running)) expect(error).to.equal(undefined)
    await servers().connected(0)
  })

  it('cuts off what runs longer than drainMs', async () => {
    const db = await servers().open({ drainMs })
    await servers().hold()
    const running = times(3, () => outcomeOf(db.query(servers().waiting)))
    await until(() => db.octopus.pools()[0]?.active === 3, { what: 'the statements' })
    expect(await timed(() => db.destroy())).to.be.within(drainMs - 20, boundMs)
    for (const { error } of await Promise.all(running)) expect(error).to.be.instanceOf(Error)
  })

  it('refuses who waits for a connection', async () => {
    const db = await servers().open({ drainMs }, { poolSize: 1 })
    const runner = db.createQueryRunner()
    await runner.connect()
    const waiting = errorOf(db.query('SELECT 1'))
    await until(() => db.octopus.pools()[0]?.waiting === 1, { what: 'a waiter' })
    await db.destroy()
    expect(await waiting).to.be.instanceOf(PoolClosedError)
    expect(runner.isReleased).to.equal(true)
    await runner.release()
    await servers().connected(0)
  })

  it('ends runners that are held across it; after initialize() new ones work', async () => {
    const db = await servers().open({ drainMs })
    const runner = db.createQueryRunner()
    await runner.startTransaction()
    await runner.manager.insert(Entry, { id: 1 })
    await db.destroy()
    await servers().connected(0)
    expect(await errorOf(runner.query('SELECT 1'))).to.be.instanceOf(Error)
    await runner.release()
    await db.initialize()
    expect(await db.getRepository(Entry).count()).to.equal(0)
    await db.transaction((manager) => manager.insert(Entry, { id: 1 }))
    await db.getRepository(Entry).clear()
    expect(db.octopus.pools()[0]).to.include({ active: 0, waiting: 0 })
  })

  it('can be followed by initialize() and destroy() any number of times', async () => {
    const db = await servers().open({ shards: { brazil: servers().at(1) } })
    for (let round = 0; round < 3; round += 1) {
      await db.usingAll(() => db.getRepository(Entry).find())
      await db.destroy()
      await servers().connected(0)
      await servers().connected(0, servers().node(1))
      await db.initialize()
    }
  })

  for (const [title, prepare] of [
    ['with idle connections', () => Promise.resolve()],
    ['while statements run', 'running'],
    ['while connections are made', 'connecting'],
  ] as const)
    it(`does not hang on a server that is stopped, ${title}`, async () => {
      const db = await servers().open({ drainMs, shards: { brazil: servers().at(1) } })
      const brazil = db.shard('brazil')
      const node = servers().node(1)
      if (prepare !== 'connecting') await Promise.all(times(3, () => brazil.query('SELECT 1')))
      await node.pause()
      try {
        const callers =
          typeof prepare === 'function'
            ? []
            : times(3, () => outcomeOf(brazil.getRepository(Entry).find()))
        await new Promise((resolve) => setImmediate(resolve))
        expect(await timed(() => db.destroy())).to.be.below(boundMs)
        const answers = await timed(async () => {
          for (const { error } of await Promise.all(callers)) expect(error).to.be.instanceOf(Error)
        })
        expect(answers, 'how long the callers went on waiting').to.be.below(3000)
      } finally {
        node.resume()
      }
    })

  it('does not hang on a half-open connection', async () => {
    const proxy = await TcpProxy.start(servers().at(1))
    try {
      const { host, port } = proxy
      const db = await servers().open({ drainMs, shards: { brazil: { host, port } } })
      await db.shard('brazil').query('SELECT 1')
      proxy.halfOpen()
      const running = outcomeOf(db.shard('brazil').query('SELECT 1'))
      expect(await timed(() => db.destroy())).to.be.below(boundMs)
      expect((await running).error).to.be.instanceOf(Error)
      await until(() => proxy.open === 0, { what: 'the client to close its sockets' })
    } finally {
      await proxy.stop()
    }
  })

  it('leaves no socket and no timer: the process ends by itself', async function () {
    this.timeout(20_000)
    for (const node of [servers().node(0), servers().node(1)])
      expect(node.isReachable).to.equal(true)
    const { messages, code, ms } = await runChild('shutdown.child.js', {
      engine,
      source: { type: engine, ...servers().node(0).connectionOptions() },
      options: {
        idleTimeoutMs: 60_000,
        maxLifetimeMs: 60_000,
        shards: { brazil: servers().at(1) },
      },
    })
    expect(messages).to.deep.equal([{ left: [] }])
    expect(code).to.equal(0)
    expect(ms).to.be.below(5000)
  })

  it('leaves none where a server was stopped and another refused', async function () {
    this.timeout(20_000)
    const node = servers().node(1)
    await node.pause()
    try {
      const { messages, code } = await runChild('shutdown.child.js', {
        engine,
        source: { type: engine, ...servers().node(0).connectionOptions() },
        options: {
          drainMs,
          shards: {
            brazil: servers().at(1),
            refused: { host: '127.0.0.1', port: 1, replicas: [{ host: '127.0.0.1', port: 2 }] },
          },
        },
        awaits: false,
      })
      expect(messages).to.deep.equal([{ left: [] }])
      expect(code).to.equal(0)
    } finally {
      node.resume()
    }
  })
})

describeOnServers('disconnectAll()', { shards: 3 }, (servers) => {
  const topology = () => ({
    drainMs,
    shards: { brazil: servers().at(1), canada: servers().at(2) },
  })
  const nodes = () => times(3, (index) => servers().node(index))

  it('closes every connection of every shard, and can be called twice, also at once', async () => {
    const db = await servers().open(topology())
    await db.usingAll(() => Promise.all(times(3, () => db.query('SELECT 1'))))
    await Promise.all([db.octopus.disconnectAll(), db.octopus.disconnectAll()])
    for (const node of nodes()) await servers().connected(0, node)
    await db.octopus.disconnectAll()
    expect(db.octopus.pools().map(({ state }) => state)).to.deep.equal(['idle', 'idle', 'idle'])
    expect(db.isInitialized).to.equal(true)
  })

  it('leaves the data source usable: what is used next is connected again, and nothing else', async () => {
    const db = await servers().open(topology())
    await db.usingAll(() => db.query('SELECT 1'))
    await db.octopus.disconnectAll()
    await db.shard('brazil').getRepository(Entry).insert({ id: 1 })
    await servers().connected(0)
    await servers().connected(1, servers().node(1))
    await servers().connected(0, servers().node(2))
    await db.shard('brazil').getRepository(Entry).clear()
    expect(await db.getRepository(Entry).count()).to.equal(0)
  })

  it('takes for two servers that are stopped the time of one', async () => {
    const db = await servers().open(topology())
    await db.usingAll(() => db.query('SELECT 1'))
    await Promise.all([servers().node(1).pause(), servers().node(2).pause()])
    try {
      expect(await timed(() => db.octopus.disconnectAll())).to.be.below(boundMs)
      await db.query('SELECT 1')
    } finally {
      for (const node of nodes()) node.resume()
    }
    await db.usingAll(() => db.query('SELECT 1'))
  })

  it('lets those who wait for a connection go on with a new one', async () => {
    const db = await servers().open({ drainMs }, { poolSize: 1 })
    const runner = db.createQueryRunner()
    await runner.connect()
    const waiting = times(3, () => outcomeOf(db.query('SELECT 1')))
    await until(() => db.octopus.pools()[0]?.waiting === 3, { what: 'the waiters' })
    await db.octopus.disconnectAll()
    for (const { error } of await Promise.all(waiting)) expect(error).to.equal(undefined)
    await servers().connected(1)
  })

  it('waits for running statements as long as it is told to', async () => {
    const db = await servers().open({ drainMs: 60_000 })
    await servers().hold()
    const running = outcomeOf(db.query(servers().waiting))
    await until(() => db.octopus.pools()[0]?.active === 1, { what: 'the statement' })
    expect(await timed(() => db.octopus.disconnectAll({ timeoutMs: 100 }))).to.be.within(
      90,
      100 + goodbyeMs + 4000,
    )
    expect((await running).error).to.be.instanceOf(Error)
  })
})

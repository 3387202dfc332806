import { expect } from 'chai'
import { ConnectError, UnknownShardError } from '../../lib/index.js'
import { TcpProxy } from '../support/faults/tcp-proxy.js'
import { Entry, describeOnServers, errorOf, timed, times } from './own-support.js'

describeOnServers('verifyAllShards()', { shards: 3 }, (servers, engine) => {
  const topology = () => ({ brazil: servers().at(1), canada: servers().at(2) })
  const three = <T>(work: () => Promise<T>) => Promise.all(times(3, work))

  it('opens nothing, and reports each server that had connections', async () => {
    const db = await servers().open({ shards: topology() })
    await db.shard('brazil').query('SELECT 1')
    const found = await db.octopus.verifyAllShards()
    expect(found).to.deep.equal(
      ['master', 'brazil'].map((shard) => ({
        shard,
        node: '127.0.0.1',
        ok: true,
        reconnected: 0,
        error: undefined,
      })),
    )
    await servers().connected(1)
    await servers().connected(1, servers().node(1))
    await servers().connected(0, servers().node(2))
  })

  it('leaves a transaction alone, and verifies what is idle beside it', async () => {
    const db = await servers().open()
    await three(() => db.query('SELECT 1'))
    await db.transaction(async (manager) => {
      await manager.insert(Entry, { id: 1 })
      const [found] = await db.octopus.verifyAllShards()
      expect(found).to.include({ ok: true, reconnected: 0 })
      expect(db.octopus.pools()[0]).to.include({ active: 1 })
      expect(await manager.countBy(Entry, { id: 1 })).to.equal(1)
    })
    await db.getRepository(Entry).clear()
  })

  it('replaces connections that hear nothing any more, and counts them', async () => {
    const proxy = await TcpProxy.start(servers().at(1))
    try {
      const { host, port } = proxy
      const db = await servers().open({ verifyTimeoutMs: 100, shards: { brazil: { host, port } } })
      const brazil = db.shard('brazil')
      await three(() => brazil.query('SELECT 1'))
      const idle = db.octopus.pools()[1]?.idle
      proxy.halfOpen()
      const found = await db.octopus.verifyAllShards()
      expect(found[1]).to.include({ shard: 'brazil', ok: true, reconnected: idle })
      expect(found[0]).to.include({ shard: 'master', ok: true, reconnected: 0 })
      expect(await timed(() => three(() => brazil.query('SELECT 1')))).to.be.below(4000)
    } finally {
      await proxy.stop()
    }
  })

  it('finds the connections gone that the server has closed, and what comes next succeeds', async () => {
    const db = await servers().open()
    await three(() => db.query('SELECT 1'))
    const node = servers().node()
    if (engine === 'mariadb') await node.sql('KILL CONNECTION USER app')
    else
      await node.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
    // Those that the driver has noticed by itself are not there to be verified.
    for (const { ok } of await db.octopus.verifyAllShards()) expect(ok).to.equal(true)
    await three(() => db.query('SELECT 1'))
  })

  it('reports a server that does not answer in time, and the others', async () => {
    const db = await servers().open({ verifyTimeoutMs: 20_000, drainMs: 200, shards: topology() })
    await db.usingAll(() => db.query('SELECT 1'))
    await servers().node(1).pause()
    try {
      let found: Awaited<ReturnType<typeof db.octopus.verifyAllShards>> = []
      const ms = await timed(async () => {
        found = await db.octopus.verifyAllShards({ timeoutMs: 300 })
      })
      expect(ms).to.be.below(5000)
      expect(found.map(({ ok }) => ok)).to.deep.equal([true, false, true])
      expect(found[1]?.error).to.be.instanceOf(Error)
    } finally {
      servers().node(1).resume()
    }
  })

  it('throws all failures together unless it is robust', async () => {
    const db = await servers().open({ verifyTimeoutMs: 200, drainMs: 200, shards: topology() })
    await db.usingAll(() => db.query('SELECT 1'))
    await servers().node(1).pause()
    try {
      const error = await errorOf(db.octopus.verifyAllShards({ timeoutMs: 300, robust: false }))
      expect(error).to.be.instanceOf(AggregateError)
      expect((error as AggregateError).errors).to.have.length(1)
      expect(error.message).to.equal('1 of 3 servers failed')
    } finally {
      servers().node(1).resume()
    }
  })

  it('reports a server that is gone', async () => {
    const db = await servers().open({ verifyTimeoutMs: 200, shards: topology() })
    await db.usingAll(() => db.query('SELECT 1'))
    await servers().node(1).kill9()
    try {
      const strict = await errorOf(db.shard('brazil').query('SELECT 1'))
      expect(strict).to.be.instanceOf(Error)
      const found = await db.octopus.verifyAllShards()
      expect(found.find(({ shard }) => shard === 'master')).to.include({ ok: true })
    } finally {
      await servers().node(1).start()
    }
    await db.shard('brazil').query('SELECT 1')
  })
})

describeOnServers('warm()', { shards: 3, replicas: 1 }, (servers) => {
  const topology = () => ({
    replicas: servers().replicasOf(0),
    shards: {
      brazil: { ...servers().at(1), replicas: servers().replicasOf(1) },
      canada: { ...servers().at(2), replicas: servers().replicasOf(2) },
    },
  })
  const replica = (index: number) => servers().cluster.shard(index).replica()

  it('connects the servers of the shards named, and of no other', async () => {
    const db = await servers().open(topology())
    await db.octopus.warm(['brazil'])
    await servers().connected(1, servers().node(1))
    await servers().connected(1, replica(1))
    for (const node of [replica(0), servers().node(2), replica(2)])
      await servers().connected(0, node)
    await db.octopus.warm(['brazil'], { jitterMs: 10 })
    await servers().connected(1, servers().node(1))
  })

  it('names the shards for a wrong one, and connects none', async () => {
    const db = await servers().open(topology())
    expect(await errorOf(db.octopus.warm(['brazil', 'nowhere']))).to.be.instanceOf(
      UnknownShardError,
    )
    await servers().connected(0, servers().node(1))
  })

  it('throws what keeps a server from being connected', async () => {
    const db = await servers().open(topology())
    await servers().node(1).stop()
    try {
      const error = await errorOf(db.octopus.warm(['brazil']))
      expect(error).to.be.instanceOf(ConnectError)
      expect(error).to.include({ failure: 'host-unreachable' })
    } finally {
      await servers().node(1).start()
    }
  })
})

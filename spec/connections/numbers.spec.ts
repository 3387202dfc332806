import { expect } from 'chai'
import type { PoolEvent } from '../../lib/index.js'
import { until } from '../support/until.js'
import { at, describeOnFrailServers, isBack, isOut, poolOf, read } from './support.js'

describeOnFrailServers('the numbers of pools', { shards: 1, replicas: 1 }, (servers, engine) => {
  it('tell where each server is', async () => {
    const { db } = await servers().openReplicas({}, 1)
    const { host, port } = servers().node()
    expect(db.octopus.pools()[0]).to.include({ engine, host, port, database: 'app' })
    expect(poolOf(db, 'r1')).to.include({ engine, host: '127.0.0.1', database: 'app' })
    expect(poolOf(db, 'r1').port).not.to.equal(port)
  })

  it('count connections that begin and end, over disconnectAll', async () => {
    const db = await servers().open()
    const numbers = () => db.octopus.pools()[0]
    await Promise.all([read(db), read(db)])
    expect(numbers()).to.include({ checkouts: 2, closed: 0, connectFailures: 0 })
    const { opened = 0, connectMs = 0 } = numbers() ?? {}
    expect(opened).to.be.within(1, 2)
    expect(connectMs).to.be.above(0)
    await db.octopus.disconnectAll()
    expect(numbers()).to.include({ opened, closed: opened, idle: 0 })
    await read(db)
    expect(numbers()).to.include({ opened: opened + 1, closed: opened, checkouts: 3 })
  })

  it('go on where a server moves', async () => {
    const db = await servers().open()
    await read(db)
    const proxy = await servers().proxy()
    await db.octopus.updateNode('master', db.octopus.pools()[0]?.node ?? '', at(proxy))
    await read(db)
    expect(db.octopus.pools()[0]).to.include({
      port: proxy.port,
      checkouts: 2,
      opened: 2,
      closed: 1,
    })
  })

  it('count a replica that goes and comes back, and tell of it at once', async () => {
    const events: PoolEvent[] = []
    const { db, proxies } = await servers().openReplicas({}, 1)
    const stop = db.octopus.onPool((event) => events.push(event))
    await proxies[0]?.refuse()
    proxies[0]?.cut()
    await read(db)
    const why = await isOut(db, 'r1')
    expect(poolOf(db, 'r1')).to.include({ ejections: 1, returns: 0 })
    await until(() => poolOf(db, 'r1').connectFailures > 0, { what: 'a try to connect' })
    await proxies[0]?.pass()
    await isBack(db, 'r1')
    expect(poolOf(db, 'r1')).to.include({ ejections: 1, returns: 1 })
    const of = (kind: string): PoolEvent[] => events.filter(({ what }) => what.kind === kind)
    expect(of('out-of-service')).to.have.length(1)
    expect(of('out-of-service')[0]).to.include({ shard: 'master', role: 'replica', node: 'r1' })
    expect(of('in-service')).to.have.length(1)
    expect(of('connect-failed')[0]?.what).to.include({ failure: 'host-unreachable' })
    expect(why).to.be.a('string')
    stop()
    const { length } = events
    await read(db)
    expect(events).to.have.length(length)
  })
})

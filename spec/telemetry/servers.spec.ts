import { expect } from 'chai'
import { Registry } from 'prom-client'
import type { ConnectionProxy } from '../../lib/index.js'
import { instrumentOctopus } from '../../lib/opentelemetry.js'
import { octopusMetrics } from '../../lib/prometheus.js'
import { describeOnFrailServers, isBack, isOut, read } from '../connections/support.js'
import { until } from '../support/until.js'
import { Metering, type Point } from './support.js'

describeOnFrailServers('the metrics of pools', { shards: 1, replicas: 1 }, (servers) => {
  let metering: Metering
  let registry: Registry
  let ends: (() => void)[]

  const watch = (db: ConnectionProxy): void => {
    ends = [
      instrumentOctopus(db, { spans: false, meterProvider: metering.provider }),
      octopusMetrics(db, { registry }),
    ]
  }
  const points = async (name: string, node: string): Promise<readonly Point[]> =>
    ((await metering.read()).get(name) ?? []).filter(
      ({ attributes }) => attributes['octopus.node'] === node,
    )
  const scraped = async (name: string, node: string): Promise<Record<string, number>> => {
    const lines = (await registry.metrics()).split('\n')
    return Object.fromEntries(
      lines
        .filter((line) => line.startsWith(`${name}{`) && line.includes(`node="${node}"`))
        .map((line) => [/state="(\w+)"/.exec(line)?.[1] ?? '', Number(line.split(' ').at(-1))]),
    )
  }

  beforeEach(() => {
    metering = new Metering()
    registry = new Registry()
  })
  afterEach(async () => {
    for (const end of ends) end()
    await metering.stop()
  })

  it('tell used and idle connections, who waits, and who waited in vain', async () => {
    const source = { poolSize: 1, acquireTimeoutMs: 60_000 }
    const db = await servers().open({ acquireTimeoutMs: 300 }, { poolSize: source.poolSize })
    watch(db)
    const node = db.octopus.pools()[0]?.node ?? ''
    const runner = db.createQueryRunner()
    await runner.query('SELECT 1')
    const late = read(db).catch((error: unknown) => error)
    await until(() => db.octopus.pools()[0]?.waiting === 1, { what: 'a waiter' })
    const pool = {
      'octopus.shard': 'master',
      'octopus.role': 'primary',
      'octopus.node': node,
      'db.client.connection.pool.name': `master/primary ${node}`,
    }
    expect(await points('db.client.connection.count', node)).to.deep.equal([
      { attributes: { ...pool, 'db.client.connection.state': 'used' }, value: 1 },
      { attributes: { ...pool, 'db.client.connection.state': 'idle' }, value: 0 },
    ])
    for (const name of ['max', 'pending_requests'])
      expect(await points(`db.client.connection.${name}`, node)).to.deep.equal([
        { attributes: pool, value: 1 },
      ])
    expect(await scraped('octopus_pool_connections', node)).to.deep.equal({ used: 1, idle: 0 })
    expect(await scraped('octopus_pool_waiting', node)).to.deep.equal({ '': 1 })
    expect(await late).to.include({ code: 'acquire-timeout' })
    await runner.release()
    expect(await points('db.client.connection.timeouts', node)).to.deep.equal([
      { attributes: pool, value: 1 },
    ])
    expect(await scraped('octopus_pool_timeouts_total', node)).to.deep.equal({ '': 1 })
    expect((await scraped('octopus_pool_wait_seconds_total', node))['']).to.be.above(0.25)
  })

  it('measure how long connections took to be made and to be had', async () => {
    const db = await servers().open({}, { poolSize: 1 })
    await db.octopus.disconnectAll()
    watch(db)
    const node = db.octopus.pools()[0]?.node ?? ''
    await Promise.all([read(db), read(db), read(db)])
    const count = async (name: string): Promise<unknown> =>
      ((await points(name, node))[0]?.value as { count: number } | undefined)?.count
    expect(await count('db.client.connection.create_time')).to.equal(1)
    expect(await count('db.client.connection.wait_time')).to.equal(3)
    expect((await scraped('octopus_pool_checkouts_total', node))['']).to.equal(3)
    expect((await scraped('octopus_pool_connect_seconds_total', node))['']).to.be.above(0)
  })

  it('count a replica that goes and comes back', async () => {
    const { db, proxies } = await servers().openReplicas({}, 1)
    watch(db)
    const online = async () =>
      (await metering.read()).get('octopus.replicas.online')?.map(({ value }) => value)
    expect(await online()).to.deep.equal([1])
    await proxies[0]?.refuse()
    proxies[0]?.cut()
    await read(db)
    await isOut(db, 'r1')
    expect(await online()).to.deep.equal([0])
    expect(await scraped('octopus_replica_out_of_service', 'r1')).to.deep.equal({ '': 1 })
    await proxies[0]?.pass()
    await isBack(db, 'r1')
    expect(await online()).to.deep.equal([1])
    expect((await points('octopus.ejections', 'r1'))[0]?.value).to.equal(1)
    expect((await points('octopus.returns', 'r1'))[0]?.value).to.equal(1)
    expect(await scraped('octopus_replica_ejections_total', 'r1')).to.deep.equal({ '': 1 })
    expect(await scraped('octopus_replica_out_of_service', 'r1')).to.deep.equal({ '': 0 })
  })
})

import { expect } from 'chai'
import { Registry, register } from 'prom-client'
import { ConfigError, type ConnectionProxy } from '../../lib/index.js'
import { octopusMetrics } from '../../lib/prometheus.js'
import { Note, openShards } from './support.js'

describe('Prometheus metrics', () => {
  let db: ConnectionProxy
  let registry: Registry

  /** The lines of one metric, without its help. */
  const scrape = async (name: string): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`))

  beforeEach(async () => {
    db = await openShards()
    registry = new Registry()
  })
  afterEach(() => db.destroy())

  it('count statements by shard, role, node, reason, kind and result', async () => {
    const stop = octopusMetrics(db, { registry })
    const notes = db.getRepository(Note)
    await db.using('brazil', () => notes.insert({ id: 1, text: '' }))
    await db.using('canada', () => notes.find())
    await db.using('canada', () => notes.find())
    await db.using('brazil', () => notes.insert({ id: 1, text: '' })).catch(() => undefined)
    const of = (shard: string) => `db="default",shard="${shard}",role="primary",node="primary"`
    expect(await scrape('octopus_statements_total')).to.have.members([
      `octopus_statements_total{${of('brazil')},reason="write",kind="statement",result="ok"} 1`,
      `octopus_statements_total{${of('brazil')},reason="write",kind="statement",result="error"} 1`,
      `octopus_statements_total{${of('canada')},reason="no replicas",kind="statement",result="ok"} 2`,
    ])
    expect(await scrape('octopus_statement_errors_total')).to.deep.equal([
      `octopus_statement_errors_total{${of('brazil')},stage="query",error="QueryFailedError"} 1`,
    ])
    expect(await scrape('octopus_statement_duration_seconds_count')).to.deep.equal([
      `octopus_statement_duration_seconds_count{${of('brazil')}} 2`,
      `octopus_statement_duration_seconds_count{${of('canada')}} 2`,
    ])
    stop()
  })

  it('tell of replicas, and of no connections of SQLite, which lends none', async () => {
    const stop = octopusMetrics(db, { registry })
    const lines = await scrape('octopus_replica_out_of_service')
    expect(lines).to.deep.equal(
      ['br-2', 'br-3'].map(
        (node) =>
          `octopus_replica_out_of_service{db="default",shard="brazil",role="replica",node="${node}"} 0`,
      ),
    )
    expect(await scrape('octopus_pool_connections')).to.deep.equal([])
    stop()
  })

  it('read the pools once for each scrape', async () => {
    const stop = octopusMetrics(db, { registry })
    const { octopus } = db
    let looks = 0
    const pools = octopus.pools.bind(octopus)
    octopus.pools = () => {
      looks += 1
      return pools()
    }
    await registry.metrics()
    expect(looks).to.equal(1)
    await registry.metrics()
    expect(looks).to.equal(2)
    stop()
  })

  it('take a prefix and buckets', async () => {
    const stop = octopusMetrics(db, { registry, prefix: 'shop_', buckets: [0.1, 1] })
    await db.getRepository(Note).find()
    const bounds = (await scrape('shop_statement_duration_seconds_bucket')).map(
      (line) => /le="([^"]+)"/.exec(line)?.[1],
    )
    expect(bounds).to.deep.equal(['0.1', '1', '+Inf'])
    stop()
  })

  it('are in prom-client’s own registry by default', async () => {
    const stop = octopusMetrics(db)
    expect(register.getSingleMetric('octopus_statements_total')).not.to.equal(undefined)
    stop()
    expect(register.getSingleMetric('octopus_statements_total')).to.equal(undefined)
  })

  it('tell several data sources apart, and forget each by itself', async () => {
    const orders = await openShards()
    const stops = [
      octopusMetrics(db, { registry, name: 'notes' }),
      octopusMetrics(orders, { registry, name: 'orders' }),
    ]
    for (const source of [db, orders, orders]) await source.getRepository(Note).find()
    const counts = async () =>
      (await scrape('octopus_statements_total')).map(
        (line) => /db="(\w+)".* (\d+)$/.exec(line)?.slice(1) ?? [],
      )
    expect(await counts()).to.have.deep.members([
      ['notes', '1'],
      ['orders', '2'],
    ])
    stops[0]?.()
    stops[0]?.()
    await db.getRepository(Note).find()
    expect(await counts()).to.deep.equal([['orders', '2']])
    for (const line of (await registry.metrics()).split('\n'))
      expect(line).not.to.include('db="notes"')
    stops[1]?.()
    expect(await registry.getMetricsAsJSON()).to.deep.equal([])
    await orders.destroy()
  })

  it('refuse a second data source of the same name, or with other buckets', async () => {
    const stop = octopusMetrics(db, { registry })
    expect(() => octopusMetrics(db, { registry })).to.throw(ConfigError, '"default" is in this')
    expect(() => octopusMetrics(db, { registry, name: 'b', buckets: [1] })).to.throw(
      ConfigError,
      'buckets: are others',
    )
    stop()
    octopusMetrics(db, { registry, buckets: [1] })()
  })
})

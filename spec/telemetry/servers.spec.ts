import { expect } from 'chai'
import { Registry } from 'prom-client'
import type { ConnectionProxy } from '../../lib/index.js'
import { instrumentOctopus } from '../../lib/opentelemetry.js'
import { octopusMetrics } from '../../lib/prometheus.js'
import { describeOnFrailServers, isBack, isOut, read } from '../connections/support.js'
import { until } from '../support/until.js'
import { Metering, type Point, Tracing } from './support.js'

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

/** Texts that must not be seen, by where they were planted. */
const secrets = (count: number, where: string): string[] =>
  Array.from({ length: count }, (_, number) => `s3cret-${where}-${number}-${'x'.repeat(8)}`)

describeOnFrailServers('secrets', { shards: 1, replicas: 0 }, (servers, engine) => {
  it('are in no span, no metric and no scrape', async () => {
    const [passwords, values, literals, words] = [
      secrets(20, 'password'),
      secrets(60, 'value'),
      secrets(60, 'literal'),
      secrets(60, 'word'),
    ]
    const { host, port } = servers().node()
    const scheme = engine === 'mariadb' ? 'mysql' : 'postgres'
    const shards = Object.fromEntries(
      passwords.map((password, number) => [
        `ghost${number}`,
        number % 2 === 0
          ? { host, port: number % 4 === 0 ? port : 1, password, database: `d${number}` }
          : { url: `${scheme}://app:${password}@${host}:${port}/d${number}` },
      ]),
    )
    const db = await servers().open({ shards, acquireTimeoutMs: 1000 })
    const tracing = new Tracing()
    const metering = new Metering()
    const registry = new Registry()
    const ends = [
      instrumentOctopus(db, { meterProvider: metering.provider, internal: true }),
      octopusMetrics(db, { registry }),
    ]
    const tried = (work: Promise<unknown>): Promise<unknown> =>
      work.catch((error: unknown) => error)
    const failures: unknown[] = []
    for (const shard of Object.keys(shards))
      failures.push(await tried(db.using(shard, () => read(db))))
    await db.query('CREATE TABLE vault (text VARCHAR(200) PRIMARY KEY)')
    const mark = engine === 'mariadb' ? '?' : '$1'
    for (const value of values)
      for (let time = 0; time < 2; time += 1)
        failures.push(await tried(db.query(`INSERT INTO vault VALUES (${mark})`, [value])))
    for (const literal of literals)
      failures.push(await tried(db.query(`SELECT * FROM nowhere WHERE text = '${literal}'`)))
    // Raw SQL can begin with anything.
    for (const word of words) failures.push(await tried(db.query(`secretly ${word}`)))
    await db.query('DROP TABLE vault')

    // The errors, which all of it was told of, have them.
    const known = JSON.stringify(failures)
    for (const secret of [...values, ...literals, ...words]) expect(known).to.include(secret)

    const told = [
      JSON.stringify(
        tracing.spans.map(({ name, attributes, events, status, links, resource }) => [
          name,
          attributes,
          events,
          status,
          links,
          resource.attributes,
        ]),
      ),
      JSON.stringify([...(await metering.read())]),
      await registry.metrics(),
      JSON.stringify(await registry.getMetricsAsJSON()),
    ]
    expect(tracing.spans.length).to.be.above(240)
    for (const text of told) {
      expect(text.length).to.be.above(1000)
      expect(/s.?cret/i.exec(text)?.[0]).to.equal(undefined)
    }
    for (const end of ends) end()
    await tracing.stop()
    await metering.stop()
  })
})

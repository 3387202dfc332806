import { expect } from 'chai'
import type { ConnectionProxy } from '../../lib/index.js'
import { instrumentOctopus } from '../../lib/opentelemetry.js'
import { Metering, Note, type Point, openShards } from './support.js'

interface Distribution {
  readonly count: number
  readonly sum: number
  readonly buckets: { readonly boundaries: readonly number[] }
}

describe('OpenTelemetry metrics', () => {
  let db: ConnectionProxy
  let metering: Metering
  let stop: () => void

  const points = async (name: string): Promise<readonly Point[]> =>
    (await metering.read()).get(name) ?? []

  beforeEach(async () => {
    db = await openShards()
    metering = new Metering()
    stop = instrumentOctopus(db, { spans: false, meterProvider: metering.provider })
  })
  afterEach(async () => {
    stop()
    await metering.stop()
    await db.destroy()
  })

  it('count statements by shard, role, reason and kind', async () => {
    const notes = db.getRepository(Note)
    await db.using('brazil', () => notes.insert({ id: 1, text: '' }))
    for (const id of [1, 2]) await db.using('canada', () => notes.findOneBy({ id }))
    const runner = db.createQueryRunner()
    await runner.query('SELECT 1')
    await runner.release()
    const of = { 'octopus.kind': 'statement', 'octopus.cached': false }
    expect(await points('octopus.statements')).to.have.deep.members([
      {
        attributes: {
          ...of,
          'octopus.shard': 'brazil',
          'octopus.role': 'primary',
          'octopus.reason': 'write',
        },
        value: 1,
      },
      {
        attributes: {
          ...of,
          'octopus.shard': 'canada',
          'octopus.role': 'primary',
          'octopus.reason': 'no replicas',
        },
        value: 2,
      },
      {
        attributes: {
          ...of,
          'octopus.kind': 'bypass',
          'octopus.shard': 'master',
          'octopus.role': 'primary',
          'octopus.reason': 'query runner',
        },
        value: 1,
      },
    ])
  })

  it('measure how long statements took, by the buckets of the conventions', async () => {
    await db.getRepository(Note).find()
    await db.query('SELECT nothing').catch(() => undefined)
    const [found, failed] = await points('db.client.operation.duration')
    expect(found?.attributes).to.deep.equal({
      'db.system.name': 'sqlite',
      'db.operation.name': 'SELECT',
      'octopus.shard': 'master',
      'octopus.role': 'primary',
      'octopus.node': 'primary',
    })
    const { count, sum, buckets } = found!.value as Distribution
    expect(count).to.equal(1)
    expect(sum).to.be.within(0, 5)
    expect(buckets.boundaries).to.deep.equal([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10])
    expect(failed?.attributes).to.include({ 'error.type': 'QueryFailedError' })
  })

  it('tell how many replicas are in service', async () => {
    expect(await points('octopus.replicas.online')).to.deep.equal([
      { attributes: { 'octopus.shard': 'brazil' }, value: 2 },
    ])
  })

  it('tell the pools of servers only: SQLite lends no connection', async () => {
    const names = [...(await metering.read()).keys()]
    expect(names).to.include('octopus.connections.opened')
    expect(names).not.to.include('db.client.connection.count')
  })

  it('are of the data source that is named', async () => {
    stop()
    stop = instrumentOctopus(db, { spans: false, meterProvider: metering.provider, name: 'orders' })
    await db.getRepository(Note).find()
    for (const [name, values] of await metering.read())
      for (const { attributes } of values)
        expect(attributes, name).to.include({ 'octopus.source': 'orders' })
  })

  it('tell several data sources apart, and end each by itself', async () => {
    stop()
    const orders = await openShards()
    const start = (source: ConnectionProxy, name: string) =>
      instrumentOctopus(source, { spans: false, meterProvider: metering.provider, name })
    const stops = [start(db, 'notes'), start(orders, 'orders')]
    for (const source of [db, orders, orders]) await source.getRepository(Note).find()
    const of = async (name: string) =>
      (await points(name)).map(({ attributes, value }) => [attributes['octopus.source'], value])
    expect(await of('octopus.statements')).to.deep.equal([
      ['notes', 1],
      ['orders', 2],
    ])
    expect(await of('octopus.replicas.online')).to.deep.equal([
      ['notes', 2],
      ['orders', 2],
    ])
    stops[0]?.()
    await db.getRepository(Note).find()
    await orders.getRepository(Note).find()
    expect(await of('octopus.statements')).to.deep.equal([
      ['notes', 1],
      ['orders', 3],
    ])
    stops[1]?.()
    await orders.destroy()
  })

  it('follow the topology', async () => {
    await db.getRepository(Note).find()
    await db.octopus.addShard('peru', { type: 'sqljs' })
    await db.using('peru', () => db.query('SELECT 1'))
    const [, peru] = await points('db.client.operation.duration')
    expect(peru?.attributes).to.include({ 'octopus.shard': 'peru', 'db.system.name': 'sqlite' })
  })

  it('are no more once it was ended', async () => {
    stop()
    await db.getRepository(Note).find()
    expect([...(await metering.read()).values()].flat()).to.deep.equal([])
  })
})

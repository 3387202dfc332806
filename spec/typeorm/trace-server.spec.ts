import { AsyncLocalStorage } from 'node:async_hooks'
import { expect } from 'chai'
import { DataSource, type QueryRunner } from 'typeorm'
import {
  AcquireTimeoutError,
  type ConnectionProxy,
  type OctopusOptions,
  type RouteEvent,
  type StatementStart,
  octopus,
} from '../../lib/index.js'
import { type Cluster, MariadbCluster } from '../support/cluster/index.js'
import { until } from '../support/until.js'

describe('the trace of statements that wait, fail or set a connection up', function () {
  this.timeout(30_000)
  let cluster: Cluster
  const opened: ConnectionProxy[] = []

  /** A data source with one connection, and a shard `gone` whose server is not there. */
  const wrap = (options: OctopusOptions = {}): { db: ConnectionProxy; events: RouteEvent[] } => {
    const events: RouteEvent[] = []
    const source = new DataSource({
      type: 'mariadb',
      ...cluster.shard(0).primary.connectionOptions(),
      poolSize: 1,
    })
    const gone = { host: '127.0.0.1', port: 1 }
    const db = octopus(source, { shards: { gone }, ...options })
    opened.push(db)
    db.octopus.onRoute((event) => events.push(event))
    return { db, events }
  }
  const failure = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(() => undefined).catch((error: unknown) => error)

  const holding = async (db: ConnectionProxy, work: (runner: QueryRunner) => Promise<unknown>) => {
    const runner = db.createQueryRunner()
    try {
      await runner.connect()
      await work(runner)
    } finally {
      await runner.release()
    }
  }

  before(async () => {
    cluster = await MariadbCluster.start({ shards: 1, replicas: 0 })
  })
  after(async () => {
    for (const db of opened) {
      expect(db.octopus.pools().filter(({ active }) => active > 0)).to.deep.equal([])
      if (db.isInitialized) await db.destroy()
    }
    await cluster?.stop()
  })

  it('names no server for what is asked of a query runner after its end', async () => {
    const { db, events } = wrap()
    await db.initialize()
    const runner = db.createQueryRunner()
    await runner.query('SELECT 1')
    await runner.release()
    expect(await failure(runner.query('SELECT 2'))).to.be.instanceOf(Error)
    expect(events.map(({ node, error }) => [node, error?.name])).to.deep.equal([
      ['127.0.0.1', undefined],
      [undefined, 'QueryRunnerAlreadyReleasedError'],
    ])
  })

  it('tells the library’s own set-up to those who asked for it only', async () => {
    const { db, events } = wrap()
    const all: RouteEvent[] = []
    db.octopus.onRoute((event) => all.push(event), { internal: true })
    const starts: string[] = []
    const started = ({ kind, operation }: StatementStart) => {
      starts.push(`${kind} ${operation}`)
      return undefined
    }
    db.octopus.onStatement(started, { internal: true })
    await db.initialize()
    await db.query('SELECT 1')
    expect(starts).to.include.members(['internal connect', 'statement query'])
    expect(events.map(({ kind }) => kind)).to.deep.equal(['statement'])
    expect(all.map(({ kind, operation }) => `${kind} ${operation}`)).to.include.members([
      'internal connect',
      'statement query',
    ])
  })

  it('has what an observer’s context holds while the driver sends', async () => {
    const { db } = wrap()
    const storage = new AsyncLocalStorage<string>()
    db.octopus.onStatement(({ operation }) => ({
      run: (send) => storage.run(operation, send),
      settled: () => undefined,
    }))
    await db.initialize()
    const seen: unknown[] = []
    await holding(db, async (runner) => {
      const connection = (await runner.connect()) as { query: (...args: unknown[]) => unknown }
      const { query } = connection
      connection.query = (...args) => {
        seen.push(storage.getStore())
        return query.apply(connection, args)
      }
    })
    await Promise.all([db.query('SELECT 1'), db.query('SELECT 2')])
    const stream = await db
      .createQueryBuilder()
      .select('1')
      .from('information_schema.schemata', 's')
      .stream()
    await stream.toArray()
    expect(seen).to.deep.equal(['query', 'query', 'select'])
    expect(storage.getStore()).to.equal(undefined)
  })

  it('tells how long a statement waited for a free connection', async () => {
    const { db, events } = wrap()
    await db.initialize()
    let waiting: Promise<unknown> | undefined
    await holding(db, async () => {
      waiting = db.query('SELECT 1')
      await until(() => db.octopus.pools()[0]?.waiting === 1, { what: 'a waiter' })
    })
    await waiting
    expect(events[0]!.waitedMs).to.be.above(0)
  })

  it('tells of a wait once, with the statement that waited', async () => {
    const { db, events } = wrap()
    await db.initialize()
    let waiting: Promise<unknown> | undefined
    await holding(db, async () => {
      waiting = db.transaction((manager) => manager.query('SELECT 1'))
      await until(() => db.octopus.pools()[0]?.waiting === 1, { what: 'a waiter' })
    })
    await waiting
    const [first, ...others] = events.map(({ waitedMs }) => waitedMs)
    expect(first).to.be.above(0)
    expect(others).to.deep.equal([0, 0])
  })

  it('tells of a stream when it has ended, and how', async () => {
    const { db, events } = wrap()
    await db.initialize()
    await holding(db, async (runner) => {
      const stream = await runner.stream('SELECT 1 AS one UNION ALL SELECT 2')
      expect(events).to.deep.equal([])
      expect(await stream.toArray()).to.have.length(2)
      await until(() => events.length === 1, { what: 'the event of the stream' })
      const broken = await runner.stream('SELECT * FROM nowhere')
      expect(await failure(broken.toArray())).to.be.instanceOf(Error)
      await until(() => events.length === 2, { what: 'the event of the broken stream' })
    })
    expect(events.map(({ error }) => error?.code)).to.deep.equal([undefined, 'ER_NO_SUCH_TABLE'])
  })

  it('tells that no connection became free', async () => {
    const { db, events } = wrap({ acquireTimeoutMs: 1 })
    await db.initialize()
    await holding(db, async () => {
      const error = await failure(db.query('SELECT 1'))
      expect(error).to.be.instanceOf(AcquireTimeoutError)
      expect(error).to.have.deep.property('pool', { max: 1, active: 1, idle: 0, waiting: 1 })
    })
    expect(events[0]).to.deep.include({
      node: undefined,
      error: { stage: 'acquire', name: 'AcquireTimeoutError', code: 'acquire-timeout' },
    })
  })

  it('tells that no connection could be made', async () => {
    const { db, events } = wrap()
    await db.initialize()
    expect(await failure(db.shard('gone').query('SELECT 1'))).to.be.instanceOf(Error)
    expect(events[0]).to.deep.include({ shard: 'gone', node: undefined })
    expect(events[0]!.error).to.include({ stage: 'connect' })
  })

  it('leaves the error of a server that refuses as the driver made it', async () => {
    const { db } = wrap()
    await db.initialize()
    const error = await failure(db.shard('gone').query('SELECT 1'))
    expect(error).to.include({ code: 'ECONNREFUSED', syscall: 'connect' })
  })

  it('tells the code of a statement that failed', async () => {
    const { db, events } = wrap()
    await db.initialize()
    await failure(db.query('SELECT * FROM nowhere'))
    expect(events[0]!.error).to.deep.equal({
      stage: 'query',
      name: 'QueryFailedError',
      code: 'ER_NO_SUCH_TABLE',
      errno: 1146,
    })
  })

  it('never holds a password, nor does an error', async () => {
    const password = 'hunter2'
    const { host, port } = cluster.shard(0).primary
    const brazil = { host, port, username: 'nobody', password, database: 'other' }
    const { db, events } = wrap({ shards: { brazil } })
    await db.initialize()
    const error = await failure(db.shard('brazil').query('SELECT 1'))
    expect(error).to.be.instanceOf(Error)
    expect(events).to.have.length.above(0)
    const { message, stack } = error as Error
    for (const text of [message, stack, JSON.stringify(error), JSON.stringify(events)])
      expect(text).to.not.contain(password)
  })
})

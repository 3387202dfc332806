import { once } from 'node:events'
import { expect } from 'chai'
import pg from 'pg'
import QueryStream from 'pg-query-stream'
import { DataSource, type QueryRunner } from 'typeorm'
import { type ConnectionProxy, type RouteEvent, octopus } from '../../lib/index.js'
import { type Cluster, MariadbCluster, PostgresCluster } from '../support/cluster/index.js'
import { until } from '../support/until.js'

type Call = (sql: string, done?: (error: unknown) => void) => unknown

/** A connection of either package. */
interface Raw {
  readonly query: Call
  readonly execute?: Call
}

for (const [type, Servers] of [
  ['mariadb', MariadbCluster],
  ['postgres', PostgresCluster],
] as const)
  describe(`statements past the library on ${type}`, function () {
    this.timeout(60_000)
    let cluster: Cluster
    let db: ConnectionProxy
    let events: RouteEvent[]

    const open = async (listen = true): Promise<ConnectionProxy> => {
      const source = new DataSource({ type, ...cluster.shard(0).primary.connectionOptions() })
      const made = octopus(source)
      if (listen) made.octopus.onRoute((event) => events.push(event), { internal: true })
      await made.initialize()
      return made
    }
    const told = () =>
      events.map(({ kind, operation, statement, node }) => {
        expect(node).to.be.a('string')
        return `${kind} ${operation} ${statement}`
      })
    const sent = (call: Call, on: unknown, sql: string): Promise<unknown> =>
      new Promise((resolve) => {
        call.call(on, sql, resolve)
      })

    before(async () => {
      cluster = await Servers.start({ shards: 1, replicas: 0 })
      events = []
      db = await open()
    })
    beforeEach(() => {
      events = []
    })
    after(async () => {
      await db?.destroy()
      await cluster?.stop()
    })

    const withRunner = async (work: (raw: Raw, runner: QueryRunner) => Promise<unknown>) => {
      const runner = db.createQueryRunner()
      try {
        await work((await runner.connect()) as Raw, runner)
      } finally {
        await runner.release()
      }
    }

    it('are bypasses on a connection taken from a query runner', async () => {
      await db.using('master', () =>
        withRunner(async (raw, runner) => {
          await sent(raw.query, raw, 'SELECT 1')
          await runner.startTransaction()
          await sent(raw.query, raw, 'SELECT 2')
          await runner.commitTransaction()
        }),
      )
      expect(told()).to.deep.equal([
        'bypass connection.query SELECT',
        'bypass createQueryRunner START',
        'bypass connection.query SELECT',
        'bypass createQueryRunner COMMIT',
      ])
      expect(events.map(({ inTransaction }) => inTransaction)).to.deep.equal([
        false,
        true,
        true,
        true,
      ])
      expect(events[0]!.scopes).to.deep.equal(['using master'])
    })

    it('tell how they failed, and reach their caller all the same', async () => {
      await withRunner(async (raw) => {
        expect(await sent(raw.query, raw, 'SELECT * FROM nowhere')).to.be.instanceOf(Error)
      })
      expect(events[0]!.error).to.include({ stage: 'query' })
    })

    it('are bypasses on the pool of the driver', async () => {
      const { pool, master } = db.driver as unknown as { pool?: Raw; master?: Raw }
      const driverPool = pool ?? master!
      await sent(driverPool.query, driverPool, 'SELECT 3')
      expect(told()).to.deep.equal(['bypass connection.query SELECT'])
    })

    it('are bypasses on a connection that the driver hands out', async () => {
      const driver = db.driver as unknown as { obtainMasterConnection(): Promise<unknown> }
      const taken = await driver.obtainMasterConnection()
      const [raw, release] = (
        Array.isArray(taken) ? taken : [taken, () => (taken as { release(): void }).release()]
      ) as [Raw, () => void]
      await sent(raw.query, raw, 'SELECT 4')
      release()
      expect(told()).to.deep.equal(['bypass connection.query SELECT'])
    })

    if (type === 'mariadb')
      it('are bypasses as prepared statements', async () => {
        await withRunner((raw) => sent(raw.execute!, raw, 'SELECT 5'))
        expect(told()).to.deep.equal(['bypass connection.execute SELECT'])
      })
    else
      it('are bypasses as promises', async () => {
        await withRunner(async (raw) => raw.query('SELECT 5'))
        expect(told()).to.deep.equal(['bypass connection.query SELECT'])
      })

    it('are told of without a callback too', async () => {
      await withRunner(async (raw) => {
        const query = raw.query('SELECT 6')
        if (query instanceof Promise) await query
        await until(() => events.length > 0, { what: 'the event' })
      })
      expect(told()).to.deep.equal(['bypass connection.query SELECT'])
    })

    if (type === 'mariadb')
      it('are told of when the package refuses them', async () => {
        const ends: unknown[] = []
        const leave = db.octopus.onStatement(() => ({ settled: ({ error }) => ends.push(error) }))
        await withRunner(async (raw) => {
          const execute = raw.execute as unknown as (sql: string, values: unknown[]) => unknown
          expect(() => execute.call(raw, 'SELECT ?', [undefined])).to.throw(TypeError)
        })
        leave()
        expect(ends).to.have.length(1)
        expect(events.map(({ error }) => error?.name)).to.deep.equal(['TypeError'])
      })
    else {
      const submitted = (raw: Raw, what: unknown) =>
        (raw.query as unknown as (what: unknown) => unknown).call(raw, what)
      const oneEvent = () => until(() => events.length > 0, { what: 'the event' })
      const wrong = 'SELECT 1 / (g - 2) FROM generate_series(1, 3) AS g'

      it('are told of once as a stream, whether it ends, fails or is left', async () => {
        await withRunner(async (raw) => {
          const whole = new QueryStream('SELECT 1')
          submitted(raw, whole)
          whole.resume()
          await oneEvent()
          const failing = new QueryStream(wrong)
          submitted(raw, failing)
          await once(
            failing.on('data', () => undefined),
            'error',
          ).catch(() => undefined)
          await until(() => events.length > 1, { what: 'the event of the error' })
          const left = new QueryStream('SELECT * FROM generate_series(1, 1000)')
          submitted(raw, left)
          for await (const _row of left) break
          await sent(raw.query, raw, 'SELECT 8')
        })
        expect(events.map(({ error }) => error?.code)).to.deep.equal([
          undefined,
          '22012',
          undefined,
          undefined,
        ])
      })

      it('are told of once as a query of the package', async () => {
        await withRunner(async (raw) => {
          const good = new pg.Query('SELECT 1')
          submitted(raw, good)
          await once(good, 'end')
          const bad = new pg.Query(wrong)
          submitted(raw, bad)
          await new Promise((resolve) => bad.once('error', resolve))
          await sent(raw.query, raw, 'SELECT 9')
        })
        expect(events.map(({ error }) => error?.code)).to.deep.equal([
          undefined,
          '22012',
          undefined,
        ])
      })

      it('are told of once as a cursor that has no listener', async () => {
        await withRunner(async (raw) => {
          const { cursor } = new QueryStream(wrong)
          cursor.removeAllListeners()
          submitted(raw, cursor)
          expect(await cursor.read(10).catch((error: unknown) => error)).to.be.instanceOf(Error)
          await sent(raw.query, raw, 'SELECT 10')
        })
        expect(events.map(({ error }) => error?.code)).to.deep.equal(['22012', undefined])
      })
    }

    it('are collected by withTrace of a query runner’s scope alone', async () => {
      const quiet = await open(false)
      const traced = await quiet.octopus.withTrace(async () => {
        const runner = quiet.createQueryRunner()
        const raw = (await runner.connect()) as Raw
        await sent(raw.query, raw, 'SELECT 7')
        await runner.release()
      })
      expect(traced.events.map(({ operation }) => operation)).to.deep.equal(['connection.query'])
      await quiet.destroy()
    })

    it('of the library itself are internal: set-up, greeting, verification', async () => {
      const other = await open()
      await other.octopus.verifyAllShards()
      await other.destroy()
      const operations = new Set(events.map(({ operation }) => operation))
      expect([...operations]).to.include.members(['connect', 'greet', 'verify'])
      expect(new Set(events.map(({ kind }) => kind))).to.deep.equal(new Set(['internal']))
    })

    it('leave a connection alone that nobody watched', async () => {
      const quiet = await open(false)
      const runner = quiet.createQueryRunner()
      const raw = (await runner.connect()) as object
      expect(Object.keys(raw)).to.not.include('query')
      await runner.release()
      await quiet.destroy()
    })
  })

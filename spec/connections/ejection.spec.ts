import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { ConnectError, type ConnectionProxy, QueryTimeoutError } from '../../lib/index.js'
import type { TcpProxy } from '../support/faults/tcp-proxy.js'
import { until } from '../support/until.js'
import { runChild } from './children.js'
import { errorOf, outcomeOf, timed, times } from './own-support.js'
import {
  at,
  describeOnFrailServers,
  eventsOf,
  fillReplica,
  isBack,
  isOut,
  read,
  replicaAt,
} from './support.js'

/** Readers that go on whatever happens, and what came of it. */
class Readers {
  readonly errors: unknown[] = []
  reads = 0
  readonly #running: Promise<void>[]
  #isOver = false

  constructor(db: ConnectionProxy, count = 6) {
    const readOn = async (): Promise<void> => {
      while (!this.#isOver) {
        await setImmediate() // a read that is refused at once must not keep the others waiting
        const { error } = await outcomeOf(read(db))
        this.reads += 1
        if (error !== undefined) this.errors.push(error)
      }
    }
    this.#running = times(count, () => readOn())
  }

  async more(count: number): Promise<void> {
    const wanted = this.reads + count
    await until(() => this.reads >= wanted, { what: `${count} more reads`, timeoutMs: 15_000 })
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#running)
  }
}

describeOnFrailServers(
  'a replica that is out of service',
  { shards: 2, replicas: 2 },
  (servers, engine) => {
    /** How long a server has to take a connection. */
    const connectsIn = (ms: number): Readonly<Record<string, unknown>> =>
      engine === 'mariadb' ? { connectTimeout: ms } : { connectTimeoutMS: ms }
    const readersOf = (db: ConnectionProxy): Readers => {
      const readers = new Readers(db)
      servers().afterwards(() => readers.stop())
      return readers
    }
    const refuse = async (proxies: readonly TcpProxy[]): Promise<void> => {
      for (const proxy of proxies) {
        await proxy.refuse()
        proxy.reset()
      }
    }

    it('was killed: readers see no error, and it comes back without a restart', async function () {
      this.timeout(40_000)
      const db = await servers().open({ replicas: servers().replicasOf(0) })
      await db.octopus.warm(['master'])
      const readers = readersOf(db)
      await readers.more(100)
      await servers().kill(servers().replica(1))
      await readers.more(100)
      expect(await isOut(db, 's0r1')).to.match(/ECONNREFUSED/)
      await readers.more(100)
      await servers().replica(1).start()
      await isBack(db, 's0r1')
      const events = eventsOf(db)
      await readers.more(100)
      await readers.stop()
      expect(readers.errors).to.deep.equal([])
      expect(events.some(({ node }) => node === 's0r1')).to.equal(true)
      expect(new Set(events.map(({ role }) => role))).to.deep.equal(new Set(['replica']))
    })

    it('refuses connections: readers see no error, and the trace says who was skipped', async () => {
      const { db, proxies } = await servers().openReplicas()
      const readers = readersOf(db)
      await readers.more(50)
      await refuse(proxies.slice(0, 1))
      await readers.more(50)
      expect(await isOut(db, 'r1')).to.match(/ECONNREFUSED/)
      const events = eventsOf(db)
      await readers.more(50)
      await readers.stop()
      expect(readers.errors).to.deep.equal([])
      expect(events.at(-1)?.skipped).to.have.length(1)
      expect(events.at(-1)?.skipped[0]).to.include({ node: 'r1' })
      await proxies[0]?.pass()
      await isBack(db, 'r1')
      expect(servers().warnings.texts.join('\n')).to.match(
        /r1 is out of service: .*\n(?:.*\n)*.*r1 is back in service/,
      )
    })

    it('is stalled: only the reads under way fail, by their time', async function () {
      this.timeout(30_000)
      const db = await servers().open(
        { replicas: servers().replicasOf(0), queryTimeoutMs: 300, verifyTimeoutMs: 200 },
        connectsIn(400),
      )
      await fillReplica(db, 4)
      const readers = readersOf(db)
      await readers.more(50)
      await servers().pause(servers().replica(1))
      await isOut(db, 's0r1')
      const { length } = readers.errors
      await readers.more(100)
      await readers.stop()
      expect(length).to.be.within(1, 6)
      expect(readers.errors).to.have.length(length)
      for (const error of readers.errors)
        expect((error as { driverError?: unknown }).driverError).to.be.instanceOf(QueryTimeoutError)
      servers().replica(1).resume()
      await isBack(db, 's0r1')
    })

    it('is stalled: who comes after goes to a sibling, and does not wait for it to connect', async function () {
      this.timeout(30_000)
      const db = await servers().open(
        { replicas: servers().replicasOf(0), verifyIdleMs: 0, verifyTimeoutMs: 200 },
        connectsIn(6000),
      )
      await fillReplica(db, 12)
      await servers().pause(servers().replica(1))
      const started = performance.now()
      await Promise.all(times(6, () => read(db)))
      expect(performance.now() - started).to.be.below(5500)
      expect(await isOut(db, 's0r1')).to.match(/no answer in 200 ms/)
      servers().replica(1).resume()
      await isBack(db, 's0r1')
    })

    it('is stalled: with always nobody fails who comes after', async function () {
      this.timeout(30_000)
      const db = await servers().open(
        {
          replicas: servers().replicasOf(0),
          verify: 'always',
          verifyTimeoutMs: 200,
          queryTimeoutMs: 2000,
        },
        connectsIn(9000),
      )
      await fillReplica(db, 12)
      await servers().pause(servers().replica(1))
      const events = eventsOf(db)
      const ms = await timed(() => Promise.all(times(6, () => read(db))))
      expect(ms, 'nobody waits for it to be connected').to.be.below(6000)
      await isOut(db, 's0r1')
      expect(new Set(events.map(({ node }) => node))).to.deep.equal(new Set(['s0r2']))
    })

    it('lost one connection: it is back at once', async () => {
      const { db } = await servers().openReplicas({}, 1)
      const runner = db.createQueryRunner('slave')
      await runner.connect()
      const slow = errorOf(runner.query(servers().words.slow(20)))
      const node = servers().replica(1)
      const isSlow = async (): Promise<boolean> =>
        (
          await node.sql(
            engine === 'mariadb'
              ? "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"
              : "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND usename = 'app'",
          )
        ).length > 0
      await until(isSlow, { what: 'the slow statement' })
      const [id] = await servers().idsOn(node)
      for (const one of await servers().idsOn(node)) await node.sql(servers().words.kill(one))
      await slow
      await runner.release()
      await isBack(db, 'r1')
      // A first probe that failed would have been told.
      expect(servers().warnings.texts).to.deep.equal([])
      const events = eventsOf(db)
      await read(db)
      expect(events[0]).to.include({ node: 'r1', retried: false })
      expect(await servers().idsOn(node)).not.to.include(id)
    })

    it('was down at the start, as were other shards: the start succeeds', async () => {
      const proxies = await Promise.all(
        [servers().replica(1), servers().replica(2), servers().node(1)].map((node) =>
          servers().proxy(node),
        ),
      )
      await refuse(proxies)
      const [r1, r2, brazil] = proxies as [TcpProxy, TcpProxy, TcpProxy]
      const db = await servers().open({
        replicas: [replicaAt('r1', r1), replicaAt('r2', r2)],
        shards: { brazil: { ...at(brazil), connect: 'eager' } },
      })
      await read(db)
      const error = await errorOf(db.shard('brazil').query('SELECT 1'))
      expect(error).to.be.instanceOf(ConnectError)
      for (const proxy of proxies) await proxy.pass()
      await Promise.all(['r1', 'r2'].map((node) => isBack(db, node)))
      await db.shard('brazil').query('SELECT 1')
      const events = eventsOf(db)
      await read(db)
      expect(events[0]?.role).to.equal('replica')
    })

    it('does not hold a process that has nothing else to do', async function () {
      this.timeout(30_000)
      const primary = await servers().proxy()
      const replica = await servers().proxy(servers().replica(1))
      const task = {
        source: { type: engine, ...servers().node().connectionOptions(), ...at(primary) },
        options: { replicas: [replicaAt('r1', replica)] },
      }
      const end = await runChild('ejection.child.js', task, {
        onMessage: (message, answer) => {
          const { step } = message as { step: string }
          if (step === 'open') void refuse([replica]).then(() => answer('go'))
          if (step === 'out') void refuse([primary])
        },
      })
      expect(end.errors).to.not.match(/at /)
      expect(end).to.include({ code: 0 })
      expect(end.messages).to.have.length(2)
      expect((end.messages[1] as { why: string }).why).to.match(/ECONNREFUSED/)
      expect(end.ms).to.be.below(3000)
    })
  },
)

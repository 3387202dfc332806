import dns from 'node:dns'
import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import {
  ConnectError,
  type ConnectionProxy,
  type OctopusOptions,
  errorSite,
  isFailoverError,
  isRetryable,
} from '../../lib/index.js'
import { TcpProxy } from '../support/faults/tcp-proxy.js'
import { until } from '../support/until.js'
import { Entry, errorOf, outcomeOf, times } from './own-support.js'
import {
  at,
  describeOnFrailServers,
  eventsOf,
  fillPrimary,
  fillReplica,
  poolOf,
  read,
} from './support.js'

/** Writers that go on whatever happens, and what came of it. */
class Writers {
  readonly errors: unknown[] = []
  readonly written: number[] = []
  readonly #db: ConnectionProxy
  readonly #running: Promise<void>[]
  #isOver = false
  #next = 1

  constructor(db: ConnectionProxy, count: number) {
    this.#db = db
    this.#running = times(count, () => this.#write())
  }

  async #write(): Promise<void> {
    while (!this.#isOver) {
      await setImmediate() // a write that is refused at once must not keep the others waiting
      const id = this.#next++
      const { error } = await outcomeOf(this.#db.getRepository(Entry).insert({ id }))
      if (error === undefined) this.written.push(id)
      else this.errors.push(error)
    }
  }

  /** Waits until so many more have been written. */
  async more(count: number): Promise<void> {
    const wanted = this.written.length + count
    await until(() => this.written.length >= wanted, {
      what: `${count} more writes (${String(this.errors.at(-1))})`,
      timeoutMs: 15_000,
    })
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#running)
  }
}

const poolSize = 4

// Two servers that take turns as the primary, and a third in the place of a replica.
describeOnFrailServers('a writer that moves', { shards: 3 }, (servers, engine) => {
  const [former, present, reader] = [0, 1, 2].map((index) => () => servers().node(index)) as [
    () => ReturnType<ReturnType<typeof servers>['node']>,
    () => ReturnType<ReturnType<typeof servers>['node']>,
    () => ReturnType<ReturnType<typeof servers>['node']>,
  ]
  const options = (more: OctopusOptions = {}): OctopusOptions => ({
    replicas: [{ name: 'reader', host: reader().host, port: reader().port }],
    readYourWrites: { windowMs: 0 },
    ...more,
  })
  /** The application's rights are those that read_only takes away. */
  const swap = async (): Promise<void> => {
    await servers().setReadOnly(former(), true)
    await servers().setReadOnly(present(), false)
  }
  const tableOf = async (index: number): Promise<number[]> => {
    const rows = await servers()
      .node(index)
      .sql<{ id: number }>(`SELECT id FROM ${servers().words.table} ORDER BY id`)
    return rows.map(({ id }) => Number(id))
  }

  afterEach(async () => {
    for (const index of [0, 1])
      await servers().node(index).sql(`DELETE FROM ${servers().words.table}`)
  })

  it('fails no more statements than were under way, and goes on without a restart', async function () {
    this.timeout(30_000)
    servers().afterwards(() => servers().cluster.setReadOnly(present(), false))
    await servers().cluster.setReadOnly(present(), true)
    const proxy = await servers().proxy(former())
    const db = await servers().open(options(), { ...at(proxy), poolSize })
    await fillReplica(db, poolSize)
    await read(db)
    const readers = await servers().idsOn(reader())
    expect(readers).to.have.length(poolSize)
    const writers = new Writers(db, 8)
    servers().afterwards(() => writers.stop())
    await writers.more(50)
    await swap()
    await until(() => writers.errors.length > 0, { what: 'a write that is refused' })
    await Promise.all(times(6, () => read(db)))
    proxy.retarget({ host: present().host, port: present().port })
    await writers.more(50)
    await writers.stop()

    const failed = writers.errors.map((error) => `${errorSite(error)?.stage}: ${String(error)}`)
    expect(failed.length, `failed statements: ${failed.join('; ')}`).to.be.within(1, poolSize)
    for (const error of writers.errors) {
      expect(isFailoverError(error)).to.equal(true)
      expect(isRetryable(error)).to.equal(true)
    }
    const stored = [...(await tableOf(0)), ...(await tableOf(1))]
    expect(stored.toSorted((a, b) => a - b)).to.deep.equal(
      writers.written.toSorted((a, b) => a - b),
    )
    expect(await tableOf(1), 'written on the new writer').to.have.length.at.least(50)
    expect(await servers().idsOn(reader()), 'the readers’ connections').to.deep.equal(readers)
    expect(await tableOf(2)).to.deep.equal([])
    await until(async () => (await former().connections()) === 0, {
      what: 'the old connections to be closed',
    })
    expect(poolOf(db, 'reader').outOfService).to.equal(undefined)
  })

  it('is waited for until acquireTimeoutMs, then the caller hears wrong-role', async () => {
    const db = await servers().open(options({ acquireTimeoutMs: 600 }), { poolSize })
    await fillPrimary(db, poolSize)
    await servers().setReadOnly(former(), true)
    const refused = await errorOf(db.getRepository(Entry).insert({ id: 1 }))
    expect(isFailoverError(refused)).to.equal(true)
    expect(refused).not.to.be.instanceOf(ConnectError)
    const started = performance.now()
    const error = await errorOf(db.getRepository(Entry).insert({ id: 1 }))
    expect(performance.now() - started).to.be.within(200, 6000)
    expect(error).to.be.instanceOf(ConnectError)
    expect(error).to.include({ failure: 'wrong-role', stage: 'connect' })
    expect(isFailoverError(error)).to.equal(true)
    await read(db)
    await servers().cluster.setReadOnly(former(), false)
    const events = eventsOf(db)
    await db.getRepository(Entry).insert({ id: 1 })
    await db.getRepository(Entry).insert({ id: 2 })
    // The first connection that is good ends the suspicion.
    expect(events.map(({ verified }) => verified)).to.deep.equal([true, false])
  })

  it('is looked for under its name anew', async () => {
    servers().afterwards(() => servers().cluster.setReadOnly(present(), false))
    await servers().cluster.setReadOnly(present(), true)
    const name = 'writer.test'
    let address = '127.0.0.2'
    let lookups = 0
    const { lookup } = dns
    type Reply = (error: null, found: unknown, family?: number) => void
    const resolve = (host: string, how: dns.LookupOptions, reply: Reply): void => {
      if (host !== name) return (lookup as unknown as typeof resolve)(host, how, reply)
      lookups += 1
      if (how.all === true) reply(null, [{ address, family: 4 }])
      else reply(null, address, 4)
    }
    const first = await TcpProxy.start(former(), { host: '127.0.0.2' })
    const second = await TcpProxy.start(present(), { host: '127.0.0.3', port: first.port })
    dns.lookup = resolve as unknown as typeof lookup
    try {
      const db = await servers().open(options(), { host: name, port: first.port, poolSize })
      await fillPrimary(db, poolSize)
      const known = lookups
      await swap()
      address = '127.0.0.3'
      expect(isFailoverError(await errorOf(db.getRepository(Entry).insert({ id: 1 })))).to.equal(
        true,
      )
      await db.getRepository(Entry).insert({ id: 2 })
      expect(lookups).to.be.above(known)
      expect(await tableOf(1)).to.deep.equal([2])
      await db.destroy()
    } finally {
      dns.lookup = lookup
      await first.stop()
      await second.stop()
    }
  })

  describe('and the connections that it leaves', () => {
    it('are not pooled again after they raised a read-only error', async () => {
      const db = await servers().open({}, { poolSize: 1 })
      const before = await servers().idOf(db)
      await servers().setReadOnly(former(), true)
      await errorOf(db.getRepository(Entry).insert({ id: 1 }))
      await servers().cluster.setReadOnly(former(), false)
      expect(await servers().idOf(db)).not.to.equal(before)
      expect(await former().connections()).to.equal(1)
    })

    it('stay where a transaction was READ ONLY by its own wish', async () => {
      const db = await servers().open({}, { poolSize: 1 })
      const before = await servers().idOf(db)
      const error = await errorOf(
        db.transaction(async (manager) => {
          await manager.query(engine === 'mariadb' ? 'SELECT 1' : 'SET TRANSACTION READ ONLY')
          await manager.query('SELECT * FROM nowhere')
        }),
      )
      expect(isFailoverError(error)).to.equal(false)
      expect(await servers().idOf(db)).to.equal(before)
    })

    it('are not pooled again after they were lost', async () => {
      const proxy = await servers().proxy()
      const db = await servers().open({}, { ...at(proxy), poolSize: 1 })
      const before = await servers().idOf(db)
      proxy.dropAnswerTo('nowhere')
      expect(isFailoverError(await errorOf(db.query('SELECT * FROM nowhere')))).to.equal(true)
      expect(await servers().idOf(db)).not.to.equal(before)
    })

    it('are not pooled again with a transaction open, which is rolled back', async () => {
      const db = await servers().open({}, { poolSize: 1 })
      const before = await servers().idOf(db)
      const runner = db.createQueryRunner()
      await runner.startTransaction()
      await runner.manager.insert(Entry, { id: 1 })
      await runner.release()
      expect(await servers().idOf(db)).not.to.equal(before)
      await until(async () => (await tableOf(0)).length === 0, { what: 'the roll-back' })
      await db.getRepository(Entry).insert({ id: 1 })
      expect(await former().connections()).to.equal(1)
    })

    it('are pooled again after an ordinary error', async () => {
      const db = await servers().open({}, { poolSize: 1 })
      const before = await servers().idOf(db)
      await errorOf(db.query('SELECT * FROM nowhere'))
      await errorOf(db.transaction((manager) => manager.query('SELEKT')))
      expect(await servers().idOf(db)).to.equal(before)
    })
  })
})

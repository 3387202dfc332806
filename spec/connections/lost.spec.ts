import { expect } from 'chai'
import { QueryFailedError, type SelectQueryBuilder } from 'typeorm'
import {
  CommitUnknownError,
  type ConnectionProxy,
  type OctopusOptions,
  errorSite,
  isFailoverError,
  isRetryable,
} from '../../lib/index.js'
import { until } from '../support/until.js'
import { Entry, errorOf } from './own-support.js'
import { at, describeOnFrailServers, eventsOf, fillReplica, isBack, read } from './support.js'

/** Reads a stream to its end. */
const streamed = async (builder: SelectQueryBuilder<Entry>): Promise<void> => {
  for await (const row of await builder.stream()) expect(row).to.be.an('object')
}

/** The socket of a driver's connection. */
interface Connection {
  readonly stream?: { readonly destroyed: boolean }
  readonly connection?: { readonly stream: { readonly destroyed: boolean } }
}

describeOnFrailServers('a lost connection', { shards: 1, replicas: 2 }, (servers, engine) => {
  const table = () => (engine === 'mariadb' ? 'FROM `entry`' : 'FROM "entry"')
  /** The primary alone, behind a proxy. */
  const openPrimary = async (more: OctopusOptions = {}, source: object = {}) => {
    const proxy = await servers().proxy()
    return { proxy, db: await servers().open(more, { ...at(proxy), ...source }) }
  }
  const expectLost = (error: unknown): void => {
    expect(error).to.be.instanceOf(QueryFailedError)
    expect(isFailoverError(error)).to.equal(true)
    expect(isRetryable(error)).to.equal(true)
    expect(errorSite(error)).to.include({ shard: 'master', stage: 'query', kind: 'lost' })
  }

  beforeEach(() =>
    servers().node().sql(`INSERT INTO ${servers().words.table} (id, text) VALUES (1, 'one')`),
  )
  afterEach(async () => {
    await servers().node().sql(`DELETE FROM ${servers().words.table}`)
    await servers().cluster.waitUntilCaughtUp(servers().cluster.shard(0))
  })

  describe('under a read', () => {
    for (const [title, find] of [
      ['a find', (db: ConnectionProxy) => read(db)],
      [
        'a select builder',
        (db: ConnectionProxy) => db.getRepository(Entry).createQueryBuilder('e').getMany(),
      ],
    ] as const)
      it(`is made good by one more try of ${title}`, async () => {
        const { db, proxy } = await openPrimary()
        await find(db)
        proxy.dropAnswerTo(table())
        const events = eventsOf(db)
        expect(await find(db)).to.have.length(1)
        expect(events.map(({ retried }) => retried)).to.deep.equal([false, true])
        expect(events[0]?.error).to.include({ stage: 'query' })
        expect(events[1]?.error).to.equal(undefined)
      })

    it('has the read go to another replica, and the replica back soon', async () => {
      const { db, proxies } = await servers().openReplicas({ verifyTimeoutMs: 2000 })
      await servers().cluster.waitUntilCaughtUp(servers().cluster.shard(0))
      for (let turn = 0; turn < 2; turn += 1) {
        for (const proxy of proxies) proxy.dropAnswerTo(table())
        const events = eventsOf(db)
        // The other proxy still waits for its words: the second try meets it, unless it is told better.
        const isFirst = db.octopus.onRoute(({ error }) => {
          if (error !== undefined) for (const proxy of proxies) void proxy.pass()
        })
        expect(await read(db)).to.have.length(1)
        isFirst()
        expect(events.map(({ retried }) => retried)).to.deep.equal([false, true])
        expect(events[1]?.node).not.to.equal(events[0]?.node)
        expect(events.map(({ role }) => role)).to.deep.equal(['replica', 'replica'])
        for (const node of ['r1', 'r2']) await isBack(db, node)
        const told = servers().warnings.texts.filter((text) => text.includes('service'))
        expect(told, 'the first probe, at once, has found it well').to.deep.equal([])
      }
    })

    it('casts doubt on the others of its server, whatever was lost with it', async () => {
      const { db, proxies } = await servers().openReplicas({ verifyTimeoutMs: 2000 }, 1)
      await fillReplica(db, 3)
      for (const lose of [
        () => errorOf(db.usingReplica(() => db.query('SELECT * FROM entry'))),
        () => errorOf(streamed(db.createQueryBuilder(Entry, 'e'))),
        () => read(db),
      ]) {
        await isBack(db, 'r1')
        proxies[0]?.dropAnswerTo('entry')
        await lose()
        await isBack(db, 'r1')
        const events = eventsOf(db)
        await read(db)
        expect(events[0]).to.include({ node: 'r1', verified: true, retried: false })
      }
    })

    it('is not made good a second time', async () => {
      const { db, proxy } = await openPrimary()
      await read(db)
      const events = eventsOf(db)
      db.octopus.onRoute(({ retried }) => {
        if (!retried) proxy.dropAnswerTo(table())
      })
      proxy.dropAnswerTo(table())
      expectLost(await errorOf(read(db)))
      expect(events.map(({ retried }) => retried)).to.deep.equal([false, true])
    })

    it('is not made good for the second statement of a read', async () => {
      const { db, proxy } = await openPrimary()
      await read(db)
      proxy.dropAnswerTo('COUNT(')
      const events = eventsOf(db)
      expectLost(await errorOf(db.getRepository(Entry).findAndCount({ take: 1, skip: 0 })))
      expect(events.some(({ retried }) => retried)).to.equal(false)
    })

    for (const [title, work] of [
      ['raw query()', (db: ConnectionProxy) => db.query(`SELECT * FROM entry`)],
      [
        'raw query() on a replica’s terms',
        (db: ConnectionProxy) => db.usingReplica(() => db.query(`SELECT * FROM entry`)),
      ],
      [
        'a find on a runner of the user’s',
        async (db: ConnectionProxy) => {
          const runner = db.createQueryRunner()
          try {
            await runner.manager.find(Entry)
          } finally {
            await runner.release()
          }
        },
      ],
      [
        'a find in a transaction',
        (db: ConnectionProxy) => db.transaction((manager) => manager.find(Entry)),
      ],
      [
        'a locking find',
        (db: ConnectionProxy) =>
          db.transaction((manager) => manager.find(Entry, { lock: { mode: 'pessimistic_write' } })),
      ],
      [
        'a stream',
        async (db: ConnectionProxy) => {
          await streamed(db.createQueryBuilder(Entry, 'e'))
        },
      ],
      ['an update', (db: ConnectionProxy) => db.query(`UPDATE entry SET text = 'x'`)],
      [
        'an update builder',
        (db: ConnectionProxy) => db.getRepository(Entry).update({ id: 1 }, { text: 'x' }),
      ],
      ['an insert', (db: ConnectionProxy) => db.getRepository(Entry).insert({ id: 7 })],
      ['save()', (db: ConnectionProxy) => db.getRepository(Entry).save({ id: 8, text: '' })],
    ] as const)
      it(`is not made good for ${title}`, async () => {
        const { db, proxy } = await openPrimary()
        await read(db)
        const isSave = title === 'save()'
        proxy.dropAnswerTo(isSave ? 'INSERT' : 'entry')
        const events = eventsOf(db)
        const error = await errorOf(work(db))
        expect(isFailoverError(error), error.message).to.equal(true)
        expect(events.some(({ retried }) => retried)).to.equal(false)
        expect(events.filter(({ error: failed }) => failed).length).to.be.at.most(2)
      })
  })

  describe('under a transaction', () => {
    it('leaves the transaction failed: it opens no other connection', async () => {
      const { db, proxy } = await openPrimary()
      await read(db)
      const { accepted } = proxy
      proxy.dropAnswerTo('INSERT')
      const later: Error[] = []
      const error = await errorOf(
        db.transaction(async (manager) => {
          later.push(await errorOf(manager.insert(Entry, { id: 2 })))
          later.push(await errorOf(manager.insert(Entry, { id: 3 })))
          later.push(await errorOf(manager.find(Entry)))
        }),
      )
      for (const failed of [...later, error]) expect(isFailoverError(failed)).to.equal(true)
      expect(proxy.accepted, 'connections').to.equal(accepted)
      expect(await read(db)).to.have.length(1)
      expect(proxy.accepted, 'connections').to.equal(accepted + 1)
    })

    it('is CommitUnknownError after COMMIT was sent, as TypeORM’s error in all else', async () => {
      const { db, proxy } = await openPrimary()
      await read(db)
      proxy.dropAnswerTo('COMMIT')
      const error = await errorOf(db.transaction((manager) => manager.insert(Entry, { id: 2 })))
      expect(error).to.be.instanceOf(CommitUnknownError)
      expect(error).to.be.instanceOf(QueryFailedError)
      const { driverError, query } = error as CommitUnknownError
      expect(error.message).to.equal(driverError.message)
      expect(query).to.equal('COMMIT')
      expect(isFailoverError(error)).to.equal(true)
      expect(errorSite(error)).to.include({ stage: 'commit', kind: 'lost', role: 'primary' })
      await until(async () => (await read(db)).length === 2, { what: 'what was committed' })
    })

    it('is an ordinary error where the connection was gone before COMMIT', async () => {
      const { db, proxy } = await openPrimary()
      const runner = db.createQueryRunner()
      const connection = (await runner.connect()) as Connection
      await runner.startTransaction()
      await runner.manager.insert(Entry, { id: 2 })
      proxy.reset()
      const stream = connection.stream ?? connection.connection?.stream
      await until(() => stream?.destroyed, { what: 'the end of the connection' })
      const error = await errorOf(runner.commitTransaction())
      expect(error).to.be.instanceOf(QueryFailedError)
      expect(error).not.to.be.instanceOf(CommitUnknownError)
      expect(isFailoverError(error)).to.equal(true)
      await runner.release()
      expect(await read(db)).to.have.length(1)
    })

    it('is an ordinary error where COMMIT is refused by the server', async () => {
      const { db } = await openPrimary()
      const error = await errorOf(
        db.transaction(async (manager) => {
          await manager.query(engine === 'mariadb' ? 'SELECT 1' : 'SET CONSTRAINTS ALL DEFERRED')
          throw new Error('mine')
        }),
      )
      expect(error).not.to.be.instanceOf(CommitUnknownError)
      expect(error.message).to.equal('mine')
    })
  })
})

import { expect } from 'chai'
import { ConnectError, type ConnectionProxy, type Verifier } from '../../lib/index.js'
import { statementsDuring } from '../support/cluster/index.js'
import { until } from '../support/until.js'
import { Entry, errorOf, timed, times } from './own-support.js'
import {
  at,
  describeOnFrailServers,
  eventsOf,
  fillPrimary,
  fillReplica,
  isBack,
  isOut,
  poolOf,
  read,
} from './support.js'

/** A verifier that counts its calls, and says what it is told to. */
const counting = (
  say: () => boolean | Promise<boolean> = () => true,
): Verifier & { readonly calls: string[] } => {
  const calls: string[] = []
  return {
    name: 'counting',
    calls,
    verify: (_connection, node) => {
      calls.push(node.role)
      return say()
    },
  }
}

describeOnFrailServers(
  'the cost of verification',
  { shards: 1, replicas: 1, generalLog: true },
  (servers, engine) => {
    const options = () => ({ replicas: servers().replicasOf(0) })
    const work = async (db: ConnectionProxy): Promise<void> => {
      for (let turn = 0; turn < 5; turn += 1) {
        await db.query('SELECT 2')
        await read(db)
        await db.transaction(async (manager) => {
          await manager.query('SELECT 3')
          await manager.query('SELECT 4')
        })
      }
    }
    const run = async (db: ConnectionProxy) => {
      await db.octopus.warm(['master'])
      return statementsDuring(servers().cluster, () => work(db))
    }

    it('sends no statement in steady state after an error, or when idle', async () => {
      const db = await servers().open({ ...options(), verifyIdleMs: 60_000 })
      // An error of long ago, whose doubts are settled.
      await fillReplica(db, 1)
      await servers().killConnections(servers().replica(1))
      await read(db)
      await isBack(db, 's0r1')
      await read(db)
      const { s0p, s0r1 } = await run(db)
      expect(s0r1).to.have.length(5)
      expect(s0p?.filter((sql) => /SELECT 2/.test(sql))).to.have.length(5)
      expect(
        s0p?.filter((sql) => !/SELECT [234]|START TRANSACTION|COMMIT/.test(sql)),
      ).to.deep.equal([])
    })

    it('calls no verifier in steady state, after ordinary SQL errors either', async () => {
      const verifier = counting()
      const db = await servers().open({ ...options(), verifiers: [verifier] })
      await run(db)
      await db.getRepository(Entry).insert({ id: 1 })
      for (const work of [
        () => db.query('SELEKT 1'),
        () => db.query('SELECT * FROM nowhere'),
        () => db.getRepository(Entry).insert({ id: 1 }),
      ])
        await errorOf(work())
      await run(db)
      await db.getRepository(Entry).clear()
      expect(verifier.calls).to.deep.equal([])
    })

    it('asks a primary once a checkout with always, not once a statement', async () => {
      const db = await servers().open({ ...options(), verify: 'always' })
      const { s0p, s0r1 } = await run(db)
      const asks = engine === 'mariadb' ? /@@global.read_only/ : /pg_is_in_recovery/
      // Five statements and five transactions.
      expect(s0p?.filter((sql) => asks.test(sql))).to.have.length(10)
      expect(s0r1?.filter((sql) => asks.test(sql))).to.have.length(0)
      // A ping of MariaDB is none of its statements.
      const pings = engine === 'mariadb' ? 0 : 5
      expect(s0r1).to.have.length(5 + pings)
    })

    it('calls a verifier once a checkout with always', async () => {
      const verifier = counting()
      const db = await servers().open({ ...options(), verify: 'always', verifiers: [verifier] })
      await db.octopus.warm(['master'])
      verifier.calls.length = 0
      const events = eventsOf(db)
      await work(db)
      const of = (role: string) => verifier.calls.filter((call) => call === role).length
      expect({ primary: of('primary'), replica: of('replica') }).to.deep.equal({
        primary: 10,
        replica: 5,
      })
      // The statement that came by the connection tells of it, and no later one of its transaction.
      const routes = new Set(events.map(({ routeId }) => routeId))
      const verified = events.filter((event) => event.verified).map(({ routeId }) => routeId)
      expect(verified)
        .to.have.length(routes.size)
        .and.to.have.members([...routes])
    })

    it('verifies nothing with never', async () => {
      const proxy = await servers().proxy()
      const db = await servers().open(
        { verify: 'never', verifyIdleMs: 0, queryTimeoutMs: 200 },
        { ...at(proxy), poolSize: 2 },
      )
      await fillPrimary(db, 2)
      proxy.halfOpen()
      // Each connection is found out by a caller of its own.
      expect((await errorOf(db.query('SELECT 1'))).message).to.include('no answer after 200 ms')
      expect((await errorOf(db.query('SELECT 1'))).message).to.include('no answer after 200 ms')
      await db.query('SELECT 1')
    })
  },
)

describeOnFrailServers('verifiers', { shards: 1, replicas: 2 }, (servers, engine) => {
  for (const [title, say, why] of [
    ['says no', () => false, /verifier counting refused the server(?::|$)/],
    [
      'throws',
      () => {
        throw new Error('not like this')
      },
      /verifier counting refused the server \(not like this\)/,
    ],
    ['hangs', () => new Promise<boolean>(() => undefined), /\(no answer in 60 ms\)/],
  ] as const)
    it(`keep callers from a primary when one ${title}, until it says yes`, async () => {
      let isWell = true
      const verifier = counting(() => isWell || say())
      const db = await servers().open({
        verify: 'always',
        verifiers: [verifier],
        verifyTimeoutMs: 60,
        acquireTimeoutMs: 500,
      })
      await db.query('SELECT 1')
      isWell = false
      let error: Error | undefined
      const ms = await timed(async () => (error = await errorOf(db.query('SELECT 1'))))
      expect(error).to.be.instanceOf(ConnectError)
      expect(error).to.include({ failure: 'wrong-role', stage: 'connect' })
      expect(error?.message).to.match(why)
      expect(ms).to.be.below(4000)
      expect(verifier.calls.length, 'tries').to.be.at.least(3)
      expect(servers().warnings.texts).to.have.length(1)
      expect(servers().warnings.texts[0]).to.match(
        /^master\/primary 127\.0\.0\.1, connection \d+: verifier count/,
      )
      expect(servers().warnings.texts[0]).to.match(why)
      isWell = true
      await db.query('SELECT 1')
    })

  it('serve a caller who waits as soon as one says yes', async () => {
    let isWell = true
    const verifier = counting(() => isWell)
    const db = await servers().open({ verify: 'always', verifiers: [verifier] })
    isWell = false
    const tried = verifier.calls.length
    const waiting = db.query('SELECT 1')
    await until(() => verifier.calls.length > tried + 1, { what: 'two tries' })
    isWell = true
    await waiting
  })

  it('are asked only about the servers that they handle', async () => {
    const verifier: ReturnType<typeof counting> = Object.assign(
      counting(() => false),
      { handles: ({ node }: { node: string }) => node === 's0r2' },
    )
    const db = await servers().open({
      replicas: servers().replicasOf(0),
      verify: 'always',
      verifiers: [verifier],
    })
    await db.query('SELECT 1')
    const events = eventsOf(db)
    for (let turn = 0; turn < 6; turn += 1) await read(db)
    expect(new Set(events.map(({ node }) => node))).to.deep.equal(new Set(['s0r1']))
    expect(poolOf(db, 's0r2').outOfService).to.match(/verifier counting refused/)
    expect(new Set(verifier.calls)).to.deep.equal(new Set(['replica']))
  })

  it('take a replica out that lags, and back when it has caught up', async function () {
    this.timeout(30_000)
    const db = await servers().open({
      replicas: servers().replicasOf(0),
      verify: 'always',
      verifiers: [{ replicaLagMs: engine === 'mariadb' ? 1500 : 300 }],
      readYourWrites: { windowMs: 0 },
    })
    await db.getRepository(Entry).insert({ id: 1 })
    await servers().cluster.waitUntilCaughtUp(servers().cluster.shard(0))
    await Promise.all(times(4, () => read(db)))
    for (const node of ['s0r1', 's0r2']) expect(poolOf(db, node).outOfService).to.equal(undefined)
    const frozen = servers().replica(1)
    await servers().cluster.freezeReplication(frozen)
    servers().afterwards(() => servers().cluster.unfreezeReplication(frozen))
    await db.getRepository(Entry).insert({ id: 2 })
    await until(
      async () => {
        await Promise.all(times(2, () => read(db)))
        return poolOf(db, 's0r1').outOfService
      },
      { what: 's0r1 to be refused' },
    )
    expect(await isOut(db, 's0r1')).to.match(/replica lag/)
    const events = eventsOf(db)
    await servers().cluster.waitUntilCaughtUp(servers().replica(2))
    for (const entries of await Promise.all(times(4, () => read(db))))
      expect(entries).to.have.length(2)
    expect(new Set(events.map(({ node }) => node))).to.deep.equal(new Set(['s0r2']))
    await servers().cluster.unfreezeReplication(frozen)
    await isBack(db, 's0r1')
    await servers().cluster.waitUntilCaughtUp(frozen)
    events.length = 0
    for (const entries of await Promise.all(times(4, () => read(db))))
      expect(entries).to.have.length(2)
    expect(new Set(events.map(({ node }) => node)).size).to.equal(2)
    await db.getRepository(Entry).clear()
  })
})

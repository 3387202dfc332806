import { expect } from 'chai'
import type { ConnectionProxy, OctopusOptions } from '../../lib/index.js'
import { until } from '../support/until.js'
import { Entry } from './own-support.js'
import {
  at,
  describeOnFrailServers,
  eventsOf,
  fillPrimary,
  fillReplica,
  read,
  replicaAt,
} from './support.js'

/** Whether it is what pg says when it closes a connection; mysql2 says nothing. */
const isGoodbye = (words: Buffer): boolean => words.toString() === 'X\0\0\0\u0004'

describeOnFrailServers(
  'connections that were lost while they were idle',
  { shards: 2, replicas: 1 },
  (servers, engine) => {
    const options = () => ({
      replicas: servers().replicasOf(0),
      shards: { brazil: servers().at(1) },
      verifyTimeoutMs: 150,
    })
    const nodes = () => [servers().node(0), servers().node(1), servers().replica(1)]
    /** The same servers behind proxies, which count. */
    const openBehindProxies = async (more: OctopusOptions, source: object = {}) => {
      const [primary, brazil, replica] = [
        await servers().proxy(servers().node(0)),
        await servers().proxy(servers().node(1)),
        await servers().proxy(servers().replica(1)),
      ]
      const db = await servers().open(
        { replicas: [replicaAt('s0r1', replica)], shards: { brazil: at(brazil) }, ...more },
        { ...at(primary), ...source },
      )
      return { db, proxies: [primary, brazil, replica] }
    }
    const work = (db: ConnectionProxy) => [
      () => db.getRepository(Entry).insert({ id: 1 }),
      () => db.shard('brazil').query('SELECT 1'),
      () => read(db),
    ]
    const useAll = async (db: ConnectionProxy): Promise<void> => {
      await Promise.all(work(db).map((one) => one()))
      await db.getRepository(Entry).clear()
    }

    it('are replaced without an error after the servers have closed them', async function () {
      this.timeout(30_000)
      const everywhere = engine === 'mariadb' ? nodes() : [servers().node(0), servers().node(1)]
      const set = (isShort: boolean) => async () => {
        for (const node of everywhere)
          await node.sql(
            engine === 'mariadb'
              ? `SET GLOBAL wait_timeout = ${isShort ? 1 : 28_800}`
              : `ALTER ROLE app SET idle_session_timeout = '${isShort ? 1 : 0}s'`,
          )
        await servers().cluster.waitUntilCaughtUp(servers().cluster.shard(0))
      }
      servers().afterwards(set(false))
      await set(true)()
      const { db, proxies } = await openBehindProxies({ verifyIdleMs: 500 })
      await useAll(db)
      for (const node of nodes()) await servers().connected(0, node, 8000)
      const before = proxies.map(({ accepted }) => accepted)
      const events = eventsOf(db)
      await Promise.all(work(db).map((one) => one()))
      expect(events.map(({ error }) => error)).to.deep.equal([undefined, undefined, undefined])
      expect(events.map(({ retried }) => retried)).to.deep.equal([false, false, false])
      expect(new Set(events.map(({ node }) => node)).size).to.be.at.least(2)
      for (const [index, { accepted }] of proxies.entries())
        expect(accepted - (before[index] ?? 0), 'new connections').to.be.at.most(1)
      await db.getRepository(Entry).clear()
    })

    it('are verified when they have been idle for long enough, and only then', async () => {
      const db = await servers().open({ ...options(), verifyIdleMs: 300 })
      await useAll(db)
      const events = eventsOf(db)
      await db.query('SELECT 1')
      const rested = performance.now()
      await until(() => performance.now() - rested > 320, { what: 'connections to rest' })
      await db.query('SELECT 1')
      await db.query('SELECT 1')
      expect(events.map(({ verified }) => verified)).to.deep.equal([false, true, false])
    })

    it('are replaced without an error after the server has killed them', async () => {
      const db = await servers().open({ ...options(), verifyIdleMs: 0 })
      await useAll(db)
      const events = eventsOf(db)
      for (const one of work(db)) {
        for (const node of nodes()) await servers().killConnections(node)
        await one()
      }
      expect(events.map(({ error }) => error)).to.deep.equal([undefined, undefined, undefined])
      await db.getRepository(Entry).clear()
      for (const { outOfService } of db.octopus.pools()) expect(outOfService).to.equal(undefined)
    })

    it('are found out by one verification when nothing is heard on them, however many there are', async function () {
      this.timeout(40_000)
      const { db, proxies } = await openBehindProxies(
        { verifyIdleMs: 0, verifyTimeoutMs: 400 },
        { poolSize: 4 },
      )
      await useAll(db)
      await fillPrimary(db, 4)
      await fillReplica(db, 4)
      const seen = () => ({
        made: proxies.reduce((sum, proxy) => sum + proxy.accepted, 0),
        failed: proxies.flatMap(({ unheard }) => unheard).filter((words) => !isGoodbye(words))
          .length,
      })
      for (const one of work(db)) {
        for (const proxy of proxies) proxy.halfOpen()
        const before = seen()
        const events = eventsOf(db)
        await one()
        const { made, failed } = seen()
        expect(failed - before.failed, 'connections that were verified in vain').to.equal(1)
        expect(made - before.made, 'new connections').to.equal(1)
        expect(events[0]).to.include({ verified: true, error: undefined })
      }
      await db.getRepository(Entry).clear()
    })
  },
)

import { expect } from 'chai'
import type { ConnectionProxy } from '../../lib/index.js'
import { until } from '../support/until.js'
import { Entry, timed } from './own-support.js'
import {
  at,
  describeOnFrailServers,
  eventsOf,
  fillPrimary,
  fillReplica,
  read,
  replicaAt,
} from './support.js'

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
      const db = await servers().open({ ...options(), verifyIdleMs: 500 })
      await useAll(db)
      for (const node of nodes()) await servers().connected(0, node, 8000)
      const events = eventsOf(db)
      await Promise.all(work(db).map((one) => one()))
      expect(events.map(({ error }) => error)).to.deep.equal([undefined, undefined, undefined])
      expect(events.map(({ retried }) => retried)).to.deep.equal([false, false, false])
      expect(new Set(events.map(({ node }) => node)).size).to.be.at.least(2)
      for (const node of nodes()) expect(await node.connections()).to.be.at.most(1)
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
      const verifyTimeoutMs = 1000
      const proxies = await Promise.all(nodes().map((node) => servers().proxy(node)))
      const [primary, brazil, replica] = proxies
      if (primary === undefined || brazil === undefined || replica === undefined) throw new Error()
      const db = await servers().open(
        {
          replicas: [replicaAt('s0r1', replica)],
          shards: { brazil: at(brazil) },
          verifyIdleMs: 0,
          verifyTimeoutMs,
        },
        { ...at(primary), poolSize: 4 },
      )
      await useAll(db)
      await fillPrimary(db, 4)
      await fillReplica(db, 4)
      for (const one of work(db)) {
        for (const proxy of proxies) proxy.halfOpen()
        const accepted = proxies.reduce((sum, proxy) => sum + proxy.accepted, 0)
        const events = eventsOf(db)
        const ms = await timed(one)
        expect(ms, 'one verification that fails, no more').to.be.within(
          verifyTimeoutMs - 10,
          2 * verifyTimeoutMs - 10,
        )
        expect(proxies.reduce((sum, proxy) => sum + proxy.accepted, 0) - accepted).to.equal(1)
        expect(events[0]).to.include({ verified: true, error: undefined })
      }
      await db.getRepository(Entry).clear()
    })
  },
)

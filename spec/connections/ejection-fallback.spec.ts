import { expect } from 'chai'
import { ConnectError, type ConnectionProxy, NoReplicaError } from '../../lib/index.js'
import type { TcpProxy } from '../support/faults/tcp-proxy.js'
import { until } from '../support/until.js'
import { Entry, errorOf, times } from './own-support.js'
import { describeOnFrailServers, eventsOf, isBack, isOut, poolOf, read } from './support.js'

describeOnFrailServers('without a replica', { replicas: 2 }, (servers) => {
  const primaryName = '127.0.0.1'
  /** A read that takes some time for each entry. */
  const slowRead = async (db: ConnectionProxy, seconds: number): Promise<void> => {
    const slept = servers().words.slow(seconds).replace('SELECT ', '')
    const rows: unknown[] = await db
      .getRepository(Entry)
      .createQueryBuilder('e')
      .select(slept, 'slept')
      .getRawMany()
    expect(rows).to.have.length.at.least(1)
  }
  const refuse = async (proxies: readonly TcpProxy[]): Promise<void> => {
    for (const proxy of proxies) {
      await proxy.refuse()
      proxy.reset()
    }
  }

  beforeEach(() =>
    servers().node().sql(`INSERT INTO ${servers().words.table} (id, text) VALUES (1, '')`),
  )
  afterEach(() => servers().node().sql(`DELETE FROM ${servers().words.table}`))

  it('reads are done by the primary, with no more than fallbackLimit connections', async () => {
    const fallbackLimit = 2
    const { db, proxies } = await servers().openReplicas({ fallbackLimit }, 2, { poolSize: 6 })
    await refuse(proxies)
    await read(db)
    await Promise.all(['r1', 'r2'].map((node) => isOut(db, node)))
    const most = { active: 0, connections: 0 }
    let isOver = false
    const watch = (): void => {
      most.active = Math.max(most.active, poolOf(db, primaryName).active)
      if (!isOver) globalThis.setImmediate(watch)
    }
    watch()
    const events = eventsOf(db)
    const reads = times(20, () => slowRead(db, 0.02))
    void Promise.all(reads).finally(() => (isOver = true))
    while (!isOver)
      most.connections = Math.max(most.connections, await servers().node().connections())
    await Promise.all(reads)
    expect(most).to.deep.equal({ active: fallbackLimit, connections: fallbackLimit })
    for (const event of events) {
      expect(event).to.include({ node: primaryName, role: 'primary' })
      expect(event.reason).to.equal('no replica available')
    }
  })

  it('writes keep their connections of the primary', async () => {
    const { db, proxies } = await servers().openReplicas({ fallbackLimit: 1 }, 1, { poolSize: 2 })
    await refuse(proxies)
    await read(db)
    await isOut(db, 'r1')
    const order: string[] = []
    const slow = times(3, () => slowRead(db, 0.3).then(() => order.push('read')))
    await until(() => poolOf(db, primaryName).waiting === 2, { what: 'reads that wait' })
    await db.getRepository(Entry).insert({ id: 2 })
    order.push('write')
    await Promise.all(slow)
    expect(order[0]).to.equal('write')
  })

  it('readers are told with onNoReplica: error, and why', async () => {
    const { db, proxies } = await servers().openReplicas({ onNoReplica: 'error' })
    await refuse(proxies)
    const error = await errorOf(read(db))
    expect(error).to.be.instanceOf(NoReplicaError)
    expect(error.cause).to.be.instanceOf(ConnectError)
    expect(error.cause).to.include({ failure: 'host-unreachable', code: 'ECONNREFUSED' })
    await db.query('SELECT 1')
    for (const proxy of proxies) await proxy.pass()
    await Promise.all(['r1', 'r2'].map((node) => isBack(db, node)))
    await read(db)
  })
})

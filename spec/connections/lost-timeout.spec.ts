import { expect } from 'chai'
import { QueryFailedError } from 'typeorm'
import { QueryTimeoutError, errorSite, isFailoverError } from '../../lib/index.js'
import { until } from '../support/until.js'
import { Entry, errorOf, timed } from './own-support.js'
import { at, describeOnFrailServers, poolOf, read } from './support.js'

describeOnFrailServers('queryTimeoutMs', { shards: 1 }, (servers) => {
  const queryTimeoutMs = 250
  const expectTimeout = (error: unknown): void => {
    expect(error).to.be.instanceOf(QueryFailedError)
    expect((error as QueryFailedError).driverError).to.be.instanceOf(QueryTimeoutError)
    expect(isFailoverError(error)).to.equal(true)
    expect(errorSite(error)).to.include({ stage: 'query', kind: 'timeout', role: 'primary' })
  }

  it('frees the callers of a server that is stalled, and serves when it goes on', async () => {
    const db = await servers().open({ queryTimeoutMs, verifyTimeoutMs: 200 })
    await db.query('SELECT 1')
    await servers().pause(servers().node())
    const ms = await timed(async () => expectTimeout(await errorOf(db.query('SELECT 1'))))
    expect(ms).to.be.within(queryTimeoutMs - 10, queryTimeoutMs + 4000)
    expect(poolOf(db, '127.0.0.1')).to.include({ active: 0, waiting: 0, idle: 0 })
    servers().node().resume()
    await db.query('SELECT 1')
  })

  it('ends a statement that is slow, and closes its connection', async () => {
    const db = await servers().open({ queryTimeoutMs }, { poolSize: 1 })
    const before = await servers().idOf(db)
    expectTimeout(await errorOf(db.query(servers().words.slow(10))))
    expect(poolOf(db, '127.0.0.1')).to.include({ active: 0, waiting: 0 })
    expect(await servers().idOf(db)).not.to.equal(before)
    await servers().killConnections()
  })

  it('ends a transaction, which opens no other connection', async () => {
    const proxy = await servers().proxy()
    const db = await servers().open({ queryTimeoutMs }, at(proxy))
    await read(db)
    const { accepted } = proxy
    const error = await errorOf(
      db.transaction(async (manager) => {
        await manager.insert(Entry, { id: 2 })
        expectTimeout(await errorOf(manager.query(servers().words.slow(10))))
        await manager.insert(Entry, { id: 3 })
      }),
    )
    expect(error).to.be.instanceOf(QueryFailedError)
    expect(proxy.accepted).to.equal(accepted)
    await servers().killConnections()
    expect(await read(db)).to.deep.equal([])
  })

  it('does not count the wait for a connection', async () => {
    const db = await servers().open({ queryTimeoutMs }, { poolSize: 1 })
    const runner = db.createQueryRunner()
    await runner.connect()
    const waiting = db.query('SELECT 1')
    const started = performance.now()
    await until(() => performance.now() - started > 2 * queryTimeoutMs, { what: 'a long wait' })
    await runner.release()
    await waiting
  })
})

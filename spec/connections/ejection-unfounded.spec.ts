import { expect } from 'chai'
import type { QueryFailedError } from 'typeorm'
import {
  AcquireTimeoutError,
  QueryTimeoutError,
  type ConnectionProxy,
  type OctopusOptions,
} from '../../lib/index.js'
import { errorOf } from './own-support.js'
import { describeOnFrailServers, eventsOf, poolOf, read } from './support.js'

describeOnFrailServers('a replica stays in service', { replicas: 1 }, (servers, engine) => {
  const name = 's0r1'
  const open = (
    options: OctopusOptions = {},
    source: Readonly<Record<string, unknown>> = {},
  ): Promise<ConnectionProxy> =>
    servers().open({ replicas: servers().replicasOf(0), ...options }, source)

  afterEach(async () => {
    await servers().node().sql(`DELETE FROM ${servers().words.table}`)
    await servers().cluster.waitUntilCaughtUp(servers().cluster.shard(0))
  })

  /** Runs statements on one connection of the replica; the last of them fails. */
  const failing = async (db: ConnectionProxy, ...statements: string[]): Promise<Error> => {
    const runner = db.createQueryRunner('slave')
    try {
      for (const sql of statements.slice(0, -1)) await runner.query(sql)
      return await errorOf(runner.query(statements.at(-1) ?? ''))
    } finally {
      await runner.release()
    }
  }
  const staysIn = async (db: ConnectionProxy): Promise<void> => {
    expect(poolOf(db, name).outOfService).to.equal(undefined)
    const events = eventsOf(db)
    await read(db)
    expect(events[0]).to.include({ node: name, verified: false })
    expect(servers().warnings.texts).to.deep.equal([])
  }

  it('when all its connections are in use', async () => {
    const db = await open({ acquireTimeoutMs: 60 }, { poolSize: 1 })
    const runner = db.createQueryRunner('slave')
    await runner.connect()
    expect(await errorOf(read(db))).to.be.instanceOf(AcquireTimeoutError)
    await runner.release()
    await staysIn(db)
  })

  it('when its SQL is refused', async () => {
    const db = await open()
    await failing(db, 'SELEKT 1')
    await failing(db, 'SELECT * FROM nowhere')
    await failing(db, "INSERT INTO entry (id, text) VALUES (1, '')")
    await staysIn(db)
  })

  it('when a statement takes longer than the server allows', async () => {
    const db = await open()
    const error = await (engine === 'mariadb'
      ? failing(
          db,
          'SET STATEMENT max_statement_time = 0.05 FOR SELECT SLEEP(5), COUNT(*) FROM information_schema.columns a, information_schema.columns b',
        )
      : failing(db, 'SET statement_timeout = 50', 'SELECT pg_sleep(5)'))
    expect((error as { errno?: number }).errno ?? (error as { code?: string }).code).to.equal(
      engine === 'mariadb' ? 1969 : '57014',
    )
    await staysIn(db)
  })

  it('when a statement takes longer than queryTimeoutMs, but is verified', async () => {
    const db = await open({ queryTimeoutMs: 200 })
    const error = (await failing(db, servers().words.slow(10))) as QueryFailedError
    expect(error.driverError).to.be.instanceOf(QueryTimeoutError)
    await servers().killConnections(servers().replica(1))
    const events = eventsOf(db)
    await read(db)
    await read(db)
    expect(events.map(({ node }) => node)).to.deep.equal([name, name])
    expect(events.map(({ verified }) => verified)).to.deep.equal([true, false])
    expect(poolOf(db, name).outOfService).to.equal(undefined)
    expect(servers().warnings.texts).to.deep.equal([])
  })

  it('when a lock is waited for in vain', async function () {
    this.timeout(20_000)
    const db = await open()
    await servers().node().sql(`INSERT INTO ${servers().words.table} (id, text) VALUES (1, '')`)
    await servers().cluster.waitUntilCaughtUp(servers().cluster.shard(0))
    const replica = servers().replica(1)
    const [take, waits, drop] =
      engine === 'mariadb'
        ? [
            'START TRANSACTION; SELECT id FROM app.entry FOR UPDATE',
            ['SET innodb_lock_wait_timeout = 1', 'SELECT id FROM entry LOCK IN SHARE MODE'],
            'ROLLBACK',
          ]
        : [
            'SELECT pg_advisory_lock(3)',
            ['SET lock_timeout = 50', 'SELECT pg_advisory_lock(3)'],
            'SELECT pg_advisory_unlock(3)',
          ]
    await replica.sql(take)
    const error = await failing(db, ...waits)
    await replica.sql(drop)
    expect((error as { code?: string }).code).to.equal(
      engine === 'mariadb' ? 'ER_LOCK_WAIT_TIMEOUT' : '55P03',
    )
    await staysIn(db)
  })
})

import { inspect } from 'node:util'
import { expect } from 'chai'
import { DataSource, type DataSourceOptions, type EntityManager, QueryFailedError } from 'typeorm'
import {
  AcquireTimeoutError,
  ConnectError,
  type ConnectionProxy,
  type RouteEvent,
  UnknownShardError,
  errorSite,
  isRetryable,
} from '../../lib/index.js'
import { freePort } from '../support/cluster/free-port.js'
import { Entry, describeOnServers, errorOf } from './own-support.js'

const secret = 'not-to-be-seen'

/** All that an error, or what tells of it, shows of itself. */
const shown = (value: unknown): string => {
  const seen = new Set<unknown>()
  const json = JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null) return inner
    if (seen.has(inner)) return '…'
    seen.add(inner)
    return inner
  })
  const text = value instanceof Error ? `${value.message}\n${value.stack}` : ''
  return [text, json, inspect(value, { depth: 12, showHidden: true, getters: true })].join('\n')
}

describeOnServers('errors of each stage', { shards: 2 }, (servers, engine) => {
  const isMariadb = engine === 'mariadb'

  /** What a query on a shard comes to that cannot be connected, with the events of its trace. */
  const refusedAt = async (
    shard: Record<string, unknown>,
    failure: ConnectError['failure'],
    code: RegExp,
  ): Promise<ConnectError> => {
    const db = await servers().open({
      shards: { broken: { ...servers().at(1), ...shard } },
      allowSharedServer: true,
    })
    const events: RouteEvent[] = []
    db.octopus.onRoute((event) => events.push(event))
    const attempts = [
      () => db.shard('broken').query('SELECT 1'),
      () => db.shard('broken').getRepository(Entry).find(),
      () => db.shard('broken').getRepository(Entry).save({ id: 1 }),
      () => db.shard('broken').transaction((manager) => manager.query('SELECT 1')),
    ]
    let first: ConnectError | undefined
    for (const attempt of attempts) {
      const error = await errorOf(attempt())
      expect(error).to.be.instanceOf(ConnectError)
      expect(error).to.include({ stage: 'connect', failure })
      expect((error as ConnectError).code).to.match(code)
      expect(error.message).to.match(/^broken\/primary /)
      expect(error.cause, 'the driver’s own error').to.be.instanceOf(Error)
      expect(error.cause).not.to.be.instanceOf(ConnectError)
      expect(shown(error)).not.to.include(secret)
      expect(errorSite(error)).to.include({ shard: 'broken', role: 'primary', stage: 'connect' })
      first ??= error as ConnectError
    }
    expect(shown(events)).not.to.include(secret)
    expect(shown(db.octopus.pools())).not.to.include(secret)
    expect(servers().warnings.texts.join('\n')).not.to.include(secret)
    // The others go on.
    await db.query('SELECT 1')
    if (first === undefined) throw new Error('Nothing was tried.')
    return first
  }

  it('names the shards for a wrong one, before anything is connected', async () => {
    const db = await servers().open({ shards: { brazil: servers().at(1) } })
    for (const work of [
      () => db.using('brasil', () => db.query('SELECT 1')),
      () => db.shard('brasil'),
    ]) {
      expect(work).to.throw(UnknownShardError, 'configured shards: master, brazil')
      try {
        void work()
      } catch (error) {
        expect(error).to.include({ stage: 'route', code: 'unknown-shard', shard: 'brasil' })
      }
    }
    await servers().connected(0, servers().node(1))
  })

  it('tells the numbers of an exhausted pool, and where it is', async () => {
    const db = await servers().open({ acquireTimeoutMs: 50 }, { poolSize: 1 })
    const runner = db.createQueryRunner()
    await runner.connect()
    const error = await errorOf(db.query('SELECT 1'))
    expect(error).to.be.instanceOf(AcquireTimeoutError)
    expect(error).to.include({ stage: 'acquire', code: 'acquire-timeout' })
    expect((error as AcquireTimeoutError).pool).to.include({ max: 1, active: 1, waiting: 1 })
    expect(errorSite(error)).to.include({ shard: 'master', role: 'primary', stage: 'acquire' })
    await runner.release()
  })

  it('calls a bad password access-denied', () =>
    refusedAt(
      { password: secret },
      'access-denied',
      isMariadb ? /^ER_ACCESS_DENIED_ERROR$/ : /^28P01$/,
    ))

  // Some resolvers say "try again" where there is no network.
  it('calls a host that nobody knows dns', () =>
    refusedAt({ host: 'nobody.invalid', password: secret }, 'dns', /^(?:ENOTFOUND|EAI_AGAIN)$/))

  it('calls a port where nobody listens host-unreachable', async () =>
    refusedAt({ port: await freePort(), password: secret }, 'host-unreachable', /^ECONNREFUSED$/))

  it('calls a database that is not there unknown-database', async () => {
    await servers()
      .node(1)
      .sql(isMariadb ? "GRANT ALL ON `nowhere`.* TO app@'%'" : 'SELECT 1')
    await refusedAt(
      { database: 'nowhere' },
      'unknown-database',
      isMariadb ? /^ER_BAD_DB_ERROR$/ : /^3D000$/,
    )
  })

  it('calls a server without TLS that is asked for it tls', () =>
    refusedAt(
      { ssl: { rejectUnauthorized: false }, password: secret },
      'tls',
      isMariadb ? /^HANDSHAKE_NO_SSL_SUPPORT$/ : /^connect$/, // pg has no code for it
    ))

  it('does not wrap what the driver says of a deadlock', async () => {
    const db = await servers().open({}, { poolSize: 4 })
    await db.getRepository(Entry).insert([{ id: 1 }, { id: 2 }])
    const met = [false, false]
    const work = (own: number, other: number) => async (manager: EntityManager) => {
      await manager.update(Entry, { id: own }, { text: `${own}` })
      met[own - 1] = true
      while (!met.every(Boolean)) await new Promise((resolve) => setImmediate(resolve))
      await manager.update(Entry, { id: other }, { text: `${own}` })
    }
    const results = await Promise.allSettled([
      db.transaction(work(1, 2)),
      db.transaction(work(2, 1)),
    ])
    const [lost] = results.filter((result) => result.status === 'rejected')
    expect(results.filter(({ status }) => status === 'rejected')).to.have.length(1)
    const error = lost?.reason as QueryFailedError & { code: string }
    expect(error).to.be.instanceOf(QueryFailedError)
    expect(error.constructor).to.equal(QueryFailedError)
    expect(error.code).to.equal(isMariadb ? 'ER_LOCK_DEADLOCK' : '40P01')
    expect(error.message).to.equal(error.driverError.message)
    expect(errorSite(error)).to.deep.equal({
      shard: 'master',
      role: 'primary',
      node: db.octopus.pools()[0]?.node,
      stage: 'query',
      kind: 'deadlock',
    })
    expect(isRetryable(error)).to.equal(true)
    await db.getRepository(Entry).clear()
  })

  it('does not wrap what the driver says of a lock that was waited for in vain', async () => {
    const db = await servers().open({}, { poolSize: 4 })
    await db.getRepository(Entry).insert({ id: 1 })
    const error = (await errorOf(
      db.transaction(async (holder) => {
        await holder.update(Entry, { id: 1 }, { text: 'held' })
        await db.transaction(async (manager) => {
          await manager.query(
            isMariadb ? 'SET innodb_lock_wait_timeout = 1' : "SET LOCAL lock_timeout = '50ms'",
          )
          await manager.update(Entry, { id: 1 }, { text: 'waits' })
        })
      }),
    )) as QueryFailedError & { code: string }
    expect(error).to.be.instanceOf(QueryFailedError)
    expect(error.code).to.equal(isMariadb ? 'ER_LOCK_WAIT_TIMEOUT' : '55P03')
    expect(errorSite(error)).to.include({ stage: 'query', kind: 'lock-wait', shard: 'master' })
    await db.getRepository(Entry).clear()
  })

  it('says nothing of where an error arose that is none of a server', () => {
    expect(errorSite(new Error('mine'))).to.equal(undefined)
    expect(errorSite(undefined)).to.equal(undefined)
  })
})

describeOnServers(
  'a server without a free connection',
  { shards: 2, settings: { max_connections: 12 } },
  (servers, engine) => {
    /** The application's connections, opened past the library. */
    const fill = async (): Promise<() => Promise<void>> => {
      const sources: DataSource[] = []
      try {
        for (;;) {
          const source = new DataSource({
            type: engine,
            ...servers().node(1).connectionOptions(),
            poolSize: 1,
          } as DataSourceOptions)
          await source.initialize()
          sources.push(source)
        }
      } catch {
        return async () => void (await Promise.all(sources.map((source) => source.destroy())))
      }
    }

    it('is called too-many-connections, is not taken for dead, and serves once it has one', async () => {
      const db: ConnectionProxy = await servers().open({ shards: { full: servers().at(1) } })
      await servers().node(1).sql('SELECT 1')
      const free = await fill()
      try {
        const error = await errorOf(db.shard('full').query('SELECT 1'))
        expect(error).to.be.instanceOf(ConnectError)
        expect(error).to.include({
          stage: 'connect',
          failure: 'too-many-connections',
          code: engine === 'mariadb' ? 'ER_CON_COUNT_ERROR' : '53300',
        })
        expect(isRetryable(error)).to.equal(true)
        expect(errorSite(error)).to.include({ shard: 'full', stage: 'connect', kind: 'busy' })
      } finally {
        await free()
      }
      await servers().connected(0, servers().node(1))
      await db.shard('full').query('SELECT 1')
    })
  },
)

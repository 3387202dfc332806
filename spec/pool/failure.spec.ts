import { expect } from 'chai'
import { ConnectError, QueryTimeoutError } from '../../lib/errors.js'
import {
  DataSource,
  type DataSourceOptions,
  QueryFailedError,
  getMetadataArgsStorage,
} from 'typeorm'
import { isFailoverError, isRetryable } from '../../lib/index.js'
import { type FailureKind, failureKinds, failureOf } from '../../lib/pool/failure.js'
import { type Cluster, MariadbCluster, PostgresCluster } from '../support/cluster/index.js'

// TypeORM makes this global when it is first needed, which mocha would take for a leak.
getMetadataArgsStorage()

const errorWith = (fields: object, message = 'x'): Error =>
  Object.assign(new Error(message), fields)

/** What mysql2 3.24 and pg 8.23 were seen to throw, and what it means. */
const seen: readonly (readonly [FailureKind | undefined, Error])[] = [
  ['lost', errorWith({ code: 'PROTOCOL_CONNECTION_LOST', fatal: true })],
  ['lost', errorWith({ fatal: true }, "Can't add new command when connection is in closed state")],
  ['lost', errorWith({ code: 'ECONNRESET', errno: -104, fatal: true })],
  ['lost', errorWith({ code: 'EPIPE' })],
  ['lost', errorWith({}, 'Connection terminated unexpectedly')],
  ['lost', errorWith({ code: '08006' })],
  ['lost', errorWith({ code: '57P05' })],
  ['lost', errorWith({ errno: 4031 })],
  ['lost', errorWith({ errno: 2006 }, 'MySQL server has gone away')],
  ['lost', errorWith({ errno: 2013 }, 'Lost connection to MySQL server during query')],
  ['shutdown', errorWith({ code: '57P01' })],
  ['shutdown', errorWith({ errno: 1053 })],
  ['refused', errorWith({ code: 'ECONNREFUSED', errno: -111, fatal: true })],
  ['refused', errorWith({ code: 'ENOTFOUND', errno: -3008 })],
  ['refused', errorWith({ code: '57P03' })],
  ['timeout', errorWith({ code: 'ETIMEDOUT', fatal: true })],
  ['timeout', errorWith({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' })],
  ['timeout', errorWith({}, 'Connection terminated due to connection timeout')],
  ['timeout', errorWith({}, 'Query read timeout')],
  ['busy', errorWith({ code: 'ER_CON_COUNT_ERROR', errno: 1040, sqlState: '08004' })],
  ['busy', errorWith({ code: '53300' })],
  ['denied', errorWith({ errno: 1045, sqlState: '28000' })],
  ['denied', errorWith({ code: '3D000' })],
  ['read-only', errorWith({ errno: 1290 }, 'running with the --read-only option')],
  ['read-only', errorWith({ errno: 1290 }, 'running with the --super-read-only option')],
  ['read-only', errorWith({ errno: 1836 })],
  ['read-only', errorWith({ code: '25006' })],
  ['statement', errorWith({ errno: 1290 }, 'running with the --secure-file-priv option')],
  ['statement', errorWith({ errno: 1792, sqlState: '25006' })],
  ['statement', errorWith({ errno: 1062 })],
  ['statement', errorWith({ code: '23505' })],
  ['deadlock', errorWith({ errno: 1213 })],
  ['deadlock', errorWith({ code: '40P01' })],
  ['serialization', errorWith({ code: '40001' })],
  ['lock-wait', errorWith({ errno: 1205 })],
  ['lock-wait', errorWith({ code: '55P03' })],
  ['denied', errorWith({ code: 'HANDSHAKE_SSL_ERROR', fatal: true })],
  ['stale', errorWith({ errno: 1243 })],
  ['lost', errorWith({ code: 'ETIMEDOUT', syscall: 'read' })],
  ['timeout', new QueryTimeoutError('brazil/primary br-1', 5)],
  ['read-only', new ConnectError('brazil/primary br-1', 'wrong-role', 'demoted')],
  [
    'refused',
    new ConnectError('a', 'host-unreachable', 'x', { cause: errorWith({ code: 'ECONNREFUSED' }) }),
  ],
  ['cancelled', errorWith({ errno: 1969 })],
  ['cancelled', errorWith({ code: '57014' })],
  [undefined, new Error('a bug of the application')],
  [undefined, errorWith({ code: 'ERR_INVALID_ARG_TYPE' })],
]

const failover: readonly FailureKind[] = ['lost', 'refused', 'shutdown', 'timeout', 'read-only']
const collisions: readonly FailureKind[] = ['deadlock', 'lock-wait', 'serialization', 'busy']

describe('the failure that an error tells of', () => {
  for (const [kind, error] of seen)
    it(`is ${kind ?? 'none'} for ${JSON.stringify(error)} "${error.message}"`, () => {
      expect(failureOf(error)).to.equal(kind)
      expect(failureOf(new QueryFailedError('SELECT 1', [], error))).to.equal(kind)
      expect(isFailoverError(error)).to.equal(kind !== undefined && failover.includes(kind))
      expect(isRetryable(error)).to.equal(
        kind !== undefined && [...failover, ...collisions].includes(kind),
      )
    })

  it('is shown for every kind', () => {
    expect(new Set(seen.flatMap(([kind]) => kind ?? []))).to.deep.equal(new Set(failureKinds))
  })

  it('is none for what is no error', () => {
    for (const value of [undefined, null, 'ECONNREFUSED', { code: 'ECONNREFUSED' }])
      expect(failureOf(value)).to.equal(undefined)
  })
})

for (const engine of ['mariadb', 'postgres'] as const)
  describe(`the failures of a real ${engine}`, () => {
    let cluster: Cluster

    before(async function () {
      this.timeout(60_000)
      const Cluster = engine === 'mariadb' ? MariadbCluster : PostgresCluster
      cluster = await Cluster.start({ shards: 1, replicas: 0 })
    })
    after(async function () {
      this.timeout(60_000)
      await cluster.stop()
    })

    const open = async (own: object = {}): Promise<DataSource> => {
      const { primary } = cluster.shard(0)
      const options = { type: engine, ...primary.connectionOptions(), ...own }
      return new DataSource(options as DataSourceOptions).initialize()
    }
    const errorOf = (work: () => Promise<unknown>): Promise<unknown> =>
      work().then(
        () => undefined,
        (error: unknown) => error,
      )
    const idQuery =
      engine === 'mariadb' ? 'SELECT CONNECTION_ID() AS id' : 'SELECT pg_backend_pid() AS id'
    const sleep = engine === 'mariadb' ? 'SELECT SLEEP(20)' : 'SELECT pg_sleep(20)'
    const killing = (id: unknown): string =>
      engine === 'mariadb' ? `KILL ${String(id)}` : `SELECT pg_terminate_backend(${String(id)})`

    it('tell those of statements from those of connections', async () => {
      const source = await open()
      try {
        expect(failureOf(await errorOf(() => source.query('SELEKT 1')))).to.equal('statement')
        const runner = source.createQueryRunner()
        const [{ id }] = (await runner.query(idQuery)) as [{ id: unknown }]
        const cut = errorOf(() => runner.query(sleep))
        await cluster.shard(0).primary.sql(killing(id))
        const error = await cut
        expect(isFailoverError(error)).to.equal(true)
        expect(error).to.be.instanceOf(QueryFailedError)
        await runner.release()
      } finally {
        await source.destroy()
      }
    })

    it('tell a wrong password and an unknown database from a server that is not there', async () => {
      const of = async (own: object): Promise<unknown> => failureOf(await errorOf(() => open(own)))
      expect(await of({ password: 'wrong' })).to.equal('denied')
      expect(await of({ database: 'nowhere' })).to.equal('denied')
      expect(await of({ port: 1 })).to.equal('refused')
    })

    it('tell a server that takes no writes', async () => {
      const source = await open()
      const { primary } = cluster.shard(0)
      try {
        await source.query('CREATE TABLE spot (id INT)')
        await cluster.setReadOnly(primary, true)
        // A session that was open before keeps its own setting on PostgreSQL.
        if (engine === 'postgres') await source.query('SET default_transaction_read_only = on')
        const error = await errorOf(() => source.query('INSERT INTO spot VALUES (1)'))
        expect(failureOf(error)).to.equal('read-only')
      } finally {
        await cluster.setReadOnly(primary, false)
        await source.destroy()
      }
    })
  })

import { expect } from 'chai'
import mysql2 from 'mysql2'
import { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import pg from 'pg'
import { DataSource, QueryRunnerAlreadyReleasedError } from 'typeorm'
import {
  Broadcaster,
  DbQueryResultCache,
  DriverFactory,
  RedisQueryResultCache,
  type ServerDriver,
} from '../../../lib/typeorm/internals.js'
import { type Members, expectMethods, gone, mysql, postgres, sqljs } from './support.js'

const prototypeOf = (value: object): Members => Object.getPrototypeOf(value) as Members

describe("the contract with TypeORM's drivers and runners", () => {
  it('has drivers whose life cycle stands on their class', () => {
    for (const source of [sqljs(), mysql(), postgres()]) {
      const { driver } = source
      const { type } = source.options
      const use = (name: string) =>
        gone(
          `${name}() on the ${type} driver’s class`,
          'driver-access.ts',
          'put its pools in its place',
        )
      for (const name of [
        'connect',
        'afterConnect',
        'disconnect',
        'createQueryRunner',
        'createSchemaBuilder',
        'buildTableName',
      ]) {
        expect(prototypeOf(driver)[name], use(name)).to.be.a('function')
        expect(Object.hasOwn(driver, name), use(name)).to.equal(false)
      }
      expect(
        new DriverFactory().create(Object.create(source) as DataSource).constructor,
        'lib/typeorm/drivers.ts makes one per server',
      ).to.equal(driver.constructor)
      expect(
        driver.isReplicated,
        gone('isReplicated', 'runners.ts', 'leave TypeORM’s own replication alone'),
      ).to.equal(false)
      const other = Object.create(source) as DataSource
      Object.assign(driver, { dataSource: other })
      expect(
        (driver.createSchemaBuilder() as unknown as Members)['dataSource'],
        gone('driver.dataSource', 'drivers.ts', 'keep schema work on its shard'),
      ).to.equal(other)
    }
  })

  it('has drivers that learn what their server can do', () => {
    const abilities = {
      mysql: ['cteCapabilities', 'uuidColumnTypeSuported', '_isReturningSqlSupported'],
      postgres: ['cteCapabilities', 'isGeneratedColumnsSupported'],
    }
    for (const source of [mysql(), postgres()])
      for (const name of abilities[source.options.type as 'mysql'])
        expect(
          source.driver,
          gone(
            `the ${source.options.type} driver’s ${name}`,
            'drivers.ts',
            'compare the versions of primary and replica',
          ),
        ).to.have.property(name)
  })

  it('has MySQL drivers that make and keep a pool of the driver package', async () => {
    let made: Members = {}
    const first = Object.assign(new EventEmitter(), { release: () => undefined })
    const pool = {
      getConnection: (give: Function) => give(null, first),
      end: (done: Function) => done(),
    }
    const source = new DataSource({
      type: 'mysql',
      host: 'br-1',
      username: 'app',
      extra: { connectionLimit: 3 },
      driver: {
        createPool: (options: Members) => ((made = options), pool),
        createConnection: () => 'single',
      },
    })
    const driver = source.driver as unknown as ServerDriver
    const use = (what: string) => gone(what, 'connectors.ts', 'take connections from the pool')
    await source.initialize().catch(() => undefined)
    expect(made, use('createPool() of the driver package, with `extra`')).to.include({
      host: 'br-1',
      user: 'app',
      connectionLimit: 3,
    })
    expect(driver.mysql?.createConnection({}), use('driver.mysql')).to.equal('single')
    expect(
      driver.createConnectionOptions?.(source.options, source.options),
      use('createConnectionOptions(options, credentials)'),
    ).to.include({ host: 'br-1', user: 'app' })
    const connection = new EventEmitter()
    expect(driver.prepareDbConnection?.(connection as never)).to.equal(connection)
    expect(connection.listenerCount('error'), use('prepareDbConnection()')).to.equal(1)
    expect(driver.pool, use('driver.pool')).to.equal(pool)
  })

  it('has PostgreSQL drivers that make and keep a pool of the driver package', async () => {
    let made: Members = {}
    class Pool extends EventEmitter {
      constructor(readonly options: Members) {
        super()
        made = options
      }
      connect(give: Function): void {
        give(undefined, {}, () => undefined)
      }
      end(done: Function): void {
        done()
      }
    }
    const source = new DataSource({
      type: 'postgres',
      host: 'br-1',
      username: 'app',
      extra: { idleTimeoutMillis: 3 },
      driver: { Pool, Client: class {} },
    })
    const driver = source.driver as unknown as ServerDriver & {
      version?: string
      searchSchema?: string
    }
    const use = (what: string) => gone(what, 'connectors.ts', 'take connections from the pool')
    Object.assign(driver, { version: '15', database: 'shop', searchSchema: 'public' })
    await (source.driver as unknown as { connect(): Promise<void> }).connect()
    expect(made, use('Pool of the driver package, with `extra`')).to.include({
      host: 'br-1',
      user: 'app',
      idleTimeoutMillis: 3,
    })
    expect(driver.master, use('driver.master')).to.be.instanceOf(Pool)
    expect(driver.master?.options, use('the pool’s options')).to.equal(made)
    expect(driver.postgres?.Client, use('driver.postgres')).to.be.a('function')
    await source.driver.disconnect()
  })

  it('has connections whose sockets can be closed', () => {
    const use = (what: string) =>
      what +
      ' is gone: lib/typeorm/connectors.ts relies on it to close a connection to a silent server'
    const connection = mysql2.createConnection({ host: '127.0.0.1', port: 1 })
    connection.on('error', () => undefined)
    expect(
      (connection as unknown as Members)['stream'],
      use('mysql2’s connection.stream'),
    ).to.be.instanceOf(Socket)
    connection.destroy()
    const client = new pg.Client({ host: '127.0.0.1' })
    expect(
      (client as unknown as { connection: Members }).connection['stream'],
      use('pg’s client.connection.stream'),
    ).to.be.instanceOf(Socket)
  })

  it('makes server runners from (driver, mode) and keeps the connection in databaseConnection', async () => {
    for (const { driver, options } of [mysql(), postgres()]) {
      const use = gone(
        `${options.type} runners as new Runner(driver, mode)`,
        'server-runner.ts',
        'derive the routed runner',
      )
      const runner = driver.createQueryRunner('slave')
      const Runner = runner.constructor as new (...args: unknown[]) => typeof runner & Members
      expect(Runner.length, use).to.equal(2)
      expectMethods(Runner.prototype as object, `the ${options.type} runner`, {
        connect: ['server-runner.ts', 'check a connection out'],
        query: ['server-runner.ts', 'trace statements'],
        stream: ['server-runner.ts', 'trace statements'],
        release: ['server-runner.ts', 'give the connection back'],
        ...(options.type === 'postgres'
          ? { releasePostgresConnection: ['server-runner.ts', 'end a lost connection'] as const }
          : {}),
      })
      const made = new Runner(driver, 'slave')
      expect([made['driver'], made['mode'], made.dataSource, made.isReleased], use).to.deep.equal([
        driver,
        'slave',
        (driver as unknown as Members)['dataSource'],
        false,
      ])
      expect((made.broadcaster as unknown as Members)['queryRunner'], use).to.equal(made)
      made['databaseConnection'] = 'leased'
      expect(
        await made.connect(),
        gone('the field databaseConnection', 'server-runner.ts', 'lend connections'),
      ).to.equal('leased')
      let given: unknown
      made['databaseConnection'] = { release: (error: unknown) => (given = ['released', error]) }
      made['releaseCallback'] = (error: unknown) => (given = ['released', error])
      await made.release()
      expect(
        given,
        gone(
          'release() over the connection or releaseCallback',
          'server-runner.ts',
          'take it back',
        ),
      ).to.deep.equal(['released', undefined])
      expect(made.isReleased, use).to.equal(true)
      let refusal: unknown
      await made.query('SELECT 1').catch((error: unknown) => (refusal = error))
      expect(refusal).to.be.instanceOf(QueryRunnerAlreadyReleasedError)
    }
  })

  it('begins transactions by words that can be told from other statements', async () => {
    const begin = {
      mysql: 'START TRANSACTION',
      postgres: 'START TRANSACTION',
      sqljs: 'BEGIN TRANSACTION',
    }
    for (const { driver, options } of [sqljs(), mysql(), postgres()]) {
      const runner = driver.createQueryRunner('master')
      const sent: string[] = []
      const depths: unknown[] = []
      runner.query = (sql: string) => {
        depths.push((runner as unknown as Members)['transactionDepth'])
        return Promise.resolve(sent.push(sql)) as Promise<never>
      }
      await runner.startTransaction()
      expect(runner.isTransactionActive).to.equal(true)
      await runner.commitTransaction()
      expect(
        sent,
        gone(
          `these words of ${options.type}`,
          'runner-state.ts',
          'make a transaction read-only and to know its shard',
        ),
      ).to.deep.equal([begin[options.type as 'mysql'], 'COMMIT'])
      expect(
        depths,
        gone('the field transactionDepth', 'runner-state.ts', 'know where a transaction begins'),
      ).to.deep.equal([0, 1])
    }
  })

  it('has one runner per SQLite connection, with its state in own fields', async () => {
    const source = sqljs()
    await source.initialize()
    const shared = source.driver.createQueryRunner('master')
    const use = 'lay one runner per caller over it'
    expect(
      source.driver.createQueryRunner('master'),
      gone('the shared SQLite runner', 'sqlite-runner.ts', use),
    ).to.equal(shared)
    expect(
      Object.keys(shared),
      gone('these own fields of the SQLite runner', 'sqlite-runner.ts', use),
    ).to.include.members([
      'driver',
      'dataSource',
      'broadcaster',
      'data',
      'isReleased',
      'isTransactionActive',
      'transactionDepth',
      'loadedTables',
      'isDirty',
    ])
    expect(
      new Broadcaster(shared),
      gone('Broadcaster(queryRunner)', 'sqlite-runner.ts', use),
    ).to.have.property('queryRunner', shared)
    expect(
      prototypeOf(shared)['query'],
      gone('query() on the class', 'sqlite-runner.ts', use),
    ).to.be.a('function')
    expectMethods(
      DbQueryResultCache.prototype,
      'DbQueryResultCache',
      Object.fromEntries(
        [
          'connect',
          'disconnect',
          'synchronize',
          'getFromCache',
          'storeInCache',
          'isExpired',
          'clear',
          'remove',
        ].map((name) => [name, ['result-cache.ts', 'keep one cache per shard'] as const]),
      ),
    )
    await source.destroy()
  })

  it('has result caches that keep their place and their client in fields', () => {
    const source = sqljs()
    const cache = new DbQueryResultCache(source) as unknown as Members
    for (const field of ['dataSource', 'queryResultCacheTable'])
      expect(
        Object.hasOwn(cache, field),
        gone(`the field DbQueryResultCache.${field}`, 'result-cache.ts', 'give each shard its own'),
      ).to.equal(true)
    const redis = new RedisQueryResultCache(source, 'ioredis') as unknown as Members
    expect(
      redis['clientType'],
      gone('RedisQueryResultCache.clientType', 'redis-keys.ts', 'clear one shard’s keys'),
    ).to.equal('ioredis')
  })
})

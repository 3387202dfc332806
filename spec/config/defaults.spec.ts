import { expect } from 'chai'
import { connectionOf, main, resolved } from './support.js'

describe('options of octopus()', () => {
  it('have these defaults', () => {
    expect(resolved({})).to.deep.equal({
      defaultShard: 'master',
      shards: [
        {
          name: 'master',
          engine: 'mysql',
          primary: { name: 'main', role: 'primary', group: undefined, weight: 1, connection: main },
          replicas: [],
          reads: 'replica',
          onNoReplica: 'primary',
          connect: 'lazy',
          pool: {
            acquireTimeoutMs: 10_000,
            verify: ['idle', 'after-error'],
            verifyIdleMs: 30_000,
            verifyTimeoutMs: 2000,
            verifiers: undefined,
            idleTimeoutMs: undefined,
            maxLifetimeMs: 0,
            queryTimeoutMs: 0,
            connections: 'pooled',
            drainMs: 5000,
            fallbackLimit: undefined,
          },
        },
      ],
      groups: new Map(),
      readYourWritesMs: 5000,
      writesSeal: undefined,
      fullyReplicated: true,
      replicated: [],
      unsharded: [],
      strict: false,
      fanOutConcurrency: 8,
      migrations: {
        default: undefined,
        concurrency: 8,
        onError: 'stop',
        lockTimeoutMs: 60_000,
        transaction: undefined,
      },
      enabled: true,
      collapseReplicas: false,
      carrier: undefined,
      maxConnections: undefined,
      checkoutCallSites: false,
      traceCallSites: false,
      sqlComments: [],
    })
  })

  it('keep the default shard first and the others in the order of their declaration', () => {
    const config = resolved({
      defaultShard: 'west',
      shards: { south: { host: 's' }, east: { host: 'e' }, north: { host: 'n' } },
      groups: { all: ['north', 'west', 'south'] },
    })
    expect(config.shards.map(({ name }) => name)).to.deep.equal(['west', 'south', 'east', 'north'])
    expect(config.groups).to.deep.equal(new Map([['all', ['north', 'west', 'south']]]))
  })

  it('hold for every shard that does not decide for itself', () => {
    const config = resolved({
      reads: 'primary',
      onNoReplica: 'error',
      connect: 'eager',
      acquireTimeoutMs: 0,
      shards: {
        a: { host: 'a' },
        b: {
          host: 'b',
          reads: 'replica',
          onNoReplica: 'primary',
          connect: 'lazy',
          acquireTimeoutMs: 7,
        },
      },
    })
    const settings = config.shards.map(({ reads, onNoReplica, connect, pool }) => [
      reads,
      onNoReplica,
      connect,
      pool.acquireTimeoutMs,
    ])
    expect(settings).to.deep.equal([
      ['primary', 'error', 'eager', 0],
      ['primary', 'error', 'eager', 0],
      ['replica', 'primary', 'lazy', 7],
    ])
  })

  it('may say master and slave, which are translated', () => {
    const config = resolved({
      reads: 'slave',
      onNoReplica: 'master',
      slaves: [{ host: 'r', slaveGroup: 'reports' }],
      shards: { a: { host: 'a', reads: 'master', slaves: [{ host: 'ar' }] } },
    })
    const [first, second] = config.shards
    expect(first.reads).to.equal('replica')
    expect(first.onNoReplica).to.equal('primary')
    expect(first.replicas).to.have.length(1)
    expect(first.replicas[0]).to.include({ name: 'r', group: 'reports', role: 'replica' })
    expect(second).to.include({ reads: 'primary' })
    expect(second?.replicas[0]).to.include({ name: 'ar' })
  })

  it('that are undefined count as not given', () => {
    const config = resolved({
      reads: undefined,
      readYourWrites: { windowMs: undefined },
      shards: {
        gone: undefined,
        a: { host: 'a', username: undefined, replicas: [{ host: 'b', port: undefined }] },
      },
    })
    expect(config.readYourWritesMs).to.equal(5000)
    expect(config.shards.map(({ name }) => name)).to.deep.equal(['master', 'a'])
    expect(connectionOf(config, 'a')).to.include({ username: 'app' })
  })

  it('are frozen when resolved, without freezing or sharing what belongs to the user', () => {
    const ssl = { ca: 'pem', nested: { list: ['x'] } }
    class Logger {}
    const logger = new Logger()
    const carrier = { run: () => undefined }
    const shard = { host: 'a', ssl, logger }
    const config = resolved({
      carrier,
      shards: { a: shard },
      replicated: [Logger],
      fullyReplicated: false,
    })
    const connection = connectionOf(config, 'a')
    for (const frozen of [
      config,
      config.shards,
      config.shards[0],
      config.shards[1]?.primary,
      connection,
    ])
      expect(Object.isFrozen(frozen)).to.equal(true)
    // mysql2 and pg write into `ssl`
    expect(connection['ssl']).to.deep.equal(ssl)
    expect(connection['ssl']).not.to.equal(ssl)
    expect(Object.isFrozen(connection['ssl'])).to.equal(false)
    expect(connection['logger']).to.equal(logger)
    expect(config.carrier).to.equal(carrier)
    expect(config.replicated[0]).to.equal(Logger)
    for (const given of [ssl, shard, carrier, logger])
      expect(Object.isFrozen(given)).to.equal(false)
  })

  it('leave the options of the DataSource as they are', () => {
    const defaults = { ...main, url: 'mysql://u:p@elsewhere/x', entities: [] }
    expect(
      resolved({ shards: { a: { host: 'a' } } }, defaults).shards[0].primary.connection,
    ).to.equal(defaults)
  })

  it('accept any type of DataSource that has neither replicas nor further shards', () => {
    expect(resolved({}, { type: 'mssql', host: 'x' }).shards[0]).to.include({ engine: 'mssql' })
  })
})

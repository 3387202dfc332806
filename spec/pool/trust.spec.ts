import { mock } from 'node:test'
import { expect } from 'chai'
import type { VerifyWord } from '../../lib/config/words.js'
import { ConnectError } from '../../lib/errors.js'
import type { PoolSettings } from '../../lib/pool/checkout.js'
import { EndpointPool } from '../../lib/pool/endpoint-pool.js'
import type { FailureKind } from '../../lib/pool/failure.js'
import type { Lease } from '../../lib/pool/lease.js'
import type { Verifier } from '../../lib/pool/verify.js'
import type { Endpoint } from '../../lib/topology/snapshot.js'
import {
  StubConnector,
  brazil,
  failureOf,
  refused,
  requestOf,
  settingsWith,
} from './stub-connector.js'

const settle = (): Promise<void> => new Promise(setImmediate)

describe('trust in connections', () => {
  let now = 0
  let connector: StubConnector
  let warnings: string[]
  let lost: string[]

  const poolWith = (
    when: readonly VerifyWord[],
    verifiers: readonly Verifier[] = [],
    settings: Partial<PoolSettings> = {},
    endpoint: Endpoint = brazil.primary,
  ): EndpointPool =>
    new EndpointPool(
      endpoint,
      connector,
      settingsWith({
        now: () => now,
        warn: (message) => warnings.push(message),
        unreachable: (_, why) => lost.push(why),
        verify: { when: new Set(when), idleMs: 1000, timeoutMs: 50, verifiers },
        ...settings,
      }),
    )
  const lend = (pool: EndpointPool): Promise<Lease> =>
    pool.checkout(requestOf([pool.endpoint], (lease) => lease))
  const use = async (pool: EndpointPool, failure?: FailureKind): Promise<Lease> => {
    const lease = await lend(pool)
    lease.began()
    lease.ended(failure)
    lease.release()
    return lease
  }
  /** Lends so many connections at a time, so that there are as many. */
  const fill = async (pool: EndpointPool, count: number): Promise<void> => {
    const leases = await Promise.all(Array.from({ length: count }, () => lend(pool)))
    for (const lease of leases) lease.release()
  }
  const pings = (): number => connector.connections.reduce((sum, each) => sum + each.pings, 0)

  beforeEach(() => {
    now = 1000
    connector = new StubConnector(3)
    warnings = []
    lost = []
    mock.timers.enable({ apis: ['setTimeout'] })
  })
  afterEach(() => mock.timers.reset())

  it('is not asked for in steady state', async () => {
    const pool = poolWith(['idle', 'after-error'])
    for (let turn = 0; turn < 5; turn += 1) expect((await use(pool)).verified).to.equal(false)
    for (const failure of ['statement', 'deadlock', 'lock-wait', 'cancelled', 'busy'] as const)
      await use(pool, failure)
    expect([pings(), connector.connections.length]).to.deep.equal([0, 1])
  })

  for (const failure of ['lost', 'shutdown', 'timeout'] as const)
    it(`is lost in each connection that is as old as one that was ${failure}, once, and in what comes while it is asked`, async () => {
      const pool = poolWith(['after-error'])
      await fill(pool, 3)
      await use(pool, failure)
      expect(connector.connections.filter(({ isClosed }) => isClosed)).to.have.length(1)
      await fill(pool, 3)
      expect(
        connector.connections.map((each) => each.pings).sort((one, other) => one - other),
      ).to.deep.equal([0, 1, 1, 1])
      await fill(pool, 3)
      expect(pings()).to.equal(3)
      expect(lost).to.have.length(failure === 'timeout' ? 0 : 1)
    })

  it('is asked for in a new connection while none has been found good', async () => {
    const pool = poolWith(['after-error'])
    await use(pool, 'lost')
    expect((await use(pool)).verified).to.equal(true)
    expect((await use(pool)).verified).to.equal(false)
  })

  it('is lost by a refused write on a primary, and not on a replica', async () => {
    const pool = poolWith(['after-error'])
    await use(pool, 'read-only')
    expect((await use(pool)).verified).to.equal(true)
    const [replica] = brazil.replicas
    const reading = poolWith(['after-error'], [], {}, replica)
    await use(reading, 'read-only')
    expect((await use(reading)).verified).to.equal(false)
  })

  it('is not lost by what one connection has forgotten, which is closed', async () => {
    const pool = poolWith(['after-error'])
    await use(pool, 'stale')
    expect(connector.connections[0]?.isClosed).to.equal(true)
    expect((await use(pool)).verified).to.equal(false)
  })

  it('is asked for after a rest of idleMs, by a ping', async () => {
    let asked = 0
    const pool = poolWith(['idle'], [{ name: 'never asked', verify: () => (asked += 1) > 0 }])
    await use(pool)
    now += 999
    expect((await use(pool)).verified).to.equal(false)
    now += 1000
    expect((await use(pool)).verified).to.equal(true)
    expect([pings(), asked]).to.deep.equal([1, 0])
  })

  it('is asked for at each checkout, or at none', async () => {
    const always = poolWith(['always'])
    for (let turn = 0; turn < 3; turn += 1) await use(always)
    expect(pings()).to.equal(3)
    connector = new StubConnector(3)
    const never = poolWith(['never'])
    await use(never, 'lost')
    now += 100_000
    await use(never)
    expect(pings()).to.equal(0)
  })

  it('replaces a connection that does not answer, in time or at all', async () => {
    const pool = poolWith(['idle'])
    await use(pool)
    now += 5000
    connector.connections[0]!.ping = () => Promise.reject(refused())
    const second = await use(pool)
    expect([second.verified, connector.connections.length]).to.deep.equal([false, 2])
    now += 5000
    connector.connections[1]!.ping = () => new Promise(() => undefined)
    const third = use(pool)
    await settle()
    mock.timers.tick(50)
    await third
    expect(connector.connections.map(({ isClosed }) => isClosed)).to.deep.equal([true, true, false])
  })

  it('is refused by a verifier that says no, throws or is silent', async () => {
    const verdicts: (() => boolean | Promise<boolean>)[] = [
      () => false,
      () => {
        throw new Error('broken')
      },
      () => new Promise(() => undefined),
      () => true,
    ]
    let asked = 0
    const moody = { name: 'moody', verify: () => verdicts[asked++]!() }
    const other = { name: 'not for it', handles: () => false, verify: () => false }
    const pool = poolWith(['always'], [other, moody], { acquireTimeoutMs: 10_000 })
    let lease: Lease | undefined
    void lend(pool).then((found) => (lease = found))
    for (let turn = 0; turn < 40 && lease === undefined; turn += 1) {
      await settle()
      now += 10
      mock.timers.tick(50)
    }
    expect([lease?.verified, asked]).to.deep.equal([true, 4])
    expect(warnings).to.deep.equal([
      'brazil/primary brazil-primary, connection 7: verifier moody refused the server',
    ])
    lease?.release()
    expect(pool.numbers.active).to.equal(0)
  })

  it('is asked of each verifier in turn, until one says no', async () => {
    const asked: string[] = []
    let isFresh = false
    const pool = poolWith(
      ['always'],
      [
        { name: 'writer', verify: () => asked.push('writer') > 0 },
        { name: 'fresh', verify: () => (asked.push('fresh'), isFresh) },
        { name: 'last', verify: () => asked.push('last') > 0 },
      ],
      { acquireTimeoutMs: 10_000 },
    )
    const lending = lend(pool)
    await settle()
    expect([asked.splice(0), connector.open]).to.deep.equal([['writer', 'fresh'], 0])
    isFresh = true
    now += 50
    mock.timers.tick(50)
    ;(await lending).release()
    expect([asked, pings()]).to.deep.equal([['writer', 'fresh', 'last'], 2])
  })

  it('is asked for by a retry, in a connection that was used before', async () => {
    for (const [when, verified] of [
      [['after-error'], [false, true]],
      [['never'], [false, false]],
    ] as const) {
      connector = new StubConnector(3)
      const pool = poolWith(when)
      const retry = async (): Promise<boolean> => {
        const asker = { ...requestOf([pool.endpoint], () => 0).asker, isRetry: true }
        const lease = await pool.checkout(requestOf([pool.endpoint], (found) => found, { asker }))
        lease.release()
        return lease.verified
      }
      expect([await retry(), await retry()]).to.deep.equal(verified)
    }
  })

  it('ends in wrong-role when the time to acquire is over', async () => {
    let isWriter = false
    const pool = poolWith(['always'], [{ name: 'writer', verify: () => isWriter }])
    let failure: unknown
    void failureOf(lend(pool)).then((error) => (failure = error))
    for (let turn = 0; turn < 40 && failure === undefined; turn += 1) {
      await settle()
      now += 10
      mock.timers.tick(50)
    }
    expect(failure).to.be.instanceOf(ConnectError).with.property('failure', 'wrong-role')
    expect(pool.numbers).to.deep.equal({ max: 3, active: 0, idle: 0, waiting: 0 })
    expect(warnings).to.have.length(1)
    isWriter = true
    await fill(pool, 3)
  })

  it('does not outlive maxLifetimeMs, neither at rest nor in use', async () => {
    const pool = poolWith(['never'], [], { maxLifetimeMs: 1000, random: () => 0.5 })
    await use(pool)
    now += 949
    await use(pool)
    expect(connector.connections).to.have.length(1)
    now += 2
    const lease = await lend(pool)
    expect(connector.connections.map(({ isClosed }) => isClosed)).to.deep.equal([true, false])
    now += 1000
    lease.release()
    expect(connector.connections[1]?.isClosed).to.equal(true)
  })

  it('lets one caller try for all when connecting failed, later each time', async () => {
    const pool = poolWith(['after-error'])
    await pool.start()
    connector.acquireFault = refused()
    expect(await failureOf(lend(pool))).to.have.property('code', 'ECONNREFUSED')
    let attempts = 0
    const { connect } = connector
    connector.connect = () => {
      attempts += 1
      return connect.call(connector)
    }
    const waiting = Promise.all([
      failureOf(lend(pool)),
      failureOf(lend(pool)),
      failureOf(lend(pool)),
    ])
    await settle()
    expect(attempts).to.equal(0)
    now += 50
    mock.timers.tick(50)
    expect((await waiting).map((error) => (error as ConnectError).failure)).to.deep.equal(
      Array(3).fill('host-unreachable'),
    )
    expect(attempts).to.equal(1)
    connector.acquireFault = undefined
    const healed = lend(pool)
    await settle()
    now += 100
    mock.timers.tick(100)
    ;(await healed).release()
    expect(pool.numbers.active).to.equal(0)
  })

  it('leaves a server without a goodbye that does not answer it', async () => {
    const pool = poolWith(['never'])
    await use(pool)
    connector.closeGate = new Promise(() => undefined)
    const closed = pool.close(0)
    await settle()
    await settle()
    mock.timers.tick(1000)
    await closed
    expect(connector.aborts).to.equal(1)
  })

  it('lets running statements end before a pool is closed, for drainMs', async () => {
    const pool = poolWith(['never'])
    const [ending, hanging, resting] = await Promise.all([lend(pool), lend(pool), lend(pool)])
    ending.began()
    hanging.began()
    let isClosed = false
    const closed = pool.close(100).then(() => (isClosed = true))
    await settle()
    ending.ended()
    await settle()
    expect([isClosed, ending.isReleased]).to.deep.equal([false, false])
    mock.timers.tick(100)
    await closed
    expect([ending, hanging, resting].every(({ isReleased }) => isReleased)).to.equal(true)
  })
})

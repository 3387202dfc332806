import { mock } from 'node:test'
import { expect } from 'chai'
import { AcquireTimeoutError, PoolClosedError } from '../../lib/errors.js'
import { EndpointPool } from '../../lib/pool/endpoint-pool.js'
import type { Lease } from '../../lib/pool/lease.js'
import {
  StubConnector,
  brazil,
  failureOf,
  refused,
  requestOf,
  settingsWith,
} from './stub-connector.js'

const own = (lease: Lease): Lease => lease

describe('EndpointPool', () => {
  let now = 0
  const poolOver = (connector: StubConnector, acquireTimeoutMs = 100): EndpointPool =>
    new EndpointPool(brazil.primary, connector, settingsWith({ acquireTimeoutMs, now: () => now }))
  const lend = (pool: EndpointPool): Promise<Lease> =>
    pool.checkout(requestOf([brazil.primary], own))
  const pass = (ms: number): void => {
    now += ms
    mock.timers.tick(ms)
  }
  /** Lets what was started run as far as it can. */
  const settle = (): Promise<void> => new Promise(setImmediate)

  beforeEach(() => {
    now = 1000
    mock.timers.enable({ apis: ['setTimeout'] })
  })
  afterEach(() => mock.timers.reset())

  it('opens nothing before its first checkout', async () => {
    const connector = new StubConnector()
    const pool = poolOver(connector)
    expect([pool.state, connector.opens]).to.deep.equal(['idle', 0])
    const lease = await lend(pool)
    expect([pool.state, connector.opens, connector.lent]).to.deep.equal(['open', 1, 1])
    lease.release()
  })

  it('opens once for callers at the same time', async () => {
    const connector = new StubConnector(5)
    const pool = poolOver(connector)
    const leases = await Promise.all([pool.start(), lend(pool), lend(pool), pool.start()])
    expect(connector.opens).to.equal(1)
    for (const lease of leases) lease?.release()
  })

  it('tells every caller why opening failed, and tries again for the next', async () => {
    const connector = new StubConnector()
    connector.openFault = new Error('refused')
    const pool = poolOver(connector)
    const failures = await Promise.all([failureOf(lend(pool)), failureOf(lend(pool))])
    expect(failures.map((failure) => (failure as Error).cause)).to.deep.equal([
      connector.openFault,
      connector.openFault,
    ])
    expect([pool.state, connector.opens, pool.numbers.active]).to.deep.equal(['idle', 1, 0])
    connector.openFault = undefined
    const lease = await lend(pool)
    lease.release()
    expect(connector.opens).to.equal(2)
  })

  it('tries a server that it has never reached once for all callers, after a while', async () => {
    const connector = new StubConnector()
    connector.openFault = refused()
    const pool = poolOver(connector)
    await failureOf(lend(pool))
    for (const ms of [50, 100, 200]) {
      const { opens } = connector
      const waiting = [failureOf(lend(pool)), failureOf(pool.start()), failureOf(lend(pool))]
      await settle()
      pass(ms - 1)
      await settle()
      expect(connector.opens, `before ${ms} ms`).to.equal(opens)
      pass(1)
      for (const failure of await Promise.all(waiting))
        expect(failure).to.have.property('cause', connector.openFault)
      expect(connector.opens, `after ${ms} ms`).to.equal(opens + 1)
    }
  })

  it('tries it at once where that is to tell whether it is back', async () => {
    const connector = new StubConnector()
    connector.openFault = refused()
    const pool = poolOver(connector)
    await failureOf(lend(pool))
    await failureOf(pool.probe())
    expect(connector.opens).to.equal(2)
    connector.openFault = undefined
    await pool.probe()
    ;(await lend(pool)).release()
    expect([pool.state, connector.opens]).to.deep.equal(['open', 3])
  })

  it('is not opened by who waits to try its server, once it is closed', async () => {
    const connector = new StubConnector()
    connector.openFault = refused()
    const pool = poolOver(connector)
    await failureOf(lend(pool))
    const waiting = [failureOf(lend(pool)), failureOf(pool.start())]
    await pool.close(0)
    connector.openFault = undefined
    pass(50)
    for (const failure of await Promise.all(waiting))
      expect(failure).to.be.instanceOf(PoolClosedError)
    expect([pool.state, connector.opens]).to.deep.equal(['closed', 1])
  })

  it('lends in the order of asking, within its limit', async () => {
    const connector = new StubConnector(1)
    const pool = poolOver(connector)
    const first = await lend(pool)
    const order: string[] = []
    const second = lend(pool).then((lease) => (order.push('second'), lease))
    const third = lend(pool).then((lease) => (order.push('third'), lease))
    expect(pool.numbers).to.deep.equal({ max: 1, active: 1, idle: 0, waiting: 2 })
    pass(30)
    first.release()
    const next = await second
    expect([next.waitedMs, connector.lent]).to.deep.equal([30, 1])
    next.release()
    ;(await third).release()
    expect(order).to.deep.equal(['second', 'third'])
    expect(pool.numbers).to.deep.equal({ max: 1, active: 0, idle: 1, waiting: 0 })
  })

  it('says after acquireTimeoutMs how full it is, and forgets who gave up', async () => {
    const pool = poolOver(new StubConnector(1))
    const lease = await lend(pool)
    const waiting = [failureOf(lend(pool)), failureOf(lend(pool))]
    pass(100)
    const [error] = await Promise.all(waiting)
    if (!(error instanceof AcquireTimeoutError)) throw error
    expect(error.pool).to.deep.equal({ max: 1, active: 1, idle: 0, waiting: 2 })
    expect(error.endpoint).to.equal('brazil/primary brazil-primary')
    expect(error.message).to.match(/^brazil\/primary brazil-primary: no connection after 100 ms/)
    expect(pool.numbers.waiting).to.equal(0)
    lease.release()
    ;(await lend(pool)).release()
  })

  it('says who holds what was waited for, and where it was taken', async () => {
    const pool = poolOver(new StubConnector(2))
    const asking = { owner: {}, connectionScope: undefined, isRetry: false, callSite: 'at here' }
    const lendTo = (owner: object): Promise<Lease> =>
      pool.checkout(requestOf([brazil.primary], own, { asker: { ...asking, owner } }))
    const others = await lendTo({})
    pass(30)
    const owned = await lendTo(asking.owner)
    const waiting = failureOf(lendTo(asking.owner))
    await settle()
    pass(100)
    const error = await waiting
    if (!(error instanceof AcquireTimeoutError)) throw error
    expect(error.holders).to.deep.equal({ oldestLeaseMs: 130, heldByScope: 1, takenAt: 'at here' })
    expect(error.message).to.match(/in use for 130 ms, taken at:\nat here\n/)
    expect(error.message).to.match(/The scope that waits holds 1 itself/)
    others.release()
    owned.release()
  })

  it('keeps no driver pool open of which it could not have the first connection', async () => {
    const connector = new StubConnector()
    const pool = poolOver(connector)
    connector.acquireFault = new Error('too many connections')
    expect(await failureOf(pool.start(false))).to.have.property('cause', connector.acquireFault)
    expect([pool.state, connector.opens, connector.closes]).to.deep.equal(['idle', 1, 1])
    connector.acquireFault = undefined
    await pool.start(false)
    expect([pool.state, connector.opens, connector.open]).to.deep.equal(['open', 2, 0])
  })

  it('takes a lease back once, however often it is released', async () => {
    const connector = new StubConnector(1)
    const pool = poolOver(connector)
    const lease = await lend(pool)
    const reason = new Error('broken')
    lease.release(reason)
    lease.release()
    expect(connector.connections[0]?.isClosed).to.equal(true)
    expect(pool.numbers.active).to.equal(0)
  })

  it('has the place free again when a connection could not be had', async () => {
    const connector = new StubConnector(1)
    const pool = poolOver(connector)
    await pool.start()
    connector.acquireFault = new Error('too many connections')
    for (let turn = 0; turn < 3; turn += 1)
      expect(await failureOf(lend(pool))).to.have.property('cause', connector.acquireFault)
    expect(pool.numbers.active).to.equal(0)
    connector.acquireFault = undefined
    ;(await lend(pool)).release()
  })

  it('lets the next one try when a connection could not be had', async () => {
    const connector = new StubConnector(1)
    const pool = poolOver(connector)
    const lease = await lend(pool)
    lease.isSpoilt = true
    connector.acquireFault = new Error('too many connections')
    const waiting = [failureOf(lend(pool)), failureOf(lend(pool))]
    lease.release()
    const failures = await Promise.all(waiting)
    expect(failures.map((failure) => (failure as Error).cause)).to.deep.equal([
      connector.acquireFault,
      connector.acquireFault,
    ])
  })

  it('takes the lease back when its user throws', async () => {
    const connector = new StubConnector(1)
    const pool = poolOver(connector)
    const failure = new Error('released meanwhile')
    const error = await failureOf(
      pool.checkout(
        requestOf([brazil.primary], () => {
          throw failure
        }),
      ),
    )
    expect(error).to.equal(failure)
    expect([pool.numbers.active, connector.lent]).to.deep.equal([0, 0])
  })

  it('takes its leases back and refuses who waits when it closes', async () => {
    const connector = new StubConnector(1)
    const pool = poolOver(connector)
    const lease = await lend(pool)
    let isRevoked = false
    lease.holder = { isTransactionActive: false, release: () => (isRevoked = true) }
    const waiting = failureOf(lend(pool))
    await pool.close(0)
    expect(await waiting).to.be.instanceOf(PoolClosedError)
    expect([isRevoked, connector.lent, connector.closes]).to.deep.equal([true, 0, 1])
    expect(pool.state).to.equal('closed')
    lease.release()
    await pool.close(0)
    expect([connector.closes, pool.numbers.active]).to.deep.equal([1, 0])
  })

  it('waits for no opening under way when it closes, and closes what opens late', async () => {
    const connector = new StubConnector()
    let open: () => void = () => undefined
    connector.openGate = new Promise((resolve) => {
      open = resolve
    })
    const pool = poolOver(connector)
    const opening = failureOf(pool.start())
    await pool.close(0)
    expect(await opening).to.be.instanceOf(PoolClosedError)
    open()
    await settle()
    expect([pool.state, connector.closes]).to.deep.equal(['closed', 1])
  })

  it('gives no connection of a closed pool to one who asked while it opened', async () => {
    const connector = new StubConnector()
    let open: () => void = () => undefined
    connector.openGate = new Promise((resolve) => {
      open = resolve
    })
    const pool = poolOver(connector)
    const asked = failureOf(lend(pool))
    const closing = pool.close(0)
    open()
    await closing
    expect(await asked).to.be.instanceOf(PoolClosedError)
    await settle()
    expect([connector.lent, pool.numbers.active]).to.deep.equal([0, 0])
  })

  it('keeps no connection that arrives after it has closed', async () => {
    const connector = new StubConnector(1)
    const pool = poolOver(connector)
    await pool.start()
    const late = failureOf(lend(pool))
    await pool.close(0)
    expect(await late).to.be.instanceOf(PoolClosedError)
    expect([connector.lent, pool.numbers.active]).to.deep.equal([0, 0])
  })

  it('refuses one whose turn had just come when it closed', async () => {
    const connector = new StubConnector(1)
    const pool = poolOver(connector)
    const lease = await lend(pool)
    const next = failureOf(lend(pool))
    lease.release()
    await pool.close(0)
    expect(await next).to.be.instanceOf(PoolClosedError)
    expect([connector.lent, pool.numbers.active]).to.deep.equal([0, 0])
  })

  it('opens anew after it was closed', async () => {
    const connector = new StubConnector()
    const pool = poolOver(connector)
    ;(await lend(pool)).release()
    await pool.close(0)
    ;(await lend(pool)).release()
    expect([pool.state, connector.opens]).to.deep.equal(['open', 2])
  })

  it('takes over a pool that somebody else has opened', async () => {
    const connector = new StubConnector()
    const pool = poolOver(connector)
    pool.adopt()
    ;(await lend(pool)).release()
    expect(connector.opens).to.equal(0)
  })
})

import { mock } from 'node:test'
import { expect } from 'chai'
import { ScopeEndedError } from '../../lib/errors.js'
import { ConnectionScope, type LateWork } from '../../lib/pool/connection-scope.js'
import type { PoolSettings } from '../../lib/pool/checkout.js'
import type { Lease } from '../../lib/pool/lease.js'
import { PoolWorld, writing } from './pool-world.js'
import { failureOf, gate, settle } from './stub-connector.js'

describe('a scope that owns its connections', () => {
  let world: PoolWorld
  let warnings: string[]
  let ended: number

  const open = (late: LateWork = 'refuse'): ConnectionScope =>
    new ConnectionScope({
      late,
      drainMs: 100,
      warn: (message) => warnings.push(message),
      ended: () => (ended += 1),
    })
  const lend = (scope: ConnectionScope, use?: (lease: Lease) => Lease): Promise<Lease> =>
    world.lend(writing, { connectionScope: scope, ...(use === undefined ? {} : { use }) })
  const worldWith = (settings: Partial<PoolSettings> = {}, max = 4): void => {
    world = new PoolWorld({}, settings, { max })
  }
  const connector = (): ReturnType<PoolWorld['connector']> => world.connector('brazil-primary')
  /** Ends the scope, and lets its time pass where it is needed. */
  const end = async (scope: ConnectionScope): Promise<void> => {
    let isOver = false
    const ending = scope.end().then(() => (isOver = true))
    for (let turn = 0; turn < 20 && !isOver; turn += 1) {
      await settle()
      if (turn > 5) mock.timers.tick(100)
    }
    await ending
  }

  beforeEach(() => {
    warnings = []
    ended = 0
    worldWith()
    mock.timers.enable({ apis: ['setTimeout'] })
  })
  afterEach(async () => {
    mock.timers.reset()
    expect(world.load).to.deep.equal([0, 0])
    await world.registry.closeAll(0)
    for (const made of world.connectors.values())
      for (const each of made) expect(each.sockets).to.equal(0)
  })

  it('uses each of them again, keeps them from others, and closes just those at its end', async () => {
    const scope = open()
    const own = await lend(scope)
    own.release()
    const again = await lend(scope)
    expect(again.connection).to.equal(own.connection)
    const others = await world.lend(writing)
    expect(others.connection).to.not.equal(own.connection)
    again.release()
    others.release()
    const second = await world.lend(writing)
    expect(second.connection).to.equal(others.connection)
    await end(scope)
    expect(
      [own.physical, second.physical].map(
        (each) => connector().connections.find((one) => one === each)?.isClosed,
      ),
    ).to.deep.equal([true, false])
    second.release()
    expect([connector().sockets, ended]).to.deep.equal([1, 1])
  })

  it('leaves nothing open where the pool was opened for it', async () => {
    const scope = open()
    ;(await lend(scope)).release()
    expect(connector().sockets).to.equal(1)
    await end(scope)
    expect([connector().sockets, world.registry.isOpen(world.shard.primary)]).to.deep.equal([
      0,
      true,
    ])
  })

  it('waits for what runs in parallel and what nobody awaits, and closes it all', async () => {
    worldWith({}, 10)
    const scope = open()
    const { promise, open: answer } = gate()
    const work = async (): Promise<void> => {
      const lease = await lend(scope)
      lease.began()
      await promise
      lease.ended()
      lease.release()
    }
    const done = Array.from({ length: 10 }, work)
    await settle()
    expect(connector().sockets).to.equal(10)
    const ending = end(scope)
    await settle()
    expect([ended, connector().sockets]).to.deep.equal([0, 10])
    answer()
    await ending
    await Promise.all(done)
    expect([ended, connector().sockets]).to.deep.equal([1, 0])
  })

  it('waits for what its work goes on to do', async () => {
    const scope = open()
    let turns = 0
    const work = async (): Promise<void> => {
      for (; turns < 5; turns += 1) {
        const lease = await lend(scope)
        lease.began()
        await settle()
        lease.ended()
        lease.release()
      }
    }
    const done = work()
    await end(scope)
    await done
    expect([turns, connector().sockets]).to.deep.equal([5, 0])
  })

  it('lets what is waiting for a connection at its end have one', async () => {
    worldWith({}, 1)
    const scope = open()
    const held = await lend(scope)
    held.began()
    const second = lend(scope)
    const ending = end(scope)
    await settle()
    held.ended()
    held.release()
    const next = await second
    next.began()
    await settle()
    next.ended()
    next.release()
    await ending
    expect(connector().sockets).to.equal(0)
  })

  it('cuts statements that take longer than drainMs', async () => {
    const scope = open()
    const lease = await lend(scope)
    lease.began()
    await end(scope)
    expect([lease.isReleased, lease.isSpoilt, connector().sockets]).to.deep.equal([true, true, 0])
    lease.ended()
    lease.release()
  })

  it('rolls back the transactions that are open, and says so', async () => {
    const scope = open()
    const lease = await lend(scope)
    let released = 0
    lease.holder = { isTransactionActive: true, release: () => (released += 1) }
    const { physical } = lease
    await end(scope)
    expect(connector().connections.find((each) => each === physical)?.statements).to.deep.equal([
      'ROLLBACK',
    ])
    expect(warnings).to.deep.equal([
      'brazil/primary brazil-primary: a transaction was open when its throw-away scope ended; it is rolled back.',
    ])
    expect([released, lease.isReleased, connector().sockets]).to.deep.equal([1, true, 0])
  })

  it('rolls them back together: one that takes its time keeps no other waiting', async () => {
    const scope = open()
    const leases = [await lend(scope), await lend(scope)]
    for (const lease of leases)
      lease.holder = { isTransactionActive: true, release: () => undefined }
    connector().queryGate = new Promise(() => undefined)
    const ending = scope.end()
    for (let turn = 0; turn < 5; turn += 1) await settle()
    expect(connector().connections.flatMap(({ statements }) => statements)).to.deep.equal([
      'ROLLBACK',
      'ROLLBACK',
    ])
    mock.timers.tick(100)
    await ending
    expect(leases.map(({ isReleased }) => isReleased)).to.deep.equal([true, true])
  })

  it('waits for no rollback longer than drainMs', async () => {
    const scope = open()
    const lease = await lend(scope)
    lease.holder = { isTransactionActive: true, release: () => undefined }
    connector().queryGate = new Promise(() => undefined)
    await end(scope)
    expect([lease.isReleased, connector().sockets]).to.deep.equal([true, 0])
  })

  it('refuses work that comes after its end', async () => {
    const scope = open()
    await end(scope)
    expect(await failureOf(lend(scope))).to.be.instanceOf(ScopeEndedError)
    expect(world.connectors.size).to.equal(0)
  })

  it('opens a connection for each piece of work that comes after its end, if it is to', async () => {
    const scope = open('connect')
    ;(await lend(scope)).release()
    await end(scope)
    const late = [await lend(scope), await lend(scope)]
    expect(connector().sockets).to.equal(2)
    for (const lease of late) lease.release()
    expect([connector().sockets, connector().attempts]).to.deep.equal([0, 4])
  })

  it('gives its connection to what is still connecting at its end, if it is to', async () => {
    const scope = open('connect')
    ;(await lend(scope)).release()
    const held = await lend(scope)
    const { promise, open: connect } = gate()
    connector().connectGate = promise
    const late = lend(scope)
    held.release()
    await end(scope)
    connect()
    ;(await late).release()
    expect(connector().sockets).to.equal(0)
  })

  it('refuses what is still connecting at its end', async () => {
    const scope = open()
    ;(await lend(scope)).release()
    const held = await lend(scope)
    const { promise, open: connect } = gate()
    connector().connectGate = promise
    const late = failureOf(lend(scope))
    held.release()
    await end(scope)
    connect()
    expect(await late).to.be.instanceOf(ScopeEndedError)
    expect(connector().sockets).to.equal(0)
  })

  it('refuses what is still being verified at its end', async () => {
    const verify = { when: new Set(['always'] as const), idleMs: 0, timeoutMs: 1000, verifiers: [] }
    worldWith({ verify })
    const scope = open()
    ;(await lend(scope)).release()
    const { promise, open: answer } = gate()
    connector().pingGate = promise
    let isUsed = false
    const late = failureOf(
      lend(scope, (lease) => {
        isUsed = true
        return lease
      }),
    )
    await settle()
    await end(scope)
    answer()
    expect(await late).to.be.instanceOf(ScopeEndedError)
    expect([isUsed, connector().sockets]).to.deep.equal([false, 0])
  })

  it('gives its connection up for others who wait for the place', async () => {
    worldWith({}, 1)
    const scope = open()
    const lease = await lend(scope)
    const waiting = world.lend(writing)
    await settle()
    lease.release()
    ;(await waiting).release()
    expect(connector().sockets).to.equal(1)
    await end(scope)
  })

  it('is harmed by no failure of its work', async () => {
    const scope = open()
    const failure = new Error('released meanwhile')
    const failing = lend(scope, () => {
      throw failure
    })
    expect(await failureOf(failing)).to.equal(failure)
    await end(scope)
    expect(connector().sockets).to.equal(0)
  })
})

import { mock } from 'node:test'
import { expect } from 'chai'
import type { PoolInfo } from '../../lib/index.js'
import type { PoolHappening } from '../../lib/pool/listeners.js'
import { PoolWorld, reading, writing } from './pool-world.js'
import { failureOf, refused, settle } from './stub-connector.js'

const primary = 'brazil-primary'

describe('what a pool has done', () => {
  let world: PoolWorld
  let told: PoolHappening[]

  const numbersOf = (node: string): PoolInfo => {
    const info = world.registry.list(world.topology).find((each) => each.node === node)
    if (info === undefined) throw new Error(`there is no ${node}`)
    return info
  }
  const begin = (...options: ConstructorParameters<typeof PoolWorld>): void => {
    world = new PoolWorld(...options)
    told = []
    world.registry.listeners.add(({ node, what }) => {
      if (node === primary) told.push(what)
    })
  }

  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
  afterEach(() => mock.timers.reset())

  it('is nothing for a server that was never used', () => {
    begin()
    expect(numbersOf('br-2')).to.include({
      opened: 0,
      checkouts: 0,
      waits: 0,
      waitedMs: 0,
      timeouts: 0,
      connectFailures: 0,
      lastConnectFailure: undefined,
    })
  })

  it('counts what is lent, and who waited for how long', async () => {
    begin({}, {}, { max: 1 })
    const first = await world.lend(writing) // waits for the pool to open
    const second = world.lend(writing)
    await world.pass(30)
    first.release()
    const third = world.lend(writing)
    ;(await second).release()
    ;(await third).release()
    await world.lend(writing).then((lease) => lease.release())
    expect(numbersOf(primary)).to.include({ checkouts: 4, waits: 3, waitedMs: 30, timeouts: 0 })
    expect(numbersOf('br-2')).to.include({ checkouts: 0, waits: 0 })
    expect(told).to.deep.equal([
      { kind: 'connected', tookMs: 0 },
      { kind: 'connected', tookMs: 0 },
      { kind: 'lent', waitedMs: 0 },
      { kind: 'lent', waitedMs: 30 },
      { kind: 'lent', waitedMs: 0 },
      { kind: 'lent', waitedMs: 0 },
    ])
  })

  it('counts who waited in vain', async () => {
    begin({}, { acquireTimeoutMs: 100 }, { max: 1 })
    const lease = await world.lend(writing)
    const late = failureOf(world.lend(writing))
    await world.pass(100)
    expect(await late).to.include({ code: 'acquire-timeout' })
    lease.release()
    expect(numbersOf(primary)).to.include({ checkouts: 1, waits: 2, waitedMs: 100, timeouts: 1 })
    expect(told.at(-1)).to.deep.equal({ kind: 'timed-out' })
  })

  it('counts a reader in the place of replicas as waiting only if he does', async () => {
    begin({}, { fallbackLimit: 1 })
    ;(await world.lend(writing)).release()
    const fallback = { ...writing, reason: 'no replica available' } as const
    const first = await world.lend(fallback)
    expect(numbersOf(primary).waits).to.equal(1)
    const second = world.lend(fallback)
    await settle()
    first.release()
    ;(await second).release()
    expect(numbersOf(primary)).to.include({ checkouts: 3, waits: 2 })
  })

  it('counts attempts to connect that failed, once for all who wait for one', async () => {
    begin()
    world.fail(primary, refused())
    await Promise.all([failureOf(world.lend(writing)), failureOf(world.lend(writing))])
    expect(numbersOf(primary)).to.include({
      connectFailures: 1,
      lastConnectFailure: 'host-unreachable',
      checkouts: 0,
    })
    expect(told).to.deep.equal([{ kind: 'connect-failed', failure: 'host-unreachable' }])
  })

  it('tells how long connecting took', async () => {
    begin()
    ;(await world.lend(writing)).release()
    const held = await world.lend(writing)
    let open = (): void => undefined
    world.connector(primary).connectGate = new Promise((resolve) => {
      open = resolve
    })
    const another = world.lend(writing)
    await world.pass(20)
    open()
    ;(await another).release()
    held.release()
    expect(numbersOf(primary).connectMs).to.equal(20)
    expect(told).to.deep.include({ kind: 'connected', tookMs: 20 })
  })

  it('counts verifications, and those that found something bad', async () => {
    const when = new Set(['always'] as const)
    begin({}, { verify: { when, idleMs: 1000, timeoutMs: 50, verifiers: [] } })
    ;(await world.lend(reading)).release()
    expect(numbersOf('br-2')).to.include({ verifications: 1, verificationFailures: 0 })
    Object.assign(world.connector('br-2'), { pingFault: refused() })
    await failureOf(world.lend(reading))
    expect(numbersOf('br-2').verifications).to.be.above(1)
    expect(numbersOf('br-2').verificationFailures).to.be.above(0)
  })

  it('goes on where the pool is replaced, or all are closed', async () => {
    begin()
    ;(await world.lend(writing)).release()
    await world.registry.retire('brazil/primary brazil-primary')
    ;(await world.lend(writing)).release()
    await world.registry.closeAll(0)
    ;(await world.lend(writing)).release()
    expect(numbersOf(primary).checkouts).to.equal(3)
    expect(world.connectors.get(primary)).to.have.length(3)
  })

  it('begins anew for a server that was removed and comes back', async () => {
    begin()
    const late = await world.lend(writing)
    const removed = world.registry.remove('brazil/primary brazil-primary')
    ;(await world.lend(writing)).release()
    late.release()
    await removed
    expect(numbersOf(primary).checkouts).to.equal(1)
  })

  it('does not suffer from a listener that throws, and tells nobody who has left', async () => {
    begin()
    const warned = new Promise((resolve) => process.once('warning', resolve))
    const stop = world.registry.listeners.add(() => {
      throw new Error('of the listener')
    })
    ;(await world.lend(writing)).release()
    expect(await warned).to.include({ message: 'of the listener' })
    stop()
    expect(told.at(-1)).to.deep.equal({ kind: 'lent', waitedMs: 0 })
  })
})

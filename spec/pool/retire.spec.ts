import { mock } from 'node:test'
import { expect } from 'chai'
import type { PoolSettings } from '../../lib/pool/checkout.js'
import type { Lease } from '../../lib/pool/lease.js'
import { PoolWorld, reading, writing } from './pool-world.js'
import { type StubConnector, failureOf, gate, refused, settle } from './stub-connector.js'

describe('a server that is replaced while it is used', () => {
  let world: PoolWorld

  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
  afterEach(async () => {
    mock.timers.reset()
    await world.registry.closeAll(0)
    expect(world.load).to.deep.equal([0, 0])
    for (const node of world.connectors.keys()) expect(world.openAt(node)).to.equal(0)
  })

  const retire = (): Promise<void> => world.registry.retire(world.shard.primary.id)
  /** The primary's connectors: that of the old pool, and that of the new one. */
  const primaries = (): readonly StubConnector[] => world.connectors.get('brazil-primary') ?? []
  /** Which of them lent it. */
  const lenderOf = (lease: Lease): number =>
    primaries().findIndex(({ connections }) =>
      connections.some((connection) => connection === lease.physical),
    )

  it('sends those who wait to the new pool, and closes the old one after its last lease', async () => {
    world = new PoolWorld({}, {}, { max: 1 })
    const held = await world.lend(writing)
    const [second, third] = [world.lend(writing), world.lend(writing)]
    await settle()
    let isRetired = false
    const retired = retire().then(() => (isRetired = true))
    expect([lenderOf(held), lenderOf(await second)]).to.deep.equal([0, 1])
    ;(await second).release()
    ;(await third).release()
    expect([isRetired, primaries()[0]?.closes]).to.deep.equal([false, 0])
    held.release()
    await retired
    expect(primaries().map(({ closes }) => closes)).to.deep.equal([1, 0])
  })

  it('sends those to the new pool for whom a connection is being made', async () => {
    world = new PoolWorld()
    const held = await world.lend(writing)
    const { promise, open } = gate()
    world.connector('brazil-primary').connectGate = promise
    const asked = world.lend(writing)
    await settle()
    const retired = retire()
    const lease = await asked
    expect(lenderOf(lease)).to.equal(1)
    for (const each of [lease, held]) each.release()
    open()
    await retired
    await settle()
  })

  it('sends those to the new pool who wait for it to open', async () => {
    world = new PoolWorld()
    world.registry.poolOf(world.shard.primary)
    const { promise, open } = gate()
    world.connector('brazil-primary').openGate = promise
    const asked = world.lend(writing)
    await settle()
    const retired = retire()
    const lease = await asked
    expect(lenderOf(lease)).to.equal(1)
    lease.release()
    open()
    await retired
    await settle()
    expect(primaries()[0]?.closes).to.equal(1)
  })

  it('gets who makes a shard ready to the new pool, where all is disconnected meanwhile', async () => {
    world = new PoolWorld()
    world.registry.poolOf(world.shard.primary)
    const { promise, open } = gate()
    world.connector('brazil-primary').openGate = promise
    const ready = world.registry.start(() => world.shard.primary)
    await settle()
    await world.registry.closeAll(0)
    await ready
    expect(primaries().map(({ opens }) => opens)).to.deep.equal([1, 1])
    open()
    await settle()
    expect(primaries()[0]?.closes).to.equal(1)
  })

  it('sends those to the new pool who wait for it to be reached, and opens it no more', async () => {
    world = new PoolWorld()
    const held = await world.lend(writing)
    world.fail('brazil-primary', refused())
    await failureOf(world.lend(writing))
    const waiting = world.lend(writing)
    await settle()
    held.release()
    world.fail('brazil-primary', undefined)
    await retire()
    await world.pass(1000)
    const lease = await waiting
    expect(lenderOf(lease)).to.equal(1)
    lease.release()
    expect(primaries().map(({ opens }) => opens)).to.deep.equal([1, 1])
  })

  it('sends those to the new pool who wait for it to take on its role', async () => {
    let isWriter = false
    const verify: PoolSettings['verify'] = {
      when: new Set(['always']),
      idleMs: 0,
      timeoutMs: 50,
      verifiers: [{ name: 'writer', verify: () => isWriter }],
    }
    world = new PoolWorld({}, { verify })
    const waiting = world.lend(writing)
    await settle()
    await retire()
    isWriter = true
    await world.pass(50)
    const lease = await waiting
    expect(lenderOf(lease)).to.equal(1)
    lease.release()
  })

  it('is waited for no longer than running statements may take when all is closed', async () => {
    world = new PoolWorld()
    const [resting, running] = await Promise.all([world.lend(writing), world.lend(writing)])
    running.began()
    const retired = retire()
    await settle()
    const closed = world.registry.closeAll(100)
    await settle()
    await settle()
    expect([resting.isReleased, running.isReleased]).to.deep.equal([false, false])
    await world.pass(100)
    await Promise.all([closed, retired])
    expect([resting.isReleased, running.isReleased]).to.deep.equal([true, true])
    expect(primaries()[0]?.closes).to.equal(1)
  })

  it('is out of service no longer, nor probed', async () => {
    world = new PoolWorld()
    world.fail('br-2', refused())
    ;(await world.lend(reading)).release()
    await world.pass(0)
    await world.registry.retire('brazil/replica br-2')
    expect(world.shard.onlineReplicas.get(undefined)).to.have.length(2)
    const opens = world.connector('br-2').opens
    await world.pass(60_000)
    expect(world.connector('br-2').opens).to.equal(opens)
  })

  it('is not an error where nothing was opened', async () => {
    world = new PoolWorld()
    await world.registry.retire('brazil/primary unknown')
    await retire()
    expect(world.connectors.size).to.equal(0)
  })
})

describe('a process that goes on from the memory of another', () => {
  const { pid } = process
  const goOnAs = (value: number): unknown =>
    Object.defineProperty(process, 'pid', { value, configurable: true, enumerable: true })
  afterEach(() => goOnAs(pid))

  it('neither uses nor closes the connections of the other', async () => {
    const world = new PoolWorld()
    ;(await world.lend(writing)).release()
    const theirs = world.connector('brazil-primary')
    goOnAs(pid + 1)
    expect(world.registry.list(world.topology)[0]?.state).to.equal('idle')
    expect(world.registry.isOpen(world.shard.primary)).to.equal(false)
    await world.registry.closeAll(0)
    expect([theirs.closes, theirs.open]).to.deep.equal([0, 1])
    const lease = await world.lend(writing)
    expect(world.connectors.get('brazil-primary')).to.have.length(2)
    expect(theirs.connections).to.not.include(lease.physical)
    lease.release()
    await world.registry.closeAll(0)
    expect([theirs.closes, world.connector('brazil-primary').closes]).to.deep.equal([0, 1])
  })
})

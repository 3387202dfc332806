import { mock } from 'node:test'
import { expect } from 'chai'
import {
  AcquireTimeoutError,
  ConnectError,
  NoReplicaError,
  PoolClosedError,
} from '../../lib/errors.js'
import type { Lease } from '../../lib/pool/lease.js'
import { PoolWorld, reading, writing } from './pool-world.js'
import { failureOf, gate, refused, settle } from './stub-connector.js'

describe('a request to a replica that cannot be reached', () => {
  let world: PoolWorld

  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
  afterEach(async () => {
    mock.timers.reset()
    expect(world.load).to.deep.equal([0, 0])
    await world.registry.closeAll(0)
  })

  const node = async (lending: Promise<Lease>): Promise<string> => {
    const lease = await lending
    lease.release()
    return lease.endpoint.node
  }

  it('goes on to a sibling, and tells why the first was skipped', async () => {
    world = new PoolWorld()
    world.fail('br-2', refused())
    const lease = await world.lend(reading)
    expect([lease.endpoint.node, lease.isFallback]).to.deep.equal(['br-3', false])
    expect(lease.skipped).to.deep.equal([{ node: 'br-2', why: 'connect ECONNREFUSED' }])
    lease.release()
    expect(world.connected).to.deep.equal(['br-2', 'br-3'])
    expect(world.shard.onlineReplicas.get(undefined)).to.have.length(1)
  })

  it('goes on too where the pool is open already', async () => {
    world = new PoolWorld()
    const held = await world.lend(reading)
    world.fail('br-2', refused())
    expect([held.endpoint.node, await node(world.lend(reading))]).to.deep.equal(['br-2', 'br-3'])
    held.release()
  })

  it('goes on where a verifier refuses the replica', async () => {
    const fresh = {
      name: 'fresh',
      verify: (_: unknown, at: { readonly node: string }) => at.node !== 'br-2',
    }
    const verify = { when: new Set(['always'] as const), idleMs: 0, timeoutMs: 50 }
    world = new PoolWorld({}, { verify: { ...verify, verifiers: [fresh] } })
    const lease = await world.lend(reading)
    expect([lease.endpoint.node, lease.verified]).to.deep.equal(['br-3', true])
    expect(lease.skipped[0]?.why).to.match(/verifier fresh refused the server/)
    lease.release()
    expect(world.openAt('brazil-primary')).to.equal(0)
  })

  it('goes on after one silent connection, and closes those of its age unheard', async () => {
    const when = new Set(['after-error'] as const)
    world = new PoolWorld({}, { verify: { when, idleMs: 0, timeoutMs: 50, verifiers: [] } })
    const held = await Promise.all([world.lend(reading), world.lend(reading), world.lend(reading)])
    held[0]?.began()
    held[0]?.ended('timeout')
    for (const lease of held) lease.release()
    const pings = (): number =>
      world.connector('br-2').connections.reduce((sum, each) => sum + each.pings, 0)
    world.connector('br-2').pingGate = new Promise(() => undefined)
    const lending = world.lend(reading)
    await settle()
    await world.pass(50)
    expect([await node(lending), pings()]).to.deep.equal(['br-3', 1])
    await settle()
    expect(world.openAt('br-2')).to.equal(0)
  })

  it('stays where the replica refuses the user, or has no place', async () => {
    world = new PoolWorld()
    for (const [errno, failure] of [
      [1045, 'access-denied'],
      [1040, 'too-many-connections'],
    ] as const) {
      world.fail('br-2', Object.assign(new Error('refused'), { errno }))
      const error = await failureOf(world.lend(reading))
      expect(error).to.be.instanceOf(ConnectError).with.property('failure', failure)
    }
    expect(world.shard.onlineReplicas.get(undefined)).to.have.length(2)
  })

  it('comes to the primary when no replica is left, and back when one is', async () => {
    world = new PoolWorld()
    world.fail('br-2', refused())
    world.fail('br-3', refused())
    const lease = await world.lend(reading)
    expect([lease.endpoint.node, lease.isFallback]).to.deep.equal(['brazil-primary', true])
    expect(lease.skipped.map((skipped) => skipped.node)).to.deep.equal(['br-2', 'br-3'])
    lease.release()
    await world.pass(0) // the probe that follows at once
    world.fail('br-3', undefined)
    await world.pass(999)
    expect(await node(world.lend(reading))).to.equal('brazil-primary')
    await world.pass(1)
    expect(await node(world.lend(reading))).to.equal('br-3')
    expect(world.warnings).to.deep.equal([
      'brazil/replica br-2 is out of service: connect ECONNREFUSED',
      'brazil/replica br-3 is out of service: connect ECONNREFUSED',
      'brazil/replica br-3 is back in service',
    ])
  })

  it('takes half of the primary at most, and leaves the rest to writes', async () => {
    world = new PoolWorld()
    world.fail('br-2', refused())
    world.fail('br-3', refused())
    const reads = [await world.lend(reading), await world.lend(reading)]
    const third = world.lend(reading)
    const late = failureOf(world.lend(reading))
    await settle()
    expect(world.registry.poolOf(world.shard.primary).numbers).to.include({ active: 2, waiting: 2 })
    const writes = [await world.lend(writing), await world.lend(writing)]
    expect(writes.map(({ isFallback }) => isFallback)).to.deep.equal([false, false])
    for (const lease of [...writes, reads[0]]) lease?.release()
    const next = await third
    expect(next.isFallback).to.equal(true)
    await world.pass(100)
    expect(await late).to.be.instanceOf(AcquireTimeoutError)
    for (const lease of [reads[1], next]) lease?.release()
    const again = await Promise.all([world.lend(reading), world.lend(reading)])
    for (const lease of again) lease.release()
  })

  it('has its place in that half free again though the primary fails too', async () => {
    world = new PoolWorld({}, { fallbackLimit: 1 })
    const down = refused()
    for (const each of ['br-2', 'br-3', 'brazil-primary']) world.fail(each, down)
    const read = async (): Promise<unknown> => {
      const reads = failureOf(world.lend(reading).then((lease) => lease.release()))
      await settle()
      await world.pass(1000)
      return reads
    }
    for (let turn = 0; turn < 3; turn += 1) expect(await read()).to.have.property('cause', down)
    world.fail('brazil-primary', undefined)
    expect(await read()).to.equal(undefined)
    const held = await world.lend(writing)
    world.fail('brazil-primary', down)
    for (let turn = 0; turn < 3; turn += 1) expect(await read()).to.have.property('cause', down)
    world.fail('brazil-primary', undefined)
    expect(await read()).to.equal(undefined)
    held.release()
  })

  it('has its place in that half free again though writes take all of the primary', async () => {
    world = new PoolWorld({}, { fallbackLimit: 1 }, { max: 2 })
    world.fail('br-2', refused())
    world.fail('br-3', refused())
    const writes = [await world.lend(writing), await world.lend(writing)]
    for (let turn = 0; turn < 2; turn += 1) {
      const late = failureOf(world.lend(reading))
      await settle()
      await world.pass(100)
      expect(await late).to.be.instanceOf(AcquireTimeoutError)
    }
    for (const lease of writes) lease.release()
    expect(await node(world.lend(reading))).to.equal('brazil-primary')
  })

  it('counts as one where its route knew already that no replica is left', async () => {
    world = new PoolWorld()
    const route = { ...writing, reason: 'no replica available' } as const
    const lease = await world.lend(route)
    expect([lease.endpoint.node, lease.isFallback]).to.deep.equal(['brazil-primary', true])
    lease.release()
  })

  it('takes all of the primary where replicas are collapsed into it', async () => {
    world = new PoolWorld({}, {}, { collapseReplicas: true, max: 2 })
    const leases = await Promise.all([world.lend(reading), world.lend(reading)])
    expect(leases.map(({ isFallback }) => isFallback)).to.deep.equal([false, false])
    for (const lease of leases) lease.release()
  })

  it('ends in NoReplicaError where onNoReplica is error, with the reason', async () => {
    world = new PoolWorld({ onNoReplica: 'error' })
    const last = refused()
    world.fail('br-2', refused())
    world.fail('br-3', last)
    const error = await failureOf(world.lend(reading))
    if (!(error instanceof NoReplicaError)) throw error
    expect((error.cause as ConnectError).cause).to.equal(last)
    expect(world.connected).to.deep.equal(['br-2', 'br-3'])
    const next = await failureOf(world.lend(reading))
    if (!(next instanceof NoReplicaError)) throw next
    expect(next.cause).to.equal(undefined)
  })

  it('is refused as closed with the data source, and tries no sibling', async () => {
    world = new PoolWorld()
    const { promise, open } = gate()
    const held = await world.lend(reading)
    world.connector('br-2').connectGate = promise
    const waiting = failureOf(world.lend(reading))
    world.isStarted = false
    await world.registry.closeAll(0)
    open()
    expect(await waiting).to.be.instanceOf(PoolClosedError)
    await settle()
    expect([held.isReleased, world.connected]).to.deep.equal([true, ['br-2']])
    expect(world.openAt('br-2')).to.equal(0)
  })
})

import { mock } from 'node:test'
import { expect } from 'chai'
import { AcquireTimeoutError, PoolClosedError } from '../../lib/errors.js'
import { ConnectionScope } from '../../lib/pool/connection-scope.js'
import type { Lease } from '../../lib/pool/lease.js'
import { ProcessLimit } from '../../lib/pool/process-limit.js'
import type { WantedServer } from '../../lib/pool/registry.js'
import { PoolWorld, reading, writing } from './pool-world.js'
import { failureOf, refused, settle } from './stub-connector.js'

describe('a limit of connections for the process', () => {
  let world: PoolWorld
  let limit: ProcessLimit

  const worldOf = (max: number, acquireTimeoutMs = 100): void => {
    limit = new ProcessLimit({
      max,
      acquireTimeoutMs,
      pools: () => world.registry.pools,
      now: () => world.now,
    })
    world = new PoolWorld({}, { limit, acquireTimeoutMs })
  }
  /** Asks the second replica; `reading` asks the first. */
  const second = (): Promise<Lease> =>
    world.lend(reading, { balance: (candidates) => candidates[1] ?? candidates[0] })
  const use = async (lending: Promise<Lease>): Promise<void> => {
    const lease = await lending
    world.now += 1
    lease.release()
  }
  const open = (): number => [...world.registry.pools].reduce((sum, pool) => sum + pool.open, 0)
  const openOf = (node: string): number => world.connector(node).sockets

  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
  afterEach(async () => {
    mock.timers.reset()
    expect(world.load).to.deep.equal([0, 0])
    expect(limit.isAwaited).to.equal(false)
    await world.registry.closeAll(0)
  })

  it('closes an idle connection of the pool that was used least recently', async () => {
    worldOf(2)
    await use(world.lend(reading))
    await use(world.lend(writing))
    await use(world.lend(reading))
    await use(second())
    expect(['brazil-primary', 'br-2', 'br-3'].map(openOf)).to.deep.equal([0, 1, 1])
    await use(world.lend(writing))
    expect(['brazil-primary', 'br-2', 'br-3'].map(openOf)).to.deep.equal([1, 0, 1])
  })

  it('closes none for a connection that is at hand', async () => {
    worldOf(2)
    await use(world.lend(writing))
    await use(world.lend(reading))
    for (let turn = 0; turn < 3; turn += 1) {
      await use(world.lend(writing))
      await use(world.lend(reading))
    }
    expect(['brazil-primary', 'br-2'].map((node) => world.connector(node).attempts)).to.deep.equal([
      1, 1,
    ])
  })

  it('has who finds none idle wait until one is given back', async () => {
    worldOf(1)
    const held = await world.lend(writing)
    let isLent = false
    const waiting = world.lend(reading).then((lease) => {
      isLent = true
      return lease
    })
    await settle()
    expect([isLent, limit.isAwaited, open()]).to.deep.equal([false, true, 1])
    held.release()
    const lease = await waiting
    expect([lease.endpoint.node, open()]).to.deep.equal(['br-2', 1])
    lease.release()
  })

  it('lets those who wait in, in the order in which they came', async () => {
    worldOf(1)
    const held = await world.lend(writing)
    const order: string[] = []
    const asking = [world.lend(reading), second()].map(async (lending) => {
      const lease = await lending
      order.push(lease.endpoint.node)
      lease.release()
    })
    await settle()
    held.release()
    await Promise.all(asking)
    expect(order).to.deep.equal(['br-2', 'br-3'])
  })

  it('names itself to who waited in vain, and forgets him', async () => {
    worldOf(1)
    await use(world.lend(reading))
    const held = await world.lend(writing)
    const waiting = [failureOf(world.lend(reading)), failureOf(second())]
    await settle()
    await world.pass(100)
    for (const error of await Promise.all(waiting)) {
      expect(error).to.be.instanceOf(AcquireTimeoutError)
      expect((error as Error).message).to.match(
        /by the limit of 1 connections of the process \(maxConnections\): no connection after 100 ms/,
      )
    }
    expect(limit.isAwaited).to.equal(false)
    held.release()
    await use(world.lend(reading))
    await use(second())
    const { primary, replicas } = world.shard
    expect(
      [primary, ...replicas].map((endpoint) => world.registry.poolOf(endpoint).idle),
    ).to.deep.equal([0, 0, 1])
  })

  it('has the place free again when a connection could not be had', async () => {
    worldOf(1)
    world.fail('brazil-primary', refused())
    for (let turn = 0; turn < 3; turn += 1) {
      const failure = failureOf(world.lend(writing))
      await world.pass(1000)
      expect(await failure).to.have.property('code', 'ECONNREFUSED')
    }
    await use(world.lend(reading))
    expect(open()).to.equal(1)
  })

  it('closes what a scope keeps where no pool has an idle one', async () => {
    worldOf(1)
    const scope = new ConnectionScope({
      late: 'refuse',
      drainMs: 100,
      warn: () => undefined,
      ended: (ended) => limit.scopes.delete(ended),
    })
    limit.scopes.add(scope)
    await use(world.lend(writing, { connectionScope: scope }))
    expect(openOf('brazil-primary')).to.equal(1)
    await use(world.lend(reading))
    expect(['brazil-primary', 'br-2'].map(openOf)).to.deep.equal([0, 1])
    await scope.end()
    expect(limit.scopes.size).to.equal(0)
  })

  it('counts the connections of a server that was replaced until they are closed', async () => {
    worldOf(1)
    const held = await world.lend(writing)
    const retired = world.registry.retire(world.shard.primary.id)
    await settle()
    const waiting = world.lend(reading)
    await settle()
    expect(world.connectors.get('br-2')?.[0]?.open).to.equal(0)
    held.release()
    await retired
    ;(await waiting).release()
  })

  it('refuses as closed who still waits when all is closed', async () => {
    worldOf(1)
    const held = await world.lend(writing)
    const waiting = failureOf(world.lend(writing))
    const other = failureOf(world.lend(reading))
    await settle()
    world.isStarted = false
    await world.registry.closeAll(0)
    expect(await waiting).to.be.instanceOf(PoolClosedError)
    expect(await other).to.be.instanceOf(PoolClosedError)
    expect([held.isReleased, open()]).to.deep.equal([true, 0])
  })

  it('is kept by work of all kinds at a time', async () => {
    worldOf(3, 0)
    const routes: readonly WantedServer[] = [writing, reading]
    let most = 0
    const work = async (index: number): Promise<void> => {
      for (let turn = 0; turn < 10; turn += 1) {
        const lease = await (index % 3 === 2 ? second() : world.lend(routes[index % 3] ?? reading))
        most = Math.max(most, open())
        world.now += 1
        await settle()
        lease.release((index + turn) % 7 === 0 ? new Error('broken') : undefined)
      }
    }
    await Promise.all(Array.from({ length: 12 }, (_, index) => work(index)))
    expect(most).to.equal(3)
  })
})

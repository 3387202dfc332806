import { expect } from 'chai'
import { until } from '../../support/until.js'
import type { Fault } from '../fault.js'
import { limits } from '../stage.js'
import { read, readSlowly } from '../words.js'
import { lost, refused, writers, unknown } from './killed.js'

const timedOut = 'QueryFailedError QueryTimeoutError'
const unreached = 'ConnectError host-unreachable(?: ETIMEDOUT| ECONNRESET)?'

/** A statement, and the attempts to get another connection. */
const oneAndAnother = limits.queryTimeoutMs + limits.acquireTimeoutMs + 500

export const network: readonly Fault[] = [
  {
    title: 'replica frozen (SIGSTOP)',
    boundMs: oneAndAnother,
    errors: { atMost: 6, like: new RegExp(`^(?:${timedOut})$`), callers: /^north read/ },
    async run(stage) {
      const { node } = stage.world.servers['north-1']
      await stage.load()
      await stage.inject(() => node.pause())
      await stage.lasts(1)
      await stage.heal(() => node.resume(), 'north-1')
    },
  },
  {
    title: 'primary frozen (SIGSTOP)',
    boundMs: oneAndAnother,
    errors: {
      atMost: 30,
      like: new RegExp(`^(?:${timedOut}|${unreached}|${unknown})$`),
      callers: writers,
    },
    async run(stage) {
      const { node } = stage.world.servers.north
      await stage.load()
      await stage.inject(() => node.pause())
      await stage.lasts(1)
      await stage.heal(() => node.resume())
    },
  },
  {
    title: 'connections refused by a replica',
    boundMs: limits.acquireTimeoutMs,
    async run(stage) {
      const { proxy } = stage.world.servers['north-1']
      await stage.load()
      await stage.inject(async () => {
        await proxy.refuse()
        proxy.cut()
      })
      await stage.lasts()
      await stage.heal(() => proxy.pass(), 'north-1')
    },
  },
  {
    title: 'connections refused by the primary',
    boundMs: limits.acquireTimeoutMs,
    errors: {
      atMost: 60,
      like: new RegExp(`^(?:${lost}|${refused}|${unknown})$`),
      callers: writers,
    },
    async run(stage) {
      const { proxy } = stage.world.servers.north
      await stage.load()
      await stage.inject(async () => {
        await proxy.refuse()
        proxy.cut()
      })
      await stage.lasts()
      await stage.heal(() => proxy.pass())
    },
  },
  {
    title: 'packets of a replica dropped',
    boundMs: oneAndAnother,
    errors: { atMost: 6, like: new RegExp(`^(?:${timedOut})$`), callers: /^north read/ },
    async run(stage) {
      const { proxy } = stage.world.servers['north-1']
      await stage.load()
      await stage.inject(() => proxy.blackhole())
      await stage.lasts(1)
      await stage.heal(() => proxy.pass(), 'north-1')
    },
  },
  {
    title: 'packets of the primary dropped',
    boundMs: oneAndAnother,
    errors: {
      atMost: 30,
      like: new RegExp(`^(?:${timedOut}|${unreached}|${lost}|${unknown})$`),
      callers: writers,
    },
    async run(stage) {
      const { proxy } = stage.world.servers.north
      await stage.load()
      await stage.inject(() => proxy.blackhole())
      await stage.lasts()
      await stage.heal(() => proxy.pass())
    },
  },
  {
    title: 'idle connections half open',
    boundMs: oneAndAnother,
    async run(stage) {
      await stage.load({ octopus: { verifyIdleMs: 1 } })
      await stage.rest()
      await stage.inject(() => stage.world.all.forEach(({ proxy }) => proxy.halfOpen()))
      stage.wake()
      await stage.lasts()
      await stage.heal(() => Promise.all(stage.world.all.map(({ proxy }) => proxy.pass())))
    },
  },
  {
    title: 'a whole pool half open, one caller',
    boundMs: limits.verifyTimeoutMs + limits.connectTimeoutMs,
    async run(stage) {
      const { proxy, node } = stage.world.servers.south
      const unit = { caller: 'unit', shard: 'south', kind: 'read' } as const
      await stage.open({ octopus: { verifyIdleMs: 1 } })
      const south = stage.db.shard('south')
      await Promise.all(
        Array.from({ length: 10 }, () => readSlowly(south, 'south', stage.engine, 0.1)),
      )
      const idleSince = performance.now()
      const isPoolIdle = async () =>
        performance.now() > idleSince + 5 && (await node.connections()) === 10
      await until(isPoolIdle, { what: 'ten connections to be idle' })
      const { accepted } = proxy
      await stage.inject(() => proxy.halfOpen())
      await stage.call(unit, () => read(south, 'south'))
      expect(proxy.accepted - accepted, 'new connections').to.equal(1)
      await stage.heal(() => proxy.pass())
      await stage.recovers(() => read(south, 'south'))
    },
  },
  {
    title: 'all connections reset (RST)',
    boundMs: limits.acquireTimeoutMs,
    // Who writes or reads then, once. A read may be on its second connection.
    errors: {
      atMost: 12,
      like: new RegExp(`^(?:${lost}|${refused}|${unknown})$`),
      callers: /./,
    },
    async run(stage) {
      await stage.load()
      await stage.inject(() => stage.world.all.forEach(({ proxy }) => proxy.reset()))
      await stage.lasts()
      await stage.heal(() => undefined)
    },
  },
  {
    title: 'slow replica, within the query timeout',
    boundMs: limits.acquireTimeoutMs,
    async run(stage) {
      const { proxy } = stage.world.servers['north-1']
      await stage.load()
      await stage.inject(() => proxy.delay(40))
      await stage.lasts()
      await stage.heal(() => proxy.pass(), 'north-1')
    },
  },
  {
    title: 'slow replica, beyond the query timeout',
    boundMs: oneAndAnother,
    errors: { atMost: 6, like: new RegExp(`^(?:${timedOut})$`), callers: /^north read/ },
    async run(stage) {
      const { proxy } = stage.world.servers['north-1']
      await stage.load()
      await stage.inject(() => proxy.delay(2 * limits.queryTimeoutMs))
      await stage.lasts()
      await stage.heal(() => proxy.pass(), 'north-1')
    },
  },
]

import dns from 'node:dns'
import { expect } from 'chai'
import { TcpProxy } from '../../support/faults/tcp-proxy.js'
import type { Fault } from '../fault.js'
import { southernWriterCount, southernWriters } from '../jobs.js'
import { limits } from '../stage.js'
import type { FaultWorld } from '../world.js'
import { lost, refused, writers, unknown } from './killed.js'

/** A name that nobody has; its address is told by the spec. */
const movingName = 'south.octopus.test'

/** Does some work while a name has the address that `addressOf` gives. */
const withName = async (addressOf: () => string, work: () => Promise<void>): Promise<void> => {
  const { lookup } = dns
  const told = (name: string, ...rest: unknown[]): unknown =>
    Reflect.apply(lookup, dns, [name === movingName ? addressOf() : name, ...rest])
  dns.lookup = Object.assign(told, { __promisify__: lookup.__promisify__ }) as typeof lookup
  try {
    await work()
  } finally {
    dns.lookup = lookup
  }
}

const setReadOnly = (world: FaultWorld, name: 'south' | 'spare', isReadOnly: boolean) =>
  world.servers[name].node.setReadOnly(isReadOnly)

export const moved: readonly Fault[] = [
  {
    title: 'read_only swapped between two servers',
    boundMs: limits.acquireTimeoutMs + limits.queryTimeoutMs,
    // As many as connections were busy: one for each that writes.
    errors: {
      atMost: southernWriterCount,
      like: /^QueryFailedError (?:ER_OPTION_PREVENTS_STATEMENT|25006)$/,
      callers: /^south write/,
    },
    async run(stage) {
      const { world } = stage
      const { south, spare } = world.servers
      await setReadOnly(world, 'spare', true)
      await stage.load({}, southernWriters)
      await stage.inject(async () => {
        await setReadOnly(world, 'south', true)
        await setReadOnly(world, 'spare', false)
        south.proxy.retarget(spare.node)
      })
      await stage.heal(() => undefined)
      await stage.lasts(20)
      const { writes } = await stage.trafficSinceFault('spare')
      expect(writes, 'writes on the other server').to.be.greaterThan(0)
    },
    async restore(world) {
      await setReadOnly(world, 'south', false)
      await setReadOnly(world, 'spare', false)
    },
  },
  {
    title: 'DNS name that changes',
    boundMs: limits.acquireTimeoutMs,
    errors: {
      atMost: 20,
      like: new RegExp(`^(?:${lost}|${refused}|${unknown})$`),
      callers: /^south/,
    },
    async run(stage) {
      const { south, spare } = stage.world.servers
      const { port } = south.proxy
      const other = await TcpProxy.start(spare.node, { host: '127.0.0.2', port })
      let address = '127.0.0.1'
      try {
        await withName(
          () => address,
          async () => {
            await stage.load({ south: { host: movingName, port } })
            await stage.inject(() => stage.world.kill('south'))
            await stage.lasts()
            await stage.heal(() => {
              address = other.host
            })
            const { reads, writes } = await stage.trafficSinceFault('spare')
            expect(reads > 0 && writes > 0, 'reads and writes at the new address').to.equal(true)
          },
        )
        await stage.leave()
      } finally {
        await other.stop()
      }
    },
  },
  {
    title: 'server restarted with other data',
    boundMs: limits.acquireTimeoutMs,
    errors: {
      atMost: 20,
      like: new RegExp(`^(?:${lost}|${refused}|${unknown})$`),
      callers: /^south/,
    },
    async run(stage) {
      const { south, spare } = stage.world.servers
      await stage.load()
      await stage.inject(() => stage.world.kill('south'))
      await stage.lasts()
      await stage.heal(async () => {
        south.proxy.retarget(spare.node)
        await south.proxy.pass()
      })
      const { reads, writes } = await stage.trafficSinceFault('spare')
      expect(reads > 0 && writes > 0, 'reads and writes of the other data').to.equal(true)
    },
  },
]

/** The last row: the servers of shard north are others afterwards. */
export const promoted: readonly Fault[] = [
  {
    title: "replica promoted, the primary's address changed",
    boundMs: limits.acquireTimeoutMs,
    errors: {
      atMost: 60,
      like: new RegExp(`^(?:${lost}|${refused}|${unknown})$`),
      callers: writers,
    },
    async run(stage) {
      const { world } = stage
      const successor = world.servers['north-1']
      await stage.load()
      await stage.inject(() => world.kill('north'))
      await stage.lasts()
      await stage.heal(async () => {
        stage.promoted('north-1')
        await world.cluster.promote(successor.node)
        world.servers.north.proxy.retarget(successor.node)
        await world.servers.north.proxy.pass()
      })
    },
  },
]

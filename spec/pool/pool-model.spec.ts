import { mock } from 'node:test'
import { expect } from 'chai'
import fc from 'fast-check'
import { ConnectionScope } from '../../lib/pool/connection-scope.js'
import type { FailureKind } from '../../lib/pool/failure.js'
import type { Lease } from '../../lib/pool/lease.js'
import type { Candidates, Endpoint } from '../../lib/topology/snapshot.js'
import { PoolWorld, reading, writing } from './pool-world.js'
import { refused, settle } from './stub-connector.js'

const nodes = ['brazil-primary', 'br-2', 'br-3'] as const
const failures: readonly (FailureKind | undefined)[] = [
  undefined,
  undefined,
  'statement',
  'lost',
  'timeout',
  'read-only',
  'stale',
]

/** One thing that happens to a data source. */
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      is: fc.constant('lend' as const),
      reads: fc.boolean(),
      scoped: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant('end' as const),
      failure: fc.constantFrom(...failures),
    }),
  },
  fc.record({ is: fc.constant('pass' as const), ms: fc.constantFrom(1, 50, 120, 1000) }),
  fc.record({ is: fc.constant('fault' as const), node: fc.constantFrom(...nodes) }),
  fc.record({ is: fc.constant('heal' as const), node: fc.constantFrom(...nodes) }),
  fc.record({ is: fc.constant('retire' as const), node: fc.constantFrom(...nodes) }),
  fc.record({ is: fc.constant('shed' as const), node: fc.constantFrom(...nodes) }),
  fc.record({ is: fc.constant('verify' as const), node: fc.constantFrom(...nodes) }),
)

describe('pools in any weather', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
  afterEach(() => mock.timers.reset())

  it('answer everybody, lend each connection once, and lose no place or connection', async function () {
    this.timeout(60_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 10, maxLength: 50, size: 'max' }),
        async (events) => {
          const when = new Set(['idle', 'after-error'] as const)
          const verify = { when, idleMs: 100, timeoutMs: 50, verifiers: [] }
          const world = new PoolWorld(
            {},
            { verify, fallbackLimit: 1, maxLifetimeMs: 900 },
            { max: 2 },
          )
          const scope = new ConnectionScope({
            late: 'refuse',
            drainMs: 50,
            warn: () => {},
            ended: () => {},
          })
          const leases: Lease[] = []
          let asked = 0
          let answered = 0
          const retiring: Promise<unknown>[] = []
          const endpointOf = (node: string) =>
            [world.shard.primary, ...world.shard.replicas].find((each) => each.node === node) ??
            world.shard.primary
          for (const each of events) {
            if (each.is === 'lend') {
              asked += 1
              const connectionScope = each.scoped ? scope : undefined
              world.lend(each.reads ? reading : writing, { connectionScope }).then(
                (lease) => {
                  answered += 1
                  lease.began()
                  leases.push(lease)
                },
                () => (answered += 1),
              )
            } else if (each.is === 'end') {
              const lease = leases.shift()
              lease?.ended(each.failure)
              lease?.release()
            } else if (each.is === 'pass') await world.pass(each.ms)
            else if (each.is === 'fault') world.fail(each.node, refused())
            else if (each.is === 'heal') world.fail(each.node, undefined)
            else if (each.is === 'retire')
              retiring.push(world.registry.retire(endpointOf(each.node).id))
            else if (each.is === 'shed') void world.registry.poolOf(endpointOf(each.node)).shed()
            else
              world.registry
                .poolOf(endpointOf(each.node))
                .verifyIdle()
                .catch(() => undefined)
            await settle()
            const lent = leases.map(({ physical }) => physical)
            expect(new Set(lent).size).to.equal(lent.length)
            for (const { numbers } of world.registry.pools)
              expect(numbers.active).to.be.at.most(numbers.max)
          }
          for (const node of nodes) world.fail(node, undefined)
          for (let turn = 0; turn < 60 && (leases.length > 0 || answered < asked); turn += 1) {
            for (const lease of leases.splice(0)) {
              lease.ended()
              lease.release()
            }
            await world.pass(1000)
          }
          expect(answered).to.equal(asked)
          expect(world.load).to.deep.equal([0, 0])
          await Promise.all(retiring)
          for (let turn = 0; turn < 40; turn += 1) await world.pass(1000)
          expect(world.shard.onlineReplicas.get(undefined)).to.have.length(2)
          // Every place is free: as many as there are at a time, on each server.
          const lendAll = async (...lending: Promise<Lease>[]): Promise<void> => {
            const settled = Promise.allSettled(lending)
            await settle()
            await world.pass(200)
            for (const result of await settled) {
              if (result.status === 'rejected') throw result.reason
              result.value.release()
            }
          }
          const second = { balance: ([one, other]: Candidates): Endpoint => other ?? one }
          await lendAll(world.lend(writing), world.lend(writing))
          await lendAll(world.lend(reading), world.lend(reading))
          await lendAll(world.lend(reading, second), world.lend(reading, second))
          await lendAll(world.lend({ ...writing, reason: 'no replica available' }))
          const ending = scope.end()
          for (let turn = 0; turn < 5; turn += 1) await world.pass(50)
          await ending
          await world.registry.closeAll(0)
          for (const node of nodes) expect(world.openAt(node)).to.equal(0)
        },
      ),
      { numRuns: 300 },
    )
  })
})

import { expect } from 'chai'
import { type RouteFilter, RouteSieve } from '../../lib/trace/filter.js'
import { routeEvent } from './support.js'

describe('a filter of events', () => {
  for (const [title, filter, passing, refused] of [
    ['a shard', { shard: 'brazil' }, { shard: 'brazil' }, { shard: 'canada' }],
    ['one of several shards', { shard: ['a', 'b'] }, { shard: 'b' }, { shard: 'c' }],
    ['an entity', { entity: 'User' }, { entity: 'User' }, { entity: undefined }],
    ['a reason', { reason: 'write' }, { reason: 'write' }, { reason: 'lock' }],
    ['a kind', { kind: 'bypass' }, { kind: 'bypass' }, { kind: 'statement' }],
    ['nothing said', {}, { kind: 'bypass' }, { kind: 'internal' }],
    ['internal ones too', { internal: true }, { kind: 'internal' }, undefined],
    ['internal ones only', { kind: 'internal' }, { kind: 'internal' }, { kind: 'statement' }],
    ['slowness', { slowerThanMs: 5 }, { durationMs: 5 }, { durationMs: 4.9 }],
  ] as const satisfies readonly (readonly [
    string,
    RouteFilter,
    Parameters<typeof routeEvent>[0],
    Parameters<typeof routeEvent>[0] | undefined,
  ])[])
    it(`by ${title}`, () => {
      const sieve = new RouteSieve(filter)
      expect(sieve.passes(routeEvent(passing))).to.equal(true)
      if (refused !== undefined) expect(sieve.passes(routeEvent(refused))).to.equal(false)
    })

  it('says no before there is an event, where it can', () => {
    const sieve = new RouteSieve({ shard: 'brazil', reason: 'write', slowerThanMs: 5 })
    const before = { kind: 'statement', reason: 'write', entity: 'User' } as const
    expect(sieve.mayPass({ ...before, shard: 'brazil' })).to.equal(true)
    expect(sieve.mayPass({ ...before, shard: 'canada' })).to.equal(false)
    expect(sieve.mayPass({ ...before, shard: { name: 'brazil' }, reason: 'lock' })).to.equal(false)
  })

  it('samples scopes whole, in about the share that was asked for', () => {
    const sieve = new RouteSieve({ sample: 0.25 })
    let passed = 0
    for (let scope = 0; scope < 4000; scope += 1) {
      const scopeId = `0a1b2c3d4e-s${scope}`
      const first = sieve.passes(routeEvent({ scopeId, routeId: 'x-1' }))
      expect(sieve.passes(routeEvent({ scopeId, routeId: 'x-2' }))).to.equal(first)
      if (first) passed += 1
    }
    expect(passed).to.be.within(850, 1150)
  })

  it('samples by the route outside scopes, the same for every listener', () => {
    const [one, other] = [new RouteSieve({ sample: 0.5 }), new RouteSieve({ sample: 0.5 })]
    const outcomes = new Set<boolean>()
    for (let route = 0; route < 100; route += 1) {
      const event = routeEvent({ scopeId: undefined, routeId: `0a1b2c3d4e-${route}` })
      expect(one.passes(event)).to.equal(other.passes(event))
      outcomes.add(one.passes(event))
    }
    expect(outcomes.size).to.equal(2)
  })

  it('passes all or none at the ends', () => {
    expect(new RouteSieve({ sample: 1 }).passes(routeEvent({}))).to.equal(true)
    expect(new RouteSieve({ sample: 0 }).passes(routeEvent({}))).to.equal(false)
  })

  for (const sample of [-0.1, 1.1, Number.NaN])
    it(`takes no share of ${sample}`, () =>
      expect(() => new RouteSieve({ sample })).to.throw(TypeError, 'from 0 to 1'))
})

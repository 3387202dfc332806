import { expect } from 'chai'
import fc from 'fast-check'
import { Balancers, roundRobin } from '../../lib/router/balancer.js'
import { type Candidates, hasCandidates } from '../../lib/topology/snapshot.js'
import { topologyWith } from '../support/topology.js'
import { randomFrom } from './support.js'

/** Replicas with these weights, named a, b, c … */
const replicas = (...weights: readonly number[]): Candidates => {
  const sketches = weights.map((weight, index) => ({
    name: String.fromCodePoint(97 + index),
    weight,
  }))
  const online = topologyWith({ master: { replicas: sketches } })
    .shards.get('master')
    ?.onlineReplicas.get(undefined)
  if (online === undefined || !hasCandidates(online)) throw new TypeError('No replicas')
  return online
}

const picks = (balance: ReturnType<typeof roundRobin>, from: Candidates, count: number): string =>
  Array.from({ length: count }, () => balance(from).node).join('')

const atStart = (): number => 0

/** How many first, second, … statements of `requests` requests each replica got. */
const shapes = (
  random: () => number,
  from: Candidates,
  statements: number,
  requests: number,
): number[][] => {
  const balance = roundRobin(random)
  const counts = Array.from({ length: statements }, () => from.map(() => 0))
  for (let request = 0; request < requests; request += 1)
    for (const shape of counts) {
      const index = from.indexOf(balance(from))
      shape[index] = (shape[index] ?? 0) + 1
    }
  return counts
}

/** The greatest distance of a share from its fair part, as a fraction of that part. */
const skew = (counts: readonly number[][]): number =>
  Math.max(
    ...counts.flatMap((shape) => {
      const fair = shape.reduce((sum, count) => sum + count, 0) / shape.length
      return shape.map((count) => Math.abs(count - fair) / fair)
    }),
  )

describe('roundRobin', () => {
  it('takes every replica in turn', () => {
    expect(picks(roundRobin(atStart), replicas(1, 1, 1), 6)).to.equal('abcabc')
  })

  it('starts each round where chance says', () => {
    const starts = [0.99, 0.4, 0]
    const balance = roundRobin(() => starts.shift() ?? 0)
    expect(picks(balance, replicas(1, 1, 1), 9)).to.equal('cab' + 'bca' + 'abc')
  })

  it('spreads a heavy replica over its round', () => {
    expect(picks(roundRobin(atStart), replicas(5, 1, 1), 7)).to.equal('aabacaa')
  })

  it('gives each replica exactly its weight in every round', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
        fc.integer(),
        (weights, seed) => {
          const from = replicas(...weights)
          const balance = roundRobin(randomFrom(seed))
          const total = weights.reduce((sum, weight) => sum + weight, 0)
          for (let round = 0; round < 5; round += 1) {
            const turn = picks(balance, from, total)
            const counts = from.map(({ node }) => turn.split(node).length - 1)
            expect(counts).to.deep.equal(weights)
          }
        },
      ),
    )
  })

  it('starts anew, with chosen shares, when the replicas change', () => {
    const balance = roundRobin(atStart)
    picks(balance, replicas(1, 1), 1)
    expect(picks(balance, replicas(1, 1, 1), 3)).to.equal('abc')
  })

  // A fixed start sends each query of a page to one and the same replica for ever: Octopus did.
  describe('with k statements in each request', () => {
    for (const count of [2, 3, 4])
      for (const statements of [1, 2, 3, 4, 6])
        it(`spreads each of ${statements} evenly over ${count} replicas`, () => {
          const from = replicas(...Array.from({ length: count }, () => 1))
          expect(
            skew(shapes(randomFrom(count * 10 + statements), from, statements, 6000)),
          ).to.be.below(0.08)
        })

    it('would not with a start that is always the same', () => {
      expect(skew(shapes(atStart, replicas(1, 1), 2, 6000))).to.equal(1)
    })
  })
})

describe('Balancers', () => {
  it('keeps one rotation for each shard and replica group', () => {
    const balancers = new Balancers(() => roundRobin(atStart))
    const from = replicas(1, 1)
    expect(picks(balancers.of('brazil', undefined), from, 1)).to.equal('a')
    expect(picks(balancers.of('canada', undefined), from, 1)).to.equal('a')
    expect(picks(balancers.of('brazil', 'reports'), from, 1)).to.equal('a')
    expect(picks(balancers.of('brazil', undefined), from, 1)).to.equal('b')
  })

  it('does not start every rotation at the first replica', () => {
    const balancers = new Balancers()
    const from = replicas(1, 1, 1, 1)
    const first = Array.from({ length: 100 }, (_, index) =>
      picks(balancers.of(`shard-${index}`, undefined), from, 1),
    )
    expect(new Set(first).size).to.be.above(1)
  })
})

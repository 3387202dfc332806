import type { Candidates, Endpoint } from '../topology/snapshot.js'

/** Chooses the server of one checkout. */
export type Balancer = (candidates: Candidates) => Endpoint

/** The first round's order for weights 3 and 1 is a a b a: each as evenly spread as its weight
 *  allows (the smooth weighted round robin of nginx). */
const rotationOf = (candidates: Candidates): Candidates => {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0)
  const credit = candidates.map(() => 0)
  const rotation: Endpoint[] = []
  for (let turn = 0; turn < total; turn += 1) {
    let best = 0
    candidates.forEach(({ weight }, index) => {
      credit[index] = (credit[index] ?? 0) + weight
      if ((credit[index] ?? 0) > (credit[best] ?? 0)) best = index
    })
    credit[best] = (credit[best] ?? 0) - total
    rotation.push(candidates[best] ?? candidates[0])
  }
  return [rotation[0] ?? candidates[0], ...rotation.slice(1)]
}

/**
 * Weighted round robin. Each round starts at a random place: with a fixed start, an application
 * that always sends k statements a request over n replicas sends each of its query shapes to one
 * and the same replica whenever n divides k.
 *
 * @param random - a source of numbers in [0, 1)
 */
export const roundRobin = (random: () => number = Math.random): Balancer => {
  let seen: Candidates | undefined
  let rotation: Candidates | undefined
  let start = 0
  let turn = 0
  return (candidates) => {
    if (rotation === undefined || seen !== candidates) {
      seen = candidates
      rotation = rotationOf(candidates)
      turn = 0
    }
    if (turn === 0) start = Math.floor(random() * rotation.length)
    const pick = rotation[(start + turn) % rotation.length] ?? rotation[0]
    turn = (turn + 1) % rotation.length
    return pick
  }
}

/** The balancers of all rotations: one per shard and replica group, made at first use. */
export class Balancers {
  readonly #create: () => Balancer
  readonly #byShard = new Map<string, Map<string | undefined, Balancer>>()

  constructor(create: () => Balancer = roundRobin) {
    this.#create = create
  }

  /** The balancer of one rotation. */
  of(shard: string, replicaGroup: string | undefined): Balancer {
    let groups = this.#byShard.get(shard)
    if (groups === undefined) this.#byShard.set(shard, (groups = new Map()))
    let balancer = groups.get(replicaGroup)
    if (balancer === undefined) groups.set(replicaGroup, (balancer = this.#create()))
    return balancer
  }
}

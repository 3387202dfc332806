import { type Frame, type FrameChange, childFrame } from '../../lib/context/frame.js'
import type { RoutePolicy } from '../../lib/router/policy.js'
import type { RouteRequest } from '../../lib/router/request.js'

export const owner = Object.freeze({})

/** Scopes in each other, outermost first; the ledger holds `wroteAt`. */
export const framed = (
  changes: readonly Omit<FrameChange, 'label'>[],
  wroteAt: Readonly<Record<string, number>> = {},
): Frame | undefined => {
  const frame = changes.reduce<Frame | undefined>(
    (outer, change) => childFrame(owner, outer, outer, { label: 'scope', ...change }),
    undefined,
  )
  for (const [shard, at] of Object.entries(wroteAt)) frame?.writes.set(shard, at)
  return frame
}

export const policy: RoutePolicy = {
  isEnabled: true,
  readYourWritesMs: 5000,
  ambientShard: undefined,
}

export const request = (
  intent: RouteRequest['intent'],
  rest: Partial<RouteRequest> = {},
): RouteRequest => ({ intent, operation: intent, isReplicated: true, ...rest })

/** A small generator of numbers in [0, 1) that can be repeated (mulberry32). */
export const randomFrom = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

import type { QueryRunner } from 'typeorm'
import type { Frame } from '../context/frame.js'
import type { Intent } from '../router/request.js'
import type { RouteReason } from '../trace/event.js'
import { stateOf } from './binding.js'
import type { Runtime } from './runtime.js'

/** What reads through a runner for these is about to be changed, or compared with what is. */
const presentIntents: ReadonlySet<Intent> = new Set([
  'write',
  'persist',
  'lock',
  'version check',
  'transaction',
])

const presentReasons: ReadonlySet<RouteReason> = new Set([
  'transaction',
  'persisting',
  'read your writes',
])

const wroteRecently = ({ policy, now }: Runtime, shard: string, frame: Frame | undefined) => {
  const wroteAt = frame?.writes.get(shard)
  return wroteAt !== undefined && now() - wroteAt < policy.readYourWritesMs
}

/**
 * Whether a read through this runner has to see what is true now, so that the result cache has no part
 * in it: in a transaction, while entities are saved, and in a scope that wrote to the shard a short
 * time ago. A replica that was asked for by name may lag, and so may a cache.
 */
export const bypassesCache = (runner: QueryRunner | undefined): boolean => {
  if (runner === undefined) return false
  if (runner.isTransactionActive) return true
  const state = stateOf(runner)
  if (state === undefined) return false
  const { runtime, shard, route, intent, frame } = state
  if (presentIntents.has(intent) || presentReasons.has(route.reason)) return true
  if (route.isReadOnly) return false
  // The route tells of writes before it; the ledgers of those since, and where a pinned role or a
  // user's own query runner decided.
  return (
    wroteRecently(runtime, shard.name, frame) || wroteRecently(runtime, shard.name, state.ambient())
  )
}

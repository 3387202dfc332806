import { type RouteEvent, roleRules } from '../../lib/trace/event.js'
import type { RouteRecord } from '../../lib/trace/hub.js'

/** An event of a read on a replica, but for what is said otherwise. */
export const routeEvent = (change: Partial<RouteEvent>): RouteEvent =>
  Object.freeze({
    version: 1,
    routeId: 'process-1',
    scopeId: 'process-s1',
    kind: 'statement',
    at: 1_700_000_000_000,
    shard: 'brazil',
    role: 'replica',
    node: 'br-2',
    replicaGroup: undefined,
    reason: 'read outside a transaction',
    shardReason: 'scope',
    passedOver: roleRules.slice(0, -1),
    scopes: ['using brazil'],
    callSites: [],
    entity: 'User',
    operation: 'select',
    statement: 'SELECT',
    inTransaction: false,
    candidates: ['br-2', 'br-3'],
    skipped: [],
    waitedMs: 0,
    verified: false,
    retried: false,
    cached: false,
    durationMs: 1.24,
    error: undefined,
    ...change,
  })

export const recordOf = (change: Partial<RouteEvent> = {}): RouteRecord => ({
  event: routeEvent(change),
  sql: 'SELECT * FROM user WHERE name = ?',
  parameters: ['Ana'],
})

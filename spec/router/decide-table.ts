import type { Frame } from '../../lib/context/frame.js'
import { type Intent, intents } from '../../lib/router/request.js'
import type { RouteReason } from '../../lib/trace/event.js'
import type { ShardSketch } from '../support/topology.js'
import { framed } from './support.js'

export const now = 10_000
export const twoReplicas = { replicas: [{ name: 'r1' }, { name: 'r2', group: 'reports' }] }
export const inReplica = framed([{ role: 'replica' }])
export const inReports = framed([{ role: 'replica', replicaGroup: 'reports' }])
const inPrimary = framed([{ role: 'primary' }])
const inTransaction = framed([{ primaryFor: { shard: 'master', because: 'transaction' } }])
const persisting = framed([{ primaryFor: { shard: 'master', because: 'persisting' } }])
const elsewhere = framed([{ primaryFor: { shard: 'brazil', because: 'transaction' } }])
const wrote = framed([{}], { master: now - 4999 })
const wroteLongAgo = framed([{}], { master: now - 5000 })
const wroteElsewhere = framed([{}], { brazil: now })

interface Row {
  readonly title: string
  readonly intent: Intent
  readonly frame?: Frame | undefined
  readonly shard?: ShardSketch
  readonly isReplicated?: boolean
  readonly isEnabled?: boolean
  readonly to: string
  readonly because: RouteReason
  readonly isReadOnly?: boolean
}

export const offline = { replicas: [{ name: 'r1', isOnline: false }] }
export const reportsOffline = {
  replicas: [{ name: 'r1' }, { name: 'r2', group: 'reports', isOnline: false }],
}

// Each row stands before the rules that it passes over, in the order of docs/routing.md.
export const rows: readonly Row[] = [
  ...intents.map((intent) => ({
    title: `a disabled octopus sends a ${intent} to the primary, even inside usingReplica`,
    intent,
    frame: inReplica,
    isEnabled: false,
    to: 'primary',
    because: 'disabled' as const,
  })),
  { title: 'a write', intent: 'write', to: 'primary', because: 'write' },
  {
    title: 'a write beats usingPrimary',
    intent: 'write',
    frame: inPrimary,
    to: 'primary',
    because: 'write',
  },
  { title: 'a lock', intent: 'lock', to: 'primary', because: 'lock' },
  { title: 'a save', intent: 'persist', to: 'primary', because: 'write' },
  {
    title: 'a save of an entity that is not replicated',
    intent: 'persist',
    isReplicated: false,
    to: 'primary',
    because: 'write',
  },
  {
    title: 'an un-managed read in a transaction callback beats usingReplica around it',
    intent: 'read',
    frame: framed([
      { role: 'replica' },
      { primaryFor: { shard: 'master', because: 'transaction' } },
    ]),
    to: 'primary',
    because: 'transaction',
  },
  {
    title: 'usingReplica inside a transaction callback is the nearer word',
    intent: 'read',
    frame: framed([
      { primaryFor: { shard: 'master', because: 'transaction' } },
      { role: 'replica' },
    ]),
    to: 'replica',
    because: 'pinned to replica',
    isReadOnly: true,
  },
  {
    title: 'an un-managed read in a transaction callback',
    intent: 'read',
    frame: inTransaction,
    to: 'primary',
    because: 'transaction',
  },
  {
    title: 'a read while persisting',
    intent: 'read',
    frame: persisting,
    to: 'primary',
    because: 'persisting',
  },
  {
    title: 'a replica runner while persisting',
    intent: 'replica runner',
    frame: persisting,
    to: 'primary',
    because: 'persisting',
  },
  {
    title: "a read while another shard's transaction runs",
    intent: 'read',
    frame: elsewhere,
    to: 'replica',
    because: 'read outside a transaction',
  },
  {
    title: 'a read inside usingPrimary',
    intent: 'read',
    frame: inPrimary,
    to: 'primary',
    because: 'pinned to primary',
  },
  {
    title: 'a replica runner inside usingPrimary',
    intent: 'replica runner',
    frame: inPrimary,
    to: 'primary',
    because: 'pinned to primary',
  },
  ...(['read', 'raw', 'persist', 'transaction', 'primary runner', 'replica runner'] as const).map(
    (intent) => ({
      title: `a ${intent} inside usingReplica, to be proved read-only,`,
      intent,
      frame: inReplica,
      to: 'replica',
      because: 'pinned to replica' as const,
      isReadOnly: true,
    }),
  ),
  {
    title: 'a read inside usingReplica of a group',
    intent: 'read',
    frame: inReports,
    to: 'replica reports',
    because: 'pinned to replica',
    isReadOnly: true,
  },
  {
    title: 'usingReplica beats a write in the same scope',
    intent: 'read',
    frame: framed([{}, { role: 'replica' }], { master: now }),
    to: 'replica',
    because: 'pinned to replica',
    isReadOnly: true,
  },
  {
    title: 'usingReplica beats an entity that is not replicated',
    intent: 'read',
    frame: inReplica,
    isReplicated: false,
    to: 'replica',
    because: 'pinned to replica',
    isReadOnly: true,
  },
  {
    title: 'usingReplica beats reads: primary',
    intent: 'read',
    frame: inReplica,
    shard: { ...twoReplicas, reads: 'primary' },
    to: 'replica',
    because: 'pinned to replica',
    isReadOnly: true,
  },
  {
    title: 'usingReplica on a shard without replicas falls back and stays read-only',
    intent: 'raw',
    frame: inReplica,
    shard: {},
    to: 'primary',
    because: 'no replica available',
    isReadOnly: true,
  },
  {
    title: 'usingReplica of a group that is offline falls back though another replica is up',
    intent: 'read',
    frame: inReports,
    shard: reportsOffline,
    to: 'primary reports',
    because: 'no replica available',
    isReadOnly: true,
  },
  {
    title: 'usingReplica of a group that the shard lacks reads any of its replicas',
    intent: 'read',
    frame: inReports,
    shard: { replicas: [{ name: 'r1' }] },
    to: 'replica',
    because: 'pinned to replica',
    isReadOnly: true,
  },
  { title: 'raw SQL', intent: 'raw', to: 'primary', because: 'raw query' },
  { title: 'an optimistic lock', intent: 'version check', to: 'primary', because: 'lock' },
  { title: 'a transaction', intent: 'transaction', to: 'primary', because: 'transaction' },
  { title: "a user's runner", intent: 'primary runner', to: 'primary', because: 'query runner' },
  {
    title: "a user's runner in replica mode",
    intent: 'replica runner',
    to: 'replica',
    because: 'query runner',
  },
  {
    title: 'a read just before the window of an own write closes',
    intent: 'read',
    frame: wrote,
    to: 'primary',
    because: 'read your writes',
  },
  {
    title: 'a read of an unreplicated entity after an own write',
    intent: 'read',
    frame: wrote,
    isReplicated: false,
    to: 'primary',
    because: 'read your writes',
  },
  {
    title: 'a read when the window has closed',
    intent: 'read',
    frame: wroteLongAgo,
    to: 'replica',
    because: 'read outside a transaction',
  },
  {
    title: 'a read after a write to another shard',
    intent: 'read',
    frame: wroteElsewhere,
    to: 'replica',
    because: 'read outside a transaction',
  },
  {
    title: 'a read of an entity that is not replicated',
    intent: 'read',
    isReplicated: false,
    shard: { ...twoReplicas, reads: 'primary' },
    to: 'primary',
    because: 'entity not replicated',
  },
  {
    title: 'a read where reads is primary',
    intent: 'read',
    shard: { reads: 'primary' },
    to: 'primary',
    because: 'reads: primary',
  },
  {
    title: 'a read of a shard without replicas, whatever onNoReplica says',
    intent: 'read',
    shard: { onNoReplica: 'error' },
    to: 'primary',
    because: 'no replicas',
  },
  {
    title: 'a read while every replica is offline',
    intent: 'read',
    shard: offline,
    to: 'primary',
    because: 'no replica available',
  },
  { title: 'a plain read', intent: 'read', to: 'replica', because: 'read outside a transaction' },
]

import { ConnectionScope, type LateWork } from '../pool/connection-scope.js'
import { Health } from '../pool/health.js'
import { PoolRegistry, endpointsOf } from '../pool/registry.js'
import { poolSettingsOf } from './pool-settings.js'
import type { Runtime } from './runtime.js'

/** What takes replicas out of the topology and brings them back. */
export const healthOf = (runtime: Runtime): Health =>
  new Health({
    setOnline: (endpoint, isOnline) => {
      runtime.store.apply({ kind: 'endpoint-online', endpoint: endpoint.id, isOnline })
      const journal = runtime.pools.journalOf(endpoint)
      if (isOnline) journal.returned()
      else journal.ejected(runtime.health.whyOut(endpoint) ?? 'unknown')
    },
    // One that has moved is another: what the old server does says nothing about the new one.
    isKnown: ({ id, revision }) =>
      endpointsOf(runtime.store.current).some(
        (known) => known.id === id && known.revision === revision,
      ),
    probe: (endpoint) => runtime.pools.poolOf(endpoint).probe(),
    warn: (message) => runtime.warn(message),
    random: Math.random,
  })

/** The pools of all servers. */
export const poolsOf = (runtime: Runtime): PoolRegistry =>
  new PoolRegistry({
    connectorFor: (endpoint) => runtime.shard(endpoint.shard).drivers.connectorOf(endpoint),
    settingsFor: (endpoint) => {
      const { poolConfig, family } = runtime.shard(endpoint.shard)
      return poolSettingsOf(runtime, poolConfig, family)
    },
    addressOf: ({ shard, role, node }) => runtime.shard(shard).addressOf(role, node),
    collapseReplicas: runtime.config.collapseReplicas,
    health: runtime.health,
    isStarted: () => runtime.isStarted,
  })

/** What owns the connections of one throw-away scope. */
export const connectionScopeOf = (runtime: Runtime, late: LateWork): ConnectionScope => {
  const scope = new ConnectionScope({
    late,
    drainMs: runtime.drainMs,
    warn: (message) => runtime.warn(message),
    ended: (ended) => runtime.limit?.scopes.delete(ended),
  })
  runtime.limit?.scopes.add(scope)
  return scope
}

import { ConnectionScope } from '../../lib/pool/connection-scope.js'
import type { RoutePolicy } from '../../lib/router/policy.js'
import { CarriedWrites, type Clocks } from '../../lib/scopes/carried-writes.js'
import { Scopes } from '../../lib/scopes/scopes.js'
import { TopologyStore } from '../../lib/topology/store.js'
import { topologyWith } from '../support/topology.js'

const reports = { replicas: [{ name: 'r1' }, { name: 'r2', group: 'reports' }] }

/** Three shards with a replica group, one without, one without any replica. */
export const topology = topologyWith(
  {
    master: reports,
    brazil: reports,
    canada: reports,
    denmark: { replicas: [{ name: 'd1' }] },
    empty: {},
  },
  { americas: ['canada', 'brazil'] },
)

const clocks: Clocks = { monotonic: () => performance.now(), wall: Date.now }

/** Scopes of a data source of their own. */
export const scopesOver = (
  policy: Partial<RoutePolicy> = {},
  {
    store = new TopologyStore(topology),
    carried = new CarriedWrites(undefined, 5000, clocks),
    concurrency = 8,
    callSites = false,
  } = {},
): Scopes =>
  new Scopes(
    {},
    store,
    { isEnabled: true, readYourWritesMs: 5000, ambientShard: undefined, ...policy },
    carried,
    { concurrency, callSites },
    (late) =>
      new ConnectionScope({ late, drainMs: 100, warn: () => undefined, ended: () => undefined }),
  )

/** Where the caller stands: `brazil`, `brazil primary`, `brazil replica reports`. */
export const standing = (scopes: Scopes): string => {
  const { role, replicaGroup } = scopes.current() ?? {}
  return [scopes.currentShard(), role, replicaGroup].filter(Boolean).join(' ')
}

/** Rejects or throws: what `work` throws, either way. */
export const errorOf = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new Error('It was expected to fail')
}

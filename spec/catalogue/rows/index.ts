import type { Row } from '../row.js'
import { associationCollections } from './association-collections.js'
import { associationForeign } from './association-foreign.js'
import { associationMatrix } from './association-matrix.js'
import { associationOneToOne } from './association-one-to-one.js'
import { associationQueries } from './association-queries.js'
import { associationRemovals } from './association-removals.js'
import { migrationRuns } from './migration-runs.js'
import { migrations } from './migrations.js'
import { modelBatches } from './model-batches.js'
import { modelChanges } from './model-changes.js'
import { modelHandles } from './model-handles.js'
import { modelHomes } from './model-homes.js'
import { modelQueries } from './model-queries.js'
import { modelScopes } from './model-scopes.js'
import { modelServers } from './model-servers.js'
import { modelUnsharded } from './model-unsharded.js'
import { octopusRows } from './octopus.js'
import { proxyConfiguration } from './proxy-configuration.js'
import { proxyWork } from './proxy-work.js'
import { relationProxyRows } from './relation-proxy.js'
import { replicaGroups } from './replica-groups.js'
import { replication } from './replication.js'
import { scopeProxyRows } from './scope-proxy.js'
import { smallRows } from './small.js'

/** All rows, by the file in `rows/` that they stand in. */
export const rowFiles: readonly { readonly file: string; readonly rows: readonly Row[] }[] = [
  { file: 'octopus', rows: octopusRows },
  { file: 'model-scopes', rows: modelScopes },
  { file: 'model-handles', rows: modelHandles },
  { file: 'model-homes', rows: modelHomes },
  { file: 'model-changes', rows: modelChanges },
  { file: 'model-queries', rows: modelQueries },
  { file: 'model-batches', rows: modelBatches },
  { file: 'model-unsharded', rows: modelUnsharded },
  { file: 'model-servers', rows: modelServers },
  { file: 'proxy-configuration', rows: proxyConfiguration },
  { file: 'proxy-work', rows: proxyWork },
  { file: 'scope-proxy', rows: scopeProxyRows },
  { file: 'relation-proxy', rows: relationProxyRows },
  { file: 'association-collections', rows: associationCollections },
  { file: 'association-queries', rows: associationQueries },
  { file: 'association-removals', rows: associationRemovals },
  { file: 'association-one-to-one', rows: associationOneToOne },
  { file: 'association-foreign', rows: associationForeign },
  { file: 'association-matrix', rows: associationMatrix },
  { file: 'replication', rows: replication },
  { file: 'replica-groups', rows: replicaGroups },
  { file: 'migrations', rows: migrations },
  { file: 'migration-runs', rows: migrationRuns },
  { file: 'small', rows: smallRows },
]

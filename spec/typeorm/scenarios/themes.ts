import { queryBuilders } from './builders.js'
import { cacheBypass } from './cache-bypass.js'
import { cacheSettings } from './cache-settings.js'
import { resultCache } from './cache.js'
import { capturedObjects } from './captured.js'
import { identity } from './identity.js'
import { lazyRelations } from './lazy.js'
import { replication } from './replication.js'
import { schemaWork } from './schema.js'
import { streams } from './streams.js'
import { transactions } from './transactions.js'

/** All scenarios, by what they are about. */
export const themes = {
  'objects from the start': capturedObjects,
  'lazy relations and homes': lazyRelations,
  'query builders and raw SQL': queryBuilders,
  'transactions, runners and subscribers': transactions,
  replication,
  'the result cache': [...resultCache, ...cacheSettings, ...cacheBypass],
  'schema and migrations': schemaWork,
  streams,
  'identity and concurrency': identity,
}

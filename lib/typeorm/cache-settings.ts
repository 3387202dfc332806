import { isDeepStrictEqual } from 'node:util'
import { ConfigError, type ConfigProblem } from '../errors.js'
import type { Runtime } from './runtime.js'
import type { Shard } from './shard.js'

/** What chooses the provider of a cache, among TypeORM's settings for it. */
interface ProviderSettings {
  readonly type?: string
  readonly provider?: unknown
  readonly options?: unknown
  readonly port?: unknown
}

/** The provider that `cache` asks for, in a form to be compared; undefined for none. */
const providerOf = (cache: unknown): object | undefined => {
  if (!cache) return undefined
  const {
    type = 'database',
    provider,
    options,
    port,
  } = (cache === true ? {} : cache) as ProviderSettings
  if (typeof provider === 'function') return { provider }
  return type === 'database' ? { type } : { type, options, port }
}

/**
 * One result cache serves all shards: the DataSource makes it, connects it and closes it. A shard can
 * go without, or have a duration or a table of its own.
 *
 * @throws ConfigError if a shard asks for another
 */
export const checkCaches = ({ front, config }: Pick<Runtime, 'config' | 'front'>): void => {
  const shared = providerOf(front.options.cache)
  const problems: ConfigProblem[] = []
  for (const { name, primary } of config.shards.slice(1)) {
    const own = providerOf(primary.connection['cache'])
    if (own !== undefined && !isDeepStrictEqual(own, shared))
      problems.push({
        path: `shards.${name}.cache`,
        message:
          shared === undefined
            ? 'asks for a result cache, and the DataSource has none; give it to the DataSource, and "cache: false" to the shards that want none'
            : 'asks for another result cache than the DataSource’s, which serves all shards; a shard can be without it ("cache: false") or have its own "duration", "alwaysEnabled", "ignoreErrors" or "tableName"',
      })
  }
  if (problems.length > 0) throw new ConfigError(problems)
}

/** Whether a shard goes without the cache that the others have. */
export const isWithoutCache = ({ view, runtime }: Shard): boolean =>
  !view.options.cache && Boolean(runtime.front.options.cache)

import { type Registry, register } from 'prom-client'
import { ConfigError, type ConnectionProxy } from '../index.js'
import { Exposition } from './exposition.js'

/** Settings of {@link octopusMetrics}. */
export interface PrometheusOptions {
  /** Where the metrics are registered. Default: prom-client's own registry. */
  readonly registry?: Registry
  /** What the metrics' names begin with. Default: `octopus_`. */
  readonly prefix?: string
  /** Tells this data source from others in the registry, as the label `db`. Default: `default`. */
  readonly name?: string
  /** Upper bounds of the histogram of durations, in seconds. Default: from 0.5 ms to 10 s. */
  readonly buckets?: readonly number[]
}

const defaultBuckets = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** What is registered, by registry and prefix: several data sources share it. */
const expositions = new WeakMap<Registry, Map<string, Exposition>>()

const expositionIn = (
  registry: Registry,
  prefix: string,
  buckets: readonly number[],
): Exposition => {
  const byPrefix = expositions.get(registry) ?? new Map<string, Exposition>()
  expositions.set(registry, byPrefix)
  const known = byPrefix.get(prefix)
  if (known !== undefined) return known
  const made = new Exposition(registry, prefix, buckets, () => byPrefix.delete(prefix))
  byPrefix.set(prefix, made)
  return made
}

const isSame = (some: readonly number[], others: readonly number[]): boolean =>
  some.length === others.length && some.every((value, index) => value === others[index])

/**
 * Registers metrics of statements and pools for Prometheus. Statements are counted as they end; pools are
 * read when the metrics are. Labels have few values: no SQL, no entity, nothing of a request.
 *
 * @param db - the data source that `octopus()` returned, initialised or not
 * @returns a function that ends it, and removes what it registered
 * @throws ConfigError if another data source has the same `name` in this registry, or other `buckets`
 */
export const octopusMetrics = (
  db: ConnectionProxy,
  options: PrometheusOptions = {},
): (() => void) => {
  const { registry = register, prefix = 'octopus_', name = 'default' } = options
  const exposition = expositionIn(registry, prefix, options.buckets ?? defaultBuckets)
  if (exposition.has(name))
    throw new ConfigError([
      {
        path: 'name',
        message: `"${name}" is in this registry already; give each data source a name of its own, or its own prefix`,
      },
    ])
  if (options.buckets !== undefined && !isSame(options.buckets, exposition.buckets))
    throw new ConfigError([
      {
        path: 'buckets',
        message: 'are others than those of a data source in this registry; give all the same',
      },
    ])
  return exposition.add(name, db)
}

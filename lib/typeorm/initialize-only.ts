import type { ResolvedShard } from '../config/resolved.js'
import type { ConfigProblem } from '../errors.js'
import { schemaWork } from './lifecycle.js'

/**
 * What `initialize()` alone does, and cannot be asked for later: schema work that shards want done when
 * they connect.
 *
 * @param earlier - what to do instead
 */
export const lateSchemaWork = (
  shards: readonly ResolvedShard[],
  earlier: string,
): ConfigProblem[] =>
  shards.flatMap(({ name, primary }) =>
    schemaWork
      .filter((key) => primary.connection[key] === true)
      .map((key) => ({
        path: `shards.${name}.${key}`,
        message: `is done by initialize(), which has been; ${earlier}, or do it with using("${name}", …)`,
      })),
  )

/** Entity metadata of an engine or a schema that no shard had. */
export const lateEngines = (engines: readonly string[], earlier: string): ConfigProblem[] =>
  engines.length === 0
    ? []
    : [
        {
          path: 'shards',
          message: `shards of another engine or schema (${engines.join(', ')}) have entity metadata of their own, which initialize() builds; ${earlier}`,
        },
      ]

import type { Runtime } from '../runtime.js'
import { type SchemaDiff, type SchemaDiffOptions, diffSchemas } from './diff.js'

/** Work on the schemas of shards: `db.octopus.schema`. */
export class SchemaControl {
  readonly #runtime: Runtime

  /** @internal */
  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /**
   * Compares the schemas of shards as they are in their databases, on the primaries: tables, columns,
   * types, defaults, indexes, keys, checks, collations, engines, triggers, views, and in PostgreSQL
   * enums and sequences. Not compared: the order of columns, names that a server makes up, functions and
   * procedures, rights, data, and TypeORM's own tables. A table of an `@Unsharded` entity is compared
   * between the shards that are to have it.
   *
   * @returns for each shard how it differs from the reference, or that it could not be compared; a shard
   *   that fails hides no other
   * @throws UnknownShardError, UnknownGroupError before anything is read
   */
  diff(options: SchemaDiffOptions = {}): Promise<SchemaDiff> {
    return diffSchemas(this.#runtime, options)
  }
}

import type { Runtime } from '../runtime.js'
import { type BootstrapOptions, type BootstrapReport, bootstrapShard } from './bootstrap.js'
import { type SchemaDiff, type SchemaDiffOptions, diffSchemas } from './diff.js'
import { onPrimaries, refuseInReplicaScope } from './primaries.js'
import {
  type SchemaPlanOptions,
  type SchemaSync,
  type SchemaSyncOptions,
  planSync,
  syncSchemas,
} from './sync.js'

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
   * where both the reference and the shard are to have it.
   *
   * @returns for each shard how it differs from the reference, or that it could not be compared; a shard
   *   that fails hides no other
   * @throws UnknownShardError, UnknownGroupError before anything is read
   */
  diff(options?: SchemaDiffOptions): Promise<SchemaDiff>
  /**
   * Compares the schemas of shards with the entities: what TypeORM would do to make them alike. Nothing
   * is changed. TypeORM looks neither at engines nor at what only the database has, such as tables
   * without an entity, nor in MySQL at checks.
   *
   * @returns for each shard the statements, or that it failed
   * @throws UnknownShardError, UnknownGroupError before anything is read
   */
  diff(options: SchemaPlanOptions & { readonly against: 'entities' }): Promise<SchemaSync>
  diff(
    options: (SchemaDiffOptions | SchemaPlanOptions) & { readonly against?: 'entities' } = {},
  ): Promise<SchemaDiff | SchemaSync> {
    const { against, ...rest } = options
    return onPrimaries(this.#runtime, () =>
      against === 'entities' ? planSync(this.#runtime, rest) : diffSchemas(this.#runtime, rest),
    )
  }

  /**
   * Makes the schemas of shards as the entities say, as TypeORM's `synchronize()` does, or tells what
   * that would take. An `@Unsharded` entity gets its table on the shards that are to have it only.
   *
   * @returns for each shard the statements, or that it failed; a shard that fails hides no other
   * @throws SchemaDropsError before anything is changed, if something would be dropped on any shard and
   *   `allowDrops` is not true
   * @throws ReadOnlyScopeError inside `usingReplica`
   * @throws UnknownShardError, UnknownGroupError before anything is read
   */
  async sync(options: SchemaSyncOptions): Promise<SchemaSync> {
    if (!options.dryRun) refuseInReplicaScope(this.#runtime, 'schema.sync()')
    return onPrimaries(this.#runtime, () => syncSchemas(this.#runtime, options))
  }

  /**
   * Brings a shard whose database is empty to the version of its group: by its migrations, or by a copy
   * of another shard's schema. Then compares it with that shard.
   *
   * @throws ShardNotEmptyError if there is something in the database; nothing is changed then
   * @throws BootstrapError if it cannot be made so; nothing is changed then
   * @throws SchemaDiffersError if what was made is not as the reference
   * @throws ReadOnlyScopeError inside `usingReplica`
   * @throws UnknownShardError if there is no such shard
   */
  async bootstrap(shard: string, options: BootstrapOptions = {}): Promise<BootstrapReport> {
    refuseInReplicaScope(this.#runtime, 'schema.bootstrap()')
    return bootstrapShard(this.#runtime, shard, options)
  }
}

import { OctopusError } from './base.js'
import { listed } from './text.js'

/** What a shard's schema would lose. */
export interface SchemaDrops {
  readonly shard: string
  /** The statements that drop something. */
  readonly statements: readonly string[]
}

/** Bringing schemas up to the entities would drop something, and that was not allowed. Nothing was
 *  changed on any shard. */
export class SchemaDropsError extends OctopusError {
  readonly drops: readonly SchemaDrops[]

  constructor(drops: readonly SchemaDrops[]) {
    const lines = drops.flatMap(({ shard, statements }) =>
      statements.map((sql) => `  - ${shard}: ${sql}`),
    )
    super(
      'schema-drops',
      'configure',
      [
        'The schemas were not changed, since that would drop something. If nobody needs it, allow it with allowDrops: true (--allow-drops)',
        ...lines,
      ].join('\n'),
    )
    this.drops = drops
  }
}

/** A shard was to be made from nothing, and its database is not empty. Nothing was changed. */
export class ShardNotEmptyError extends OctopusError {
  readonly shard: string
  /** The tables, views, types and sequences that are there. */
  readonly content: readonly string[]

  constructor(shard: string, content: readonly string[]) {
    super(
      'shard-not-empty',
      'configure',
      `The database of shard "${shard}" is not empty: ${listed(content)}. Give the shard an empty one, or bring this one up to date with migrations.`,
    )
    this.shard = shard
    this.content = content
  }
}

/** A shard cannot be made as it was asked for. Nothing was changed. */
export class BootstrapError extends OctopusError {
  readonly shard: string
  /** What is in the way. */
  readonly obstacles: readonly string[]

  constructor(shard: string, obstacles: readonly string[], remedy: string) {
    super(
      'bootstrap',
      'configure',
      `Shard "${shard}" cannot be made so: ${obstacles.join('; ')}. ${remedy}`,
    )
    this.shard = shard
    this.obstacles = obstacles
  }
}

/** A shard that was made is not as its reference. What was made is still there. */
export class SchemaDiffersError extends OctopusError {
  readonly shard: string
  readonly reference: string
  /** In what it differs: the sentences of the differences. */
  readonly differences: readonly string[]

  constructor(shard: string, reference: string, differences: readonly string[]) {
    super(
      'schema-differs',
      'query',
      [
        `Shard "${shard}" was made, and is not as "${reference}"`,
        ...differences.map((text) => `  - ${text}`),
      ].join('\n'),
    )
    this.shard = shard
    this.reference = reference
    this.differences = differences
  }
}

/** Shards were to be seeded that have not had all migrations. Nothing was run on any shard. */
export class PendingMigrationsError extends OctopusError {
  /** The names of the migrations that are pending, by shard. */
  readonly pending: readonly { readonly shard: string; readonly migrations: readonly string[] }[]

  constructor(
    pending: readonly { readonly shard: string; readonly migrations: readonly string[] }[],
  ) {
    const lines = pending.map(({ shard, migrations }) => `  - ${shard}: ${listed(migrations)}`)
    super(
      'pending-migrations',
      'configure',
      [
        'Nothing was seeded, since migrations are pending. Run them first, or allow it with allowPending: true (--allow-pending)',
        ...lines,
      ].join('\n'),
    )
    this.pending = pending
  }
}

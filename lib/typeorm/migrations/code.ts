import { type DataSource, type Migration, type MigrationInterface } from 'typeorm'
import type { KnownMigration } from '../../migrations/assignment.js'
import { declaredTargets } from '../../migrations/targets.js'
import { MigrationHistory } from './history.js'

/** A migration of the code, with what TypeORM knows of it. */
export interface CodeMigration extends KnownMigration {
  readonly instance: MigrationInterface
  readonly source: Migration
}

/**
 * The migrations of a data source, in the order in which they run.
 *
 * @throws TypeORMError if a name has no timestamp, or occurs twice
 */
export const migrationsOf = (dataSource: DataSource): readonly CodeMigration[] =>
  new MigrationHistory(dataSource).known().flatMap((source) => {
    const { name, timestamp, instance } = source
    if (instance === undefined) return []
    return [{ name, timestamp, instance, source, targets: declaredTargets(instance) }]
  })

/**
 * An instance for one shard, made as TypeORM makes the data source's: several shards are migrated at a
 * time, and what one keeps in its fields is not the others'.
 */
export const ownInstance = ({ instance }: CodeMigration): MigrationInterface => {
  const Migration = instance.constructor as new () => MigrationInterface
  return new Migration()
}

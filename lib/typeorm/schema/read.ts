import type { DataSource, QueryRunner } from 'typeorm'
import { type SchemaSnapshot, frozen } from '../../schema/snapshot.js'
import type { Shard } from '../shard.js'
import { readMysql } from './read-mysql.js'
import { readPostgres } from './read-postgres.js'
import { readSqlite } from './read-sqlite.js'
import type { SchemaScope } from './scope.js'

const readers = { mysql: readMysql, postgres: readPostgres, sqlite: readSqlite } as const

/** Whether the schema of a shard can be read at all. */
export const canRead = ({ family }: Shard): boolean => family !== 'other'

/** Names of the tables in which TypeORM keeps account of migrations, views and cached results. */
export const bookkeepingTables = ({ options, metadataTableName }: DataSource) => {
  const cache = typeof options.cache === 'object' ? options.cache.tableName : undefined
  return {
    migrations: options.migrationsTableName ?? 'migrations',
    metadata: metadataTableName,
    cache: cache ?? 'query-result-cache',
  }
}

const scopeOf = ({ view, metadatas, family }: Shard): Omit<SchemaScope, 'bookkeeping'> => {
  const { schema, database } = view.options as { schema?: string; database?: unknown }
  const named = metadatas.flatMap(
    (metadata) => (family === 'mysql' ? metadata.database : metadata.schema) ?? [],
  )
  const own = family === 'mysql' ? undefined : schema
  const others = [...new Set(named)].filter((name) => name !== own && name !== database)
  return { own, others }
}

/** Runs work with a runner on a shard's primary. */
export const withRunner = async <T>(
  { view }: Shard,
  work: (runner: QueryRunner) => Promise<T>,
): Promise<T> => {
  const runner = view.createQueryRunner('master')
  try {
    return await work(runner)
  } finally {
    await runner.release()
  }
}

const read = (shard: Shard, bookkeeping: readonly string[]): Promise<SchemaSnapshot> => {
  const { family } = shard
  if (family === 'other')
    throw new TypeError(`The schema of shard "${shard.name}" (${shard.engine}) cannot be read.`)
  const scope: SchemaScope = { ...scopeOf(shard), bookkeeping: new Set(bookkeeping) }
  return withRunner(shard, async (runner) => frozen(await readers[family](runner, scope)))
}

/**
 * Reads a shard's schema from its primary, without TypeORM's own tables, in a number of statements
 * that does not depend on the number of tables. Ask `canRead` first.
 */
export const readSchema = (shard: Shard): Promise<SchemaSnapshot> =>
  read(shard, Object.values(bookkeepingTables(shard.view)))

/** As `readSchema`, with TypeORM's own tables. */
export const readEverything = (shard: Shard): Promise<SchemaSnapshot> => read(shard, [])

import type { DataSource } from 'typeorm'
import { type SchemaSnapshot, frozen } from '../../schema/snapshot.js'
import type { Shard } from '../shard.js'
import { readMysql } from './read-mysql.js'
import { readPostgres } from './read-postgres.js'
import { readSqlite } from './read-sqlite.js'
import type { SchemaScope } from './scope.js'

const readers = { mysql: readMysql, postgres: readPostgres, sqlite: readSqlite } as const

/** Names of the tables in which TypeORM keeps account of migrations, views and cached results. */
export const bookkeepingTables = ({ options, metadataTableName }: DataSource) => {
  const cache = typeof options.cache === 'object' ? options.cache.tableName : undefined
  return {
    migrations: options.migrationsTableName ?? 'migrations',
    metadata: metadataTableName,
    cache: cache ?? 'query-result-cache',
  }
}

const scopeOf = ({ view, metadatas, family }: Shard): SchemaScope => {
  const { schema, database } = view.options as { schema?: string; database?: unknown }
  const named = metadatas.flatMap(
    (metadata) => (family === 'mysql' ? metadata.database : metadata.schema) ?? [],
  )
  const own = family === 'mysql' ? undefined : schema
  const others = [...new Set(named)].filter((name) => name !== own && name !== database)
  return { own, others, bookkeeping: new Set(Object.values(bookkeepingTables(view))) }
}

/**
 * Reads a shard's schema from its primary, in a number of statements that does not depend on the
 * number of tables.
 *
 * @returns undefined for an engine that cannot be read
 */
export const readSchema = async (shard: Shard): Promise<SchemaSnapshot | undefined> => {
  const { family, view } = shard
  if (family === 'other') return undefined
  const runner = view.createQueryRunner('master')
  try {
    return frozen(await readers[family](runner, scopeOf(shard)))
  } finally {
    await runner.release()
  }
}

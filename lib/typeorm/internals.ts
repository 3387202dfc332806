/**
 * Everything of TypeORM that its package index does not export, and the names of its fields and
 * methods that the library relies on. TypeORM 1.1 calls the data source of a manager, builder,
 * runner and driver `dataSource`; a version that calls it otherwise changes here.
 * `spec/typeorm/contract.spec.ts` and the specs in `contract/` fail with a named reason when one of
 * them changes.
 */
import type { DataSource, QueryRunner } from 'typeorm'
import type { RelationMetadata } from 'typeorm/metadata/RelationMetadata.js'
import type { Driver } from 'typeorm/driver/Driver.js'
import type { MysqlConnection, MysqlPool, PostgresClient, PostgresPool } from './native-pools.js'

export type { Driver } from 'typeorm/driver/Driver.js'
export type { ReplicationMode } from 'typeorm/driver/types/ReplicationMode.js'
export type { SchemaBuilder } from 'typeorm/schema-builder/SchemaBuilder.js'
export type { QueryResultCache } from 'typeorm/cache/QueryResultCache.js'
export type { QueryResultCacheOptions } from 'typeorm/cache/QueryResultCacheOptions.js'
export { DriverFactory } from 'typeorm/driver/DriverFactory.js'
export { DriverUtils } from 'typeorm/driver/DriverUtils.js'
export { DbQueryResultCache } from 'typeorm/cache/DbQueryResultCache.js'
export { RedisQueryResultCache } from 'typeorm/cache/RedisQueryResultCache.js'
export { SqljsEntityManager } from 'typeorm/entity-manager/SqljsEntityManager.js'
export { RelationLoader } from 'typeorm/query-builder/RelationLoader.js'
export { RelationIdLoader } from 'typeorm/query-builder/RelationIdLoader.js'
export { Broadcaster } from 'typeorm/subscriber/Broadcaster.js'

/** Replaces a field that TypeORM declares read-only. */
export const assign = <T extends object>(
  target: T,
  fields: { readonly [K in keyof T]?: T[K] | undefined },
): T => Object.assign(target, fields)

/** An object that answers as `source` does except for what is then put on it. */
export const overlayOf = <T extends object>(source: T): T => Object.create(source) as T

/** Another object of the same class with the same fields. Dearer than an overlay to make, much cheaper
 *  to use where `source` is new each time: an object that becomes a prototype gets a hidden class of
 *  its own, which no optimised code knows. */
export const copyOf = <T extends object>(source: T): T =>
  Object.assign(Object.create(Object.getPrototypeOf(source) as object) as T, source)

/** The methods of a query runner that only some engines have. */
export interface RunnerInternals {
  databaseConnection?: unknown
  databaseConnectionPromise?: Promise<unknown> | undefined
  mode?: 'master' | 'slave'
  /** Open transactions and savepoints. */
  transactionDepth?: number
  driver: Driver
}

/** A runner's `query`, whose overloads `call` does not see. */
export type RunnerQuery = (
  this: QueryRunner,
  sql: string,
  parameters?: unknown,
  structured?: boolean,
) => Promise<unknown>

/** PostgreSQL's runner, which hands its connection back through a callback. */
export interface PostgresRunnerInternals extends RunnerInternals {
  releaseCallback?: ((error?: Error) => void) | undefined
  releasePostgresConnection(error?: Error): Promise<void>
}

/** Version-dependent abilities that a driver learns when it connects. */
export interface DriverAbilities {
  version?: string
  cteCapabilities?: { enabled: boolean }
  uuidColumnTypeSuported?: boolean
  isGeneratedColumnsSupported?: boolean
  _isReturningSqlSupported?: Record<string, boolean>
}

/** What a MySQL driver offers beside the common interface. */
export interface PooledDriver extends Driver {
  readonly isReplicated: boolean
  obtainMasterConnection(): Promise<unknown>
  obtainSlaveConnection(): Promise<unknown>
}

/** What the drivers of MySQL and PostgreSQL have of the driver packages: their pools among it. */
export interface ServerDriver extends PooledDriver {
  mysql?: { createConnection(options: object): MysqlConnection }
  pool?: MysqlPool | undefined
  createConnectionOptions?(options: object, credentials: object): object
  prepareDbConnection?(connection: MysqlConnection): MysqlConnection
  postgres?: { Client: new (options: object) => PostgresClient }
  master?: PostgresPool | undefined
}

/** The protected method that builds the metadata and sets it on the data source. */
export const buildMetadatas = (dataSource: DataSource): Promise<void> =>
  (dataSource as unknown as { buildMetadatas(): Promise<void> }).buildMetadatas()

/** Whether an entity's lazy relation holds a promise whose value it does not know yet. */
export const isLazySettling = (entity: object, { propertyName }: RelationMetadata): boolean =>
  `__promise_${propertyName}__` in entity

/** The families of engines that are reached in different ways. */
export type EngineFamily = 'mysql' | 'postgres' | 'sqlite' | 'other'

const families: Readonly<Record<string, EngineFamily>> = {
  mysql: 'mysql',
  mariadb: 'mysql',
  postgres: 'postgres',
  sqljs: 'sqlite',
  'better-sqlite3': 'sqlite',
}

/** The family of a TypeORM `type`; `other` engines pass through unrouted. */
export const familyOf = (engine: string): EngineFamily => families[engine] ?? 'other'

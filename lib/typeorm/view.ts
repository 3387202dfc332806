import type {
  DataSource,
  EntityManager,
  EntityTarget,
  ObjectLiteral,
  QueryRunner,
  SelectQueryBuilder,
} from 'typeorm'
import { DestructiveSchemaError, InvalidScopeError, ReadOnlyScopeError } from '../errors.js'
import { type Binding, bind, boundTo, targetOf } from './binding.js'
import { RoutedSelectQueryBuilder } from './builders.js'
import { RoutedEntityManager } from './entity-manager.js'
import {
  DriverUtils,
  RelationIdLoader,
  RelationLoader,
  type ReplicationMode,
  overlayOf,
} from './internals.js'
import { checkInitialized, isMigrationCall, migrationCalls } from './migrations/typeorm-calls.js'
import { adopted, replaceable, sourceForBuilder } from './replacements.js'
import { cacheOf } from './result-cache.js'
import { loggerOf } from './shard-logger.js'
import type { Shard } from './shard.js'

/** `createQueryBuilder` of the proxy and of every view. Three parameters, as TypeORM's: wrappers of
 *  it check. */
export function createQueryBuilder(
  this: DataSource,
  entityOrRunner?: EntityTarget<ObjectLiteral> | QueryRunner,
  alias?: string,
  queryRunner?: QueryRunner,
): SelectQueryBuilder<ObjectLiteral> {
  if (alias === undefined || alias === '') {
    const runner = entityOrRunner as QueryRunner | undefined
    return new RoutedSelectQueryBuilder(sourceForBuilder(this, runner), runner)
  }
  const source = sourceForBuilder(this, queryRunner)
  const name = DriverUtils.buildAlias(source.driver, undefined, alias)
  const { target } = source.getMetadata(entityOrRunner as EntityTarget<ObjectLiteral>)
  return new RoutedSelectQueryBuilder(source, queryRunner).select(name).from(target, name)
}

/** `createQueryRunner` of the proxy and of every view: the runner is its caller's to use. */
export function createQueryRunner(this: DataSource, mode: ReplicationMode = 'master'): QueryRunner {
  const { runtime, shard, by, frame } = targetOf(this)
  const intent = mode === 'slave' ? 'replica runner' : 'primary runner'
  return runtime.openRunner(shard, by, frame, intent, 'createQueryRunner', undefined)
}

/** `query` of the proxy and of every view. Three parameters, as TypeORM's. */
export function query(
  this: DataSource,
  sql: string,
  parameters?: unknown,
  queryRunner?: QueryRunner,
): Promise<unknown> {
  const run = boundTo(this).runtime.original.query
  if (queryRunner !== undefined) return run.call(this, sql, parameters as [], queryRunner)
  // A rejection where the scope refuses, as from any other query that fails.
  try {
    const { runtime, shard, by, frame } = targetOf(this)
    const source = shard.overlay(frame, by, () =>
      runtime.openRunner(shard, by, frame, 'raw', 'query', undefined),
    )
    return run.call(source, sql, parameters as [])
  } catch (error) {
    return Promise.reject(error)
  }
}

/** `createEntityManager` of the proxy and of every view. */
function createEntityManager(this: DataSource, queryRunner?: QueryRunner): EntityManager {
  return RoutedEntityManager.create(this, queryRunner)
}

/** Schema work and migrations, which need the primary's version before they build SQL. */
const schemaCalls = [
  'synchronize',
  'dropDatabase',
  'runMigrations',
  'undoLastMigration',
  'showMigrations',
] as const
type SchemaCall = (typeof schemaCalls)[number]

const isDestructive = (call: SchemaCall, [first]: readonly unknown[]): boolean =>
  call === 'dropDatabase' || (call === 'synchronize' && first === true)

const schemaCall = (call: SchemaCall) =>
  async function (this: DataSource, ...args: unknown[]): Promise<unknown> {
    const target = targetOf(this)
    const { runtime, shard, by, frame } = target
    // Here and not at the first statement: TypeORM's migrations would keep their connection then.
    if (frame?.role === 'replica' && runtime.policy.isEnabled)
      throw new ReadOnlyScopeError(shard.name, call)
    const { shardNames } = runtime.store.current
    const isUnspecific =
      by === 'default' && boundTo(this).isFloating && runtime.config.enabled && !runtime.isStarting
    if (isDestructive(call, args) && isUnspecific && shardNames.length > 1)
      throw new DestructiveSchemaError(
        call === 'dropDatabase' ? 'dropDatabase()' : 'synchronize(true)',
        shardNames,
      )
    if (isMigrationCall(call) && shard.family !== 'other' && runtime.config.enabled) {
      checkInitialized(this)
      return migrationCalls[call](this, target, args[0] ?? {})
    }
    if (this.isInitialized && shard.family !== 'other') await shard.ready()
    const run = runtime.original[call] as (...args: unknown[]) => Promise<unknown>
    return run.apply(shard.view, args)
  }

/** What views and the proxy answer in TypeORM's place, apart from the fields of each shard. */
export const routedMethods = {
  createQueryBuilder,
  createQueryRunner,
  createEntityManager,
  query,
  ...(Object.fromEntries(schemaCalls.map((call) => [call, schemaCall(call)])) as Record<
    SchemaCall,
    ReturnType<typeof schemaCall>
  >),
} as const

const refuseLifecycle = (call: string, shard: Shard) => (): Promise<never> =>
  Promise.reject(
    new InvalidScopeError(
      `${call}() was called on the handle of shard "${shard.name}"; call it on the wrapped data source.`,
    ),
  )

/** Defines fields that are made at their first use. */
const defineLazily = (target: object, makers: Readonly<Record<string, () => unknown>>): void => {
  for (const [key, make] of Object.entries(makers))
    Object.defineProperty(target, key, {
      configurable: true,
      enumerable: true,
      get() {
        const value = make()
        Object.defineProperty(target, key, { value, configurable: true, writable: true })
        return value
      },
      set(this: object, value: unknown) {
        Object.defineProperty(this, key, { value, configurable: true, writable: true })
      },
    })
}

/** A DataSource bound to one shard: everything of the wrapped one, with the shard's own driver,
 *  options, manager, loaders and cache. */
export const createView = (shard: Shard): DataSource => {
  const { runtime } = shard
  const view = overlayOf(shard.group.holder)
  const binding: Binding = { runtime, shard, by: 'handle', frame: undefined, isFloating: false }
  bind(view, binding)
  Object.defineProperty(view, 'options', { value: runtime.optionsOf(shard), writable: true })
  defineLazily(view, {
    driver: () => shard.driver,
    manager: () => RoutedEntityManager.create(view),
    relationLoader: () => new RelationLoader(view),
    relationIdLoader: () => new RelationIdLoader(view),
  })
  Object.defineProperties(view, {
    logger: { configurable: true, get: () => loggerOf(shard) },
    queryResultCache: { configurable: true, get: () => cacheOf(shard) },
    initialize: { value: refuseLifecycle('initialize', shard) },
    destroy: { value: refuseLifecycle('destroy', shard) },
    setOptions: {
      value(options: object) {
        Object.assign(view.options, options)
        return view
      },
    },
  })
  return view
}

/** Where typeorm-transactional notes on a data source by which name it knows it. */
const transactionalName = '@transactional/data-source'

/**
 * What every view derives from: the wrapped DataSource with the routed methods over it. What others
 * put on the proxy to make its calls join a transaction is not for handles: they have their shard, and
 * the transaction may be on another. A handle can be given to typeorm-transactional by a name of its own.
 */
export const createBase = (front: DataSource): DataSource => {
  const base = overlayOf(front)
  const { transaction } = Object.getPrototypeOf(front) as DataSource
  const own = { ...routedMethods, transaction, [transactionalName]: undefined }
  for (const [name, value] of Object.entries(own))
    Object.defineProperty(base, name, { value, configurable: true, writable: true })
  for (const name of replaceable)
    Object.defineProperty(base, name, {
      configurable: true,
      get: () => own[name as keyof typeof own],
      set(this: object, value: unknown) {
        const theirs = adopted(name, value)
        Object.defineProperty(this, name, { value: theirs, configurable: true, writable: true })
      },
    })
  return base
}

/** TypeORM's own methods, as the wrapped DataSource has them. */
export const originalMethods = (front: DataSource) => ({
  query: front.query,
  ...(Object.fromEntries(schemaCalls.map((call) => [call, front[call]])) as Pick<
    DataSource,
    SchemaCall
  >),
})
export type OriginalMethods = ReturnType<typeof originalMethods>

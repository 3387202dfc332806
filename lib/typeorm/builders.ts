import {
  type DataSource,
  DeleteQueryBuilder,
  InsertQueryBuilder,
  type ObjectLiteral,
  QueryBuilder,
  type QueryRunner,
  RelationQueryBuilder,
  SelectQueryBuilder,
  UpdateQueryBuilder,
} from 'typeorm'
import { SoftDeleteQueryBuilder } from 'typeorm/query-builder/SoftDeleteQueryBuilder.js'
import type { Intent } from '../router/request.js'
import { isProvablyReadOnly } from '../router/read-only-sql.js'
import { boundTo, checkSameEngine, stateOf, targetOf } from './binding.js'
import { refuseOnReplica } from './entity-manager.js'
import { assign, copyOf } from './internals.js'
import type { Shard } from './shard.js'

/** What the builders need of each other, beside TypeORM's own declarations. */
type AnyBuilder = Omit<QueryBuilder<ObjectLiteral>, 'dataSource'> & {
  readonly dataSource: DataSource
  // Protected in TypeORM's declarations.
  readonly queryRunner?: QueryRunner | undefined
}

/** A builder with the field that TypeORM protects. */
const builder = (own: QueryBuilder<any>): AnyBuilder => own as unknown as AnyBuilder

/**
 * Settles where a builder runs now: on its runner's shard, on the shard it is bound to, or, made
 * outside every scope, on the shard of the scope around this call. Its SQL is built for that shard.
 *
 * @throws EngineMismatchError if it was built for another engine
 */
const settle = (own: AnyBuilder): Shard => {
  const binding = boundTo(own.dataSource)
  const runnerState = stateOf(own.queryRunner)
  if (runnerState !== undefined) {
    const { shard } = runnerState
    if (shard !== binding.shard || binding.isFloating) {
      checkSameEngine(binding.shard, shard)
      assign(own, { dataSource: shard.view })
    }
    return shard
  }
  if (!binding.isFloating) return binding.shard
  const { shard } = targetOf(own.dataSource)
  if (shard !== binding.shard) {
    checkSameEngine(binding.shard, shard)
    assign(own, { dataSource: shard.floating })
  }
  return shard
}

const mainMetadata = ({ expressionMap: { mainAlias } }: AnyBuilder) =>
  mainAlias?.hasMetadata ? mainAlias.metadata : undefined

/** A runner for one execution of the builder. */
const openRunner = (own: AnyBuilder, intent: Intent, operation: string): QueryRunner => {
  settle(own)
  if (own.queryRunner !== undefined) {
    if (intent === 'write') refuseOnReplica(own.queryRunner, operation)
    return own.queryRunner
  }
  const { runtime, shard, by, frame } = targetOf(own.dataSource)
  return runtime.openRunner(shard, by, frame, intent, operation, mainMetadata(own))
}

/** A write builder's execution: the primary is connected before its SQL is built. */
const executeWrite = <T>(own: AnyBuilder, execute: () => Promise<T>): Promise<T> => {
  let shard: Shard
  try {
    shard = settle(own)
  } catch (error) {
    return Promise.reject(error)
  }
  return shard.isReady || shard.family === 'other' ? execute() : shard.ready().then(execute)
}

class RoutedInsertQueryBuilder<E extends ObjectLiteral> extends InsertQueryBuilder<E> {
  override execute() {
    return executeWrite(builder(this), () => super.execute())
  }

  protected override obtainQueryRunner(): QueryRunner {
    return openRunner(builder(this), 'write', 'insert')
  }
}

class RoutedUpdateQueryBuilder<E extends ObjectLiteral> extends UpdateQueryBuilder<E> {
  override execute() {
    return executeWrite(builder(this), () => super.execute())
  }

  protected override obtainQueryRunner(): QueryRunner {
    return openRunner(builder(this), 'write', 'update')
  }
}

class RoutedDeleteQueryBuilder<E extends ObjectLiteral> extends DeleteQueryBuilder<E> {
  override execute() {
    return executeWrite(builder(this), () => super.execute())
  }

  protected override obtainQueryRunner(): QueryRunner {
    return openRunner(builder(this), 'write', 'delete')
  }
}

class RoutedSoftDeleteQueryBuilder<E extends ObjectLiteral> extends SoftDeleteQueryBuilder<E> {
  override execute() {
    return executeWrite(builder(this), () => super.execute())
  }

  protected override obtainQueryRunner(): QueryRunner {
    const isRestore = this.expressionMap.queryType === 'restore'
    return openRunner(builder(this), 'write', isRestore ? 'restore' : 'softDelete')
  }
}

class RoutedRelationQueryBuilder<E extends ObjectLiteral> extends RelationQueryBuilder<E> {
  protected override obtainQueryRunner(): QueryRunner {
    return openRunner(builder(this), 'write', 'relation')
  }
}

/** A common table expression that may write makes the whole query a write. */
const hasWritingCte = (own: Pick<AnyBuilder, 'expressionMap'>): boolean =>
  own.expressionMap.commonTableExpressions.some(({ queryBuilder }) =>
    typeof queryBuilder === 'string'
      ? !isProvablyReadOnly(queryBuilder)
      : queryBuilder.expressionMap.queryType !== 'select',
  )

/** What a select builder's query needs, from its lock, transaction and common table expressions. */
export const readIntent = (own: Pick<AnyBuilder, 'expressionMap'>): Intent => {
  const { lockMode, useTransaction, commonTableExpressions } = own.expressionMap
  if (useTransaction || (lockMode !== undefined && lockMode !== 'optimistic')) return 'lock'
  // The version of a stale copy would make the check fail.
  if (lockMode === 'optimistic') return 'version check'
  return commonTableExpressions.length > 0 && hasWritingCte(own) ? 'write' : 'read'
}

/** A select builder that chooses its server when it runs and hydrates in that server's shard. */
export class RoutedSelectQueryBuilder<E extends ObjectLiteral> extends SelectQueryBuilder<E> {
  protected override obtainQueryRunner(): QueryRunner {
    return openRunner(builder(this), readIntent(builder(this)), 'select')
  }

  /** Runs the query once its SQL can be built; at once in steady state. */
  #prepared<T>(run: () => Promise<T>): Promise<T> {
    let shard: Shard
    try {
      shard = settle(builder(this))
    } catch (error) {
      return Promise.reject(error)
    }
    return shard.canBuildReads || shard.family === 'other' ? run() : shard.readyToRead().then(run)
  }

  override getRawMany<T = any>(): Promise<T[]> {
    return this.#prepared(() => super.getRawMany<T>())
  }

  override getRawAndEntities<T = any>(): Promise<{ entities: E[]; raw: T[] }> {
    return this.#prepared(() => super.getRawAndEntities<T>())
  }

  override getCount(): Promise<number> {
    return this.#prepared(() => super.getCount())
  }

  override getExists(): Promise<boolean> {
    return this.#prepared(() => super.getExists())
  }

  override getManyAndCount(): Promise<[E[], number]> {
    return this.#prepared(() => super.getManyAndCount())
  }

  override stream() {
    return this.#prepared(() => super.stream())
  }

  override execute(): Promise<any> {
    return this.#prepared(() => super.execute() as Promise<any>)
  }

  /** Entities learn their shard from the runner that answered. TypeORM hands its hydration the
   *  builder's own runner only: a copy of the builder has the one that answered for its own. Where
   *  nothing looks at the entities before they are returned, they are told afterwards, which is
   *  cheaper. */
  protected override executeEntitiesAndRawResults(queryRunner: QueryRunner) {
    const { shard } = stateOf(queryRunner) ?? {}
    if (this.queryRunner !== undefined || shard === undefined)
      return super.executeEntitiesAndRawResults(queryRunner)
    if (yieldsOnlyItsOwn(builder(this), queryRunner))
      return super.executeEntitiesAndRawResults(queryRunner).then((results) => {
        shard.runtime.homes.set(results.entities, shard)
        return results
      })
    const hydrating = copyOf(this as SelectQueryBuilder<E>)
    assign(builder(hydrating), { queryRunner })
    return super.executeEntitiesAndRawResults.call(hydrating, queryRunner) as Promise<{
      entities: E[]
      raw: any[]
    }>
  }
}

/** Whether hydration makes entities of the main alias only, which nobody sees before the caller. */
const yieldsOnlyItsOwn = (own: AnyBuilder, { dataSource }: QueryRunner): boolean => {
  const metadata = mainMetadata(own)
  return (
    metadata !== undefined &&
    own.expressionMap.joinAttributes.length === 0 &&
    metadata.lazyRelations.length === 0 &&
    metadata.afterLoadListeners.length === 0 &&
    dataSource.subscribers.length === 0
  )
}

/** The builders that others turn into: TypeORM's global registry is left alone. */
const conversions = {
  select: ['select', RoutedSelectQueryBuilder],
  insert: ['insert', RoutedInsertQueryBuilder],
  update: ['update', RoutedUpdateQueryBuilder],
  delete: ['delete', RoutedDeleteQueryBuilder],
  softDelete: ['soft-delete', RoutedSoftDeleteQueryBuilder],
  restore: ['restore', RoutedSoftDeleteQueryBuilder],
  relation: ['relation', RoutedRelationQueryBuilder],
} as const

type Conversion = keyof typeof conversions
type BuilderClass = new (builder: AnyBuilder) => AnyBuilder

/**
 * Makes a builder's conversions (`insert()`, `update()` …) yield routed builders. TypeORM's own
 * method does the work on the builder it is called on and then makes the new one through its
 * registry; here the new one is made first, as a copy, and the method is called on that.
 */
for (const Builder of new Set(Object.values(conversions).map(([, builder]) => builder)))
  for (const name of Object.keys(conversions) as Conversion[]) {
    const Target = conversions[name][1] as unknown as BuilderClass
    const original = QueryBuilder.prototype[name] as unknown as (...args: unknown[]) => AnyBuilder
    // A builder's own override (SelectQueryBuilder.select) stays.
    const own = Builder.prototype as unknown as Record<Conversion, typeof original>
    const inherited = own[name]
    Object.defineProperty(Builder.prototype, name, {
      configurable: true,
      writable: true,
      value(this: AnyBuilder, ...args: unknown[]): AnyBuilder {
        if (this instanceof Target) return inherited.apply(this, args)
        return original.apply(new Target(this), args)
      },
    })
  }

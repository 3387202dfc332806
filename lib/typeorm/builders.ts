import {
  DeleteQueryBuilder,
  type FindManyOptions,
  InsertQueryBuilder,
  type ObjectLiteral,
  type QueryRunner,
  RelationQueryBuilder,
  SelectQueryBuilder,
  UpdateQueryBuilder,
} from 'typeorm'
import { SoftDeleteQueryBuilder } from 'typeorm/query-builder/SoftDeleteQueryBuilder.js'
import type { Intent } from '../router/request.js'
import { isProvablyReadOnly } from '../router/read-only-sql.js'
import { boundTo, stateOf, targetOf } from './binding.js'
import { routeBuilders } from './conversions.js'
import { refuseOnReplica } from './entity-manager.js'
import { assign, copyOf } from './internals.js'
import { namedInCriteria, namedInValues } from './named-entities.js'
import { refuseCrossingJoins } from './crossing-joins.js'
import { type AnyBuilder, builder, goHome, mainMetadata, settle } from './settle.js'
import type { Shard } from './shard.js'

/** A runner for one execution of the builder. */
const openRunner = (own: AnyBuilder, intent: Intent, operation: string): QueryRunner => {
  settle(own)
  if (own.queryRunner !== undefined) {
    if (intent === 'write') refuseOnReplica(own.queryRunner, operation)
    return own.queryRunner
  }
  const metadata = mainMetadata(own)
  const { runtime, shard, by, frame } = targetOf(own.dataSource, metadata)
  return runtime.openRunner(shard, by, frame, intent, operation, metadata)
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

/** Rows to be written take their builder home; what a save found to write has been looked at. */
const goHomeOfRows = (own: AnyBuilder, rows: unknown): readonly unknown[] => {
  const list = Array.isArray(rows) ? (rows as unknown[]) : [rows]
  if (stateOf(own.queryRunner)?.intent !== 'persist')
    goHome(own, namedInValues(list, mainMetadata(own), boundTo(own.dataSource).runtime.homes))
  return list
}

class RoutedInsertQueryBuilder<E extends ObjectLiteral> extends InsertQueryBuilder<E> {
  /** Instances of the entity's class are at home where they were inserted; literals are values. */
  override async execute() {
    const rows = goHomeOfRows(builder(this), this.expressionMap.valuesSet)
    const result = await executeWrite(builder(this), () => super.execute())
    const { runtime, shard } = boundTo(this.dataSource)
    const { homes } = runtime
    const metadata = mainMetadata(this)
    if (typeof metadata?.target === 'function')
      for (const row of rows)
        if (row instanceof metadata.target && homes.get(row) === undefined)
          homes.set(row, shard.homeOf(metadata))
    return result
  }

  protected override obtainQueryRunner(): QueryRunner {
    return openRunner(builder(this), 'write', 'insert')
  }
}

class RoutedUpdateQueryBuilder<E extends ObjectLiteral> extends UpdateQueryBuilder<E> {
  override whereEntity(entity: E | E[]) {
    goHome(builder(this), namedInCriteria(entity, boundTo(this.dataSource).runtime.homes))
    return super.whereEntity(entity)
  }

  override async execute() {
    goHomeOfRows(builder(this), this.expressionMap.valuesSet)
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
  override of(entity: unknown) {
    this.#goHome(entity)
    return super.of(entity)
  }

  override async set(value: unknown): Promise<void> {
    this.#take(value)
    return super.set(value)
  }

  override async add(value: unknown): Promise<void> {
    this.#take(value)
    return super.add(value)
  }

  override async remove(value: unknown): Promise<void> {
    this.#take(value)
    return super.remove(value)
  }

  override async addAndRemove(added: unknown, removed: unknown): Promise<void> {
    this.#take([added, removed])
    return super.addAndRemove(added, removed)
  }

  /** Before any SQL of the change: what it names belongs together. */
  #take(values: unknown): void {
    this.#goHome(values)
    const { pins } = boundTo(this.dataSource).runtime
    const { relationMetadata } = this.expressionMap
    const { entityMetadata, inverseEntityMetadata } = relationMetadata
    if (pins.areApart(entityMetadata, inverseEntityMetadata))
      pins.checkOnlyIds(relationMetadata, false)
  }

  #goHome(entities: unknown): void {
    const { runtime } = boundTo(this.dataSource)
    goHome(builder(this), namedInCriteria(entities, runtime.homes))
    // What it loads, it loads from the owner's home too.
    if (boundTo(this.dataSource).because !== undefined)
      assign(this.dataSource, { relationLoader: runtime.front.relationLoader })
  }

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
  override setFindOptions(options: FindManyOptions<E>) {
    if (options.where !== undefined)
      goHome(builder(this), namedInCriteria(options.where, boundTo(this.dataSource).runtime.homes))
    return super.setFindOptions(options)
  }

  protected override obtainQueryRunner(): QueryRunner {
    return openRunner(builder(this), readIntent(builder(this)), 'select')
  }

  /** Runs the query once its SQL can be built; at once in steady state. */
  #prepared<T>(run: () => Promise<T>): Promise<T> {
    let shard: Shard
    try {
      shard = settle(builder(this))
      refuseCrossingJoins(this, shard)
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
        shard.runtime.homes.set(results.entities, shard.homeOf(mainMetadata(this)))
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

routeBuilders({
  select: RoutedSelectQueryBuilder,
  insert: RoutedInsertQueryBuilder,
  update: RoutedUpdateQueryBuilder,
  delete: RoutedDeleteQueryBuilder,
  softDelete: RoutedSoftDeleteQueryBuilder,
  restore: RoutedSoftDeleteQueryBuilder,
  relation: RoutedRelationQueryBuilder,
})

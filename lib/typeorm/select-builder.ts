import {
  type FindManyOptions,
  type ObjectLiteral,
  type QueryRunner,
  SelectQueryBuilder,
} from 'typeorm'
import { isProvablyReadOnly } from '../router/read-only-sql.js'
import type { Intent } from '../router/request.js'
import { boundTo, stateOf } from './binding.js'
import { refuseCrossingJoins } from './crossing-joins.js'
import { assign, copyOf } from './internals.js'
import { namedInCriteria } from './named-entities.js'
import { type AnyBuilder, builder, goHome, mainMetadata, openRunner, settle } from './settle.js'
import type { Shard } from './shard.js'

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

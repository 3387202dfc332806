import {
  DeleteQueryBuilder,
  InsertQueryBuilder,
  type ObjectLiteral,
  type QueryRunner,
  RelationQueryBuilder,
  UpdateQueryBuilder,
} from 'typeorm'
import { SoftDeleteQueryBuilder } from 'typeorm/query-builder/SoftDeleteQueryBuilder.js'
import { boundTo, stateOf } from './binding.js'
import { assign } from './internals.js'
import { isAnySettling, namedInCriteria, namedInValues } from './named-entities.js'
import { type AnyBuilder, builder, goHome, mainMetadata, openRunner, settle } from './settle.js'

/**
 * A write builder's execution: it goes home first, and the primary is connected before its SQL is built.
 *
 * @param rows - what is written, where the builder has it
 */
const executeWrite = <T>(
  own: AnyBuilder,
  execute: () => Promise<T>,
  rows?: unknown,
): Promise<T> => {
  const values = listOf(rows)
  const metadata = mainMetadata(own)
  // What a save found to write has been looked at.
  const isNew = rows !== undefined && stateOf(own.queryRunner)?.intent !== 'persist'
  const write = (): Promise<T> => {
    if (isNew) goHome(own, namedInValues(values, metadata, boundTo(own.dataSource).runtime.homes))
    const shard = settle(own)
    return shard.isReady || shard.family === 'other' ? execute() : shard.ready().then(execute)
  }
  try {
    return isNew && isAnySettling(values, metadata) ? Promise.resolve().then(write) : write()
  } catch (error) {
    return Promise.reject(error)
  }
}

const listOf = (rows: unknown): readonly unknown[] => (Array.isArray(rows) ? rows : [rows])

/** Records that rows were inserted: instances of the entity's class are at home where the builder ran,
 *  literals are values. */
const recordInserted = (own: AnyBuilder, rows: unknown): void => {
  const metadata = mainMetadata(own)
  if (typeof metadata?.target !== 'function') return
  const { runtime, shard } = boundTo(own.dataSource)
  for (const row of listOf(rows))
    if (row instanceof metadata.target && runtime.homes.get(row) === undefined)
      runtime.homes.set(row, shard.homeOf(metadata))
}

export class RoutedInsertQueryBuilder<E extends ObjectLiteral> extends InsertQueryBuilder<E> {
  override execute() {
    const rows: unknown = this.expressionMap.valuesSet
    const run = () => super.execute()
    const inserted = executeWrite(builder(this), run, rows)
    if (stateOf(builder(this).queryRunner)?.intent === 'persist') return inserted
    return inserted.then((result) => {
      recordInserted(builder(this), rows)
      return result
    })
  }

  protected override obtainQueryRunner(): QueryRunner {
    return openRunner(builder(this), 'write', 'insert')
  }
}

export class RoutedUpdateQueryBuilder<E extends ObjectLiteral> extends UpdateQueryBuilder<E> {
  override whereEntity(entity: E | E[]) {
    goHome(builder(this), namedInCriteria(entity, boundTo(this.dataSource).runtime.homes))
    return super.whereEntity(entity)
  }

  override execute() {
    return executeWrite(builder(this), () => super.execute(), this.expressionMap.valuesSet)
  }

  protected override obtainQueryRunner(): QueryRunner {
    return openRunner(builder(this), 'write', 'update')
  }
}

export class RoutedDeleteQueryBuilder<E extends ObjectLiteral> extends DeleteQueryBuilder<E> {
  override execute() {
    return executeWrite(builder(this), () => super.execute())
  }

  protected override obtainQueryRunner(): QueryRunner {
    return openRunner(builder(this), 'write', 'delete')
  }
}

export class RoutedSoftDeleteQueryBuilder<
  E extends ObjectLiteral,
> extends SoftDeleteQueryBuilder<E> {
  override execute() {
    return executeWrite(builder(this), () => super.execute())
  }

  protected override obtainQueryRunner(): QueryRunner {
    const isRestore = this.expressionMap.queryType === 'restore'
    return openRunner(builder(this), 'write', isRestore ? 'restore' : 'softDelete')
  }
}

export class RoutedRelationQueryBuilder<E extends ObjectLiteral> extends RelationQueryBuilder<E> {
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

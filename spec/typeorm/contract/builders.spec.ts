import { expect } from 'chai'
import {
  DeleteQueryBuilder,
  InsertQueryBuilder,
  QueryBuilder,
  RelationQueryBuilder,
  SelectQueryBuilder,
  UpdateQueryBuilder,
} from 'typeorm'
import { SoftDeleteQueryBuilder } from 'typeorm/query-builder/SoftDeleteQueryBuilder.js'
import { DriverUtils } from '../../../lib/typeorm/internals.js'
import { Book, type Members, expectMethods, gone, sqljs } from './support.js'

/** Names of a class's own methods whose source mentions `text`. */
const methodsThatUse = (text: string, { prototype }: { prototype: unknown }): string[] =>
  Object.entries(Object.getOwnPropertyDescriptors(prototype as Members))
    .filter(([name]) => name !== 'constructor')
    .filter(([, { value }]) => typeof value === 'function' && String(value).includes(text))
    .map(([name]) => name)

describe("the contract with TypeORM's query builders", () => {
  it('asks for its runner in obtainQueryRunner(), from the methods that are overridden here', () => {
    const use = 'choose the server of each query'
    expectMethods(QueryBuilder.prototype, 'QueryBuilder', {
      obtainQueryRunner: ['settle.ts', use],
    })
    const home = 'go to the home of the entities that are named'
    expectMethods(QueryBuilder.prototype, 'QueryBuilder', {
      getWhereCondition: ['conversions.ts', home],
      getWhereInIdsCondition: ['conversions.ts', home],
    })
    expectMethods(QueryBuilder.prototype, 'QueryBuilder', {
      createFromAlias: ['conversions.ts', 'take an unsharded entity to its shard'],
    })
    expectMethods(UpdateQueryBuilder.prototype, 'UpdateQueryBuilder', {
      whereEntity: ['write-builders.ts', home],
    })
    expectMethods(RelationQueryBuilder.prototype, 'RelationQueryBuilder', {
      of: ['write-builders.ts', home],
      set: ['write-builders.ts', home],
      add: ['write-builders.ts', home],
      remove: ['write-builders.ts', home],
      addAndRemove: ['write-builders.ts', home],
    })
    expectMethods(SelectQueryBuilder.prototype, 'SelectQueryBuilder', {
      obtainQueryRunner: ['settle.ts', use],
      setFindOptions: ['select-builder.ts', home],
      executeEntitiesAndRawResults: ['select-builder.ts', 'hydrate in the shard that answered'],
    })
    expect(
      methodsThatUse('this.obtainQueryRunner()', SelectQueryBuilder).toSorted(),
      'TypeORM has other select methods that run a query: override them in lib/typeorm/select-builder.ts, which awaits the server’s version before SQL is built',
    ).to.deep.equal([
      'getCount',
      'getExists',
      'getManyAndCount',
      'getRawAndEntities',
      'getRawMany',
      'stream',
    ])
    for (const Builder of [
      InsertQueryBuilder,
      UpdateQueryBuilder,
      DeleteQueryBuilder,
      SoftDeleteQueryBuilder,
    ])
      expect(
        methodsThatUse('this.obtainQueryRunner()', Builder),
        gone(
          `${Builder.name}.execute() as its only way to a server`,
          'write-builders.ts',
          'connect first',
        ),
      ).to.deep.equal(['execute'])
  })

  it('copies a builder, and converts one of the right class in place', async () => {
    const source = sqljs()
    await source.initialize()
    const select = source.createQueryBuilder(Book, 'book')
    const conversions = {
      insert: InsertQueryBuilder,
      update: UpdateQueryBuilder,
      delete: DeleteQueryBuilder,
      softDelete: SoftDeleteQueryBuilder,
      restore: SoftDeleteQueryBuilder,
    } as const
    for (const [name, Builder] of Object.entries(conversions)) {
      const copy = new (Builder as unknown as new (from: unknown) => InsertQueryBuilder<Book>)(
        select,
      )
      const use = gone(
        `${name}() that returns a ${Builder.name} itself`,
        'conversions.ts',
        'make routed builders',
      )
      expect(copy.dataSource, use).to.equal(source)
      expect(copy.expressionMap, use).not.to.equal(select.expressionMap)
      expect((copy[name as 'insert'] as () => unknown).call(copy), use).to.equal(copy)
    }
    expect(
      (select.expressionMap as unknown as Members)['dataSource'],
      gone(
        'the data source in an expression map',
        'replacements.ts',
        'route a builder of TypeORM’s',
      ),
    ).to.equal(source)
    const relation = new RelationQueryBuilder<Book>(select as never)
    expect(relation.relation(Book, 'author')).to.equal(relation)
    await source.destroy()
  })

  it('tells what a query needs in its expression map', async () => {
    const source = sqljs()
    await source.initialize()
    const { expressionMap } = source
      .createQueryBuilder(Book, 'book')
      .addCommonTableExpression('SELECT 1', 'one')
    const { mainAlias, queryType, useTransaction, commonTableExpressions } = expressionMap
    const use = gone(
      'these fields of the expression map',
      'select-builder.ts',
      'know reads from writes and locks',
    )
    expect(mainAlias?.hasMetadata && mainAlias.metadata, use).to.equal(source.getMetadata(Book))
    expect([queryType, useTransaction, commonTableExpressions[0]?.queryBuilder], use).to.deep.equal(
      ['select', false, 'SELECT 1'],
    )
    const joined = source
      .createQueryBuilder(Book, 'book')
      .leftJoin('book.author', 'author')
      .loadRelationIdAndMap('ids', 'book.author').expressionMap
    const joins = gone('these fields of the expression map', 'crossing-joins.ts', 'refuse joins')
    expect(
      joined.aliases.map(({ hasMetadata }) => hasMetadata),
      joins,
    ).to.deep.equal([true, true])
    expect(joined.relationIdAttributes[0]?.relation.isWithJoinColumn, joins).to.equal(true)
    const outer = source.createQueryBuilder(Book, 'outer')
    expect(
      (outer.subQuery() as unknown as { parentQueryBuilder: unknown }).parentQueryBuilder,
      gone('the parent of a subquery', 'conversions.ts', 'take the whole query home'),
    ).to.equal(outer)
    const rows = [{ title: 'x' }]
    const { expressionMap: insertion } = source
      .createQueryBuilder()
      .insert()
      .into(Book)
      .values(rows)
    const { expressionMap: change } = source.createQueryBuilder().update(Book).set({ title: 'x' })
    const values = gone(
      'valuesSet of the expression map',
      'write-builders.ts',
      'know what is written',
    )
    expect(insertion.valuesSet, values).to.equal(rows)
    expect(change.valuesSet, values).to.deep.equal({ title: 'x' })
    expect(
      'lockMode' in source.createQueryBuilder(Book, 'b').setLock('pessimistic_read').expressionMap,
      use,
    ).to.equal(true)
    expect(
      DriverUtils.buildAlias(source.driver, undefined, 'book'),
      'lib/typeorm/view.ts shortens aliases with it',
    ).to.equal('book')
    await source.destroy()
  })
})

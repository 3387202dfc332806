import { type ObjectLiteral, type SelectQueryBuilder, TreeRepository } from 'typeorm'
import { boundTo } from './binding.js'
import { namedInCriteria } from './named-entities.js'
import { builder, goHome } from './settle.js'

const atHomeOf = <E extends ObjectLiteral>(
  query: SelectQueryBuilder<E>,
  entity: E,
): SelectQueryBuilder<E> => {
  const own = builder(query)
  goHome(own, namedInCriteria(entity, boundTo(own.dataSource).runtime.homes))
  return query
}

/** A tree repository that looks for an entity's ancestors and descendants on its home shard. */
export class RoutedTreeRepository<E extends ObjectLiteral> extends TreeRepository<E> {
  // What users see of it is TypeORM's.
  // @ts-expect-error The target is not one where a function's name could not be replaced.
  static get name(): string {
    return TreeRepository.name
  }

  override createDescendantsQueryBuilder(alias: string, closureTableAlias: string, entity: E) {
    return atHomeOf(super.createDescendantsQueryBuilder(alias, closureTableAlias, entity), entity)
  }

  override createAncestorsQueryBuilder(alias: string, closureTableAlias: string, entity: E) {
    return atHomeOf(super.createAncestorsQueryBuilder(alias, closureTableAlias, entity), entity)
  }
}

import { routeBuilders } from './conversions.js'
import { RoutedSelectQueryBuilder } from './select-builder.js'
import {
  RoutedDeleteQueryBuilder,
  RoutedInsertQueryBuilder,
  RoutedRelationQueryBuilder,
  RoutedSoftDeleteQueryBuilder,
  RoutedUpdateQueryBuilder,
} from './write-builders.js'

routeBuilders({
  select: RoutedSelectQueryBuilder,
  insert: RoutedInsertQueryBuilder,
  update: RoutedUpdateQueryBuilder,
  delete: RoutedDeleteQueryBuilder,
  softDelete: RoutedSoftDeleteQueryBuilder,
  restore: RoutedSoftDeleteQueryBuilder,
  relation: RoutedRelationQueryBuilder,
})

// From here, so that nobody gets one whose conversions are TypeORM's.
export { RoutedSelectQueryBuilder } from './select-builder.js'

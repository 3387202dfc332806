import type { DataSource, ObjectLiteral, QueryRunner, SelectQueryBuilder } from 'typeorm'
import type { RelationMetadata } from 'typeorm/metadata/RelationMetadata.js'
import { enterFrame } from '../context/carrier.js'
import { childFrame } from '../context/frame.js'
import { stateOf } from './binding.js'
import { RelationLoader } from './internals.js'
import type { Runtime } from './runtime.js'

/**
 * The relation loader of the wrapped data source: it loads from the owner's home shard, wherever the
 * relation is read, and else from the shard of the scope around the call.
 */
export class RoutedRelationLoader extends RelationLoader {
  readonly #runtime: Runtime

  constructor(dataSource: DataSource, runtime: Runtime) {
    super(dataSource)
    this.#runtime = runtime
  }

  override load(
    relation: RelationMetadata,
    entityOrEntities: ObjectLiteral | ObjectLiteral[],
    queryRunner?: QueryRunner,
    queryBuilder?: SelectQueryBuilder<any>,
    loadEagerRelations?: boolean,
  ): Promise<any[]> {
    const isGone = queryRunner?.isReleased === true || stateOf(queryRunner)?.isReleased === true
    const runner = isGone ? undefined : queryRunner
    const source = stateOf(runner)?.shard.view ?? this.#sourceFor(entityOrEntities)
    const load = () =>
      new RelationLoader(source).load(
        relationOn(source, relation),
        entityOrEntities,
        runner,
        queryBuilder,
        loadEagerRelations,
      )
    return runner?.isTransactionActive ? this.#inScopeOf(runner, load) : load()
  }

  /** Reading a relation is not using the transaction that found its owner: the load belongs to the
   *  transaction's scope, whatever scope the relation is read in. */
  #inScopeOf<T>(runner: QueryRunner, load: () => T): T {
    const { owner, scopes } = this.#runtime
    const frame = stateOf(runner)?.frame
    const collector = scopes.current()?.collector
    const change = {
      label: 'lazy load',
      origin: 'library',
      ...(collector && { collector }),
    } as const
    return enterFrame(childFrame(owner, frame, frame, change), load)
  }

  #sourceFor(owners: ObjectLiteral | ObjectLiteral[]): DataSource {
    const entities = Array.isArray(owners) ? owners : [owners]
    const home = this.#runtime.homes.common(entities, 'Loading a relation')
    return home === undefined ? this.#runtime.currentSource() : this.#runtime.homeSource(home)
  }

  /** Keeps a runner for later loads only where the user or a transaction owns it. */
  override enableLazyLoad(
    relation: RelationMetadata,
    entity: ObjectLiteral,
    queryRunner?: QueryRunner,
  ): void {
    super.enableLazyLoad(relation, entity, stateOf(queryRunner)?.isOwn ? undefined : queryRunner)
  }
}

/** The relation as the metadata of the source's engine has it. */
const relationOn = (source: DataSource, relation: RelationMetadata): RelationMetadata =>
  source
    .getMetadata(relation.entityMetadata.target)
    .findRelationWithPropertyPath(relation.propertyPath) ?? relation

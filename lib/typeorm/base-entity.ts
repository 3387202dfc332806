import { BaseEntity, type Repository } from 'typeorm'
import { bindingOf, stateOf } from './binding.js'
import { RoutedEntityManager } from './entity-manager.js'

interface BaseEntityClass {
  readonly prototype: BaseEntity
  useDataSource(dataSource: object): void
  getRepository(): Repository<BaseEntity>
}

/** Whether an entity's target is a class that extends BaseEntity. */
export const isBaseEntity = (target: unknown): target is BaseEntityClass =>
  typeof target === 'function' && 'useDataSource' in target

const { reload } = BaseEntity.prototype

/** TypeORM reads on the shard of the scope; this reads where the entity is at home. */
async function reloadAtHome(this: BaseEntity): Promise<void> {
  const entityClass = this.constructor as unknown as BaseEntityClass
  const { dataSource, queryRunner } = entityClass.getRepository().manager
  // Asked for at each call: another data source that has the class may have been given to it since.
  const runtime = bindingOf(dataSource)?.runtime
  if (runtime === undefined) return reload.call(this)
  const { homes } = runtime
  const bound = stateOf(queryRunner)?.shard
  if (bound !== undefined) homes.checkNotForeign([this], bound, 'reload')
  const home = homes.common([this], 'reload')
  if (bound !== undefined || home === undefined) return reload.call(this)
  const manager = RoutedEntityManager.create(runtime.homeSource(home))
  const id = manager.dataSource.getMetadata(entityClass as never).getEntityIdMap(this)
  // TypeORM says what is wrong with an entity without an id.
  if (id === undefined) return reload.call(this)
  const fresh = await manager.findOneByOrFail(entityClass as never, id)
  // As TypeORM copies it.
  for (const key of Object.getOwnPropertyNames(fresh)) Reflect.set(this, key, fresh[key])
}

/**
 * Lets the instances of a class reload from their home. What else they do is a save or a remove, which
 * goes home by itself. A `reload` of the class's own stays.
 */
export const reloadFromHome = ({ prototype }: BaseEntityClass): void => {
  if (prototype.reload === reload)
    Object.defineProperty(prototype, 'reload', {
      configurable: true,
      writable: true,
      value: reloadAtHome,
    })
}

import { type DataSource, EntityManager, InstanceChecker, type QueryRunner } from 'typeorm'
import { ReadOnlyScopeError } from '../errors.js'
import { boundTo, stateOf, targetOf } from './binding.js'
import { SqljsEntityManager, overlayOf } from './internals.js'
import { persist } from './persistence.js'
import { inTransactionScope } from './transactions.js'

type Constructor = new (...args: any[]) => EntityManager

/** The entity argument of `save(target?, entity, options?)` and its like. */
const entityArgument = (args: readonly unknown[]): { target: unknown; entity: unknown } => {
  const [first, second] = args
  const isTarget =
    args.length > 1 &&
    (typeof first === 'function' ||
      typeof first === 'string' ||
      InstanceChecker.isEntitySchema(first))
  return isTarget ? { target: first, entity: second } : { target: undefined, entity: first }
}

/** An entity made on a handle is at home there. A function and not a private method: TypeORM calls
 *  `merge` on our overlays of managers too, which have no private members. */
const recordOnHandle = (manager: EntityManager, entity: unknown): void => {
  const { isFloating, runtime, shard } = boundTo(manager.dataSource)
  if (!isFloating && runtime.homes.get(entity) === undefined) runtime.homes.set(entity, shard)
}

/** Adds routing to a manager class: persistence goes home, transactions mark their callback. */
// `any` in the signatures: TypeORM's overloads are kept by the cast at the end of this file.
const routedManager = <C extends Constructor>(Base: C) => {
  const proto = Base.prototype as EntityManager
  return class extends Base {
    #persist(operation: 'save' | 'remove' | 'softRemove' | 'recover', args: any[]): Promise<any> {
      const { target, entity } = entityArgument(args)
      const run = proto[operation] as (...args: any[]) => Promise<any>
      return persist(this, operation, target, entity, (manager) => run.apply(manager, args))
    }

    override save(...args: any[]): Promise<any> {
      return this.#persist('save', args)
    }

    override remove(...args: any[]): Promise<any> {
      return this.#persist('remove', args)
    }

    override softRemove(...args: any[]): Promise<any> {
      return this.#persist('softRemove', args)
    }

    override recover(...args: any[]): Promise<any> {
      return this.#persist('recover', args)
    }

    override create(...args: any[]): any {
      const created = (proto.create as (...args: any[]) => any).apply(this, args)
      recordOnHandle(this, created)
      return created
    }

    override merge(...args: any[]): any {
      const merged = (proto.merge as (...args: any[]) => any).apply(this, args)
      recordOnHandle(this, merged)
      return merged
    }

    /** Reads on the primary, and inside a transaction on its connection: what is merged into and
     *  saved must not be a stale copy. */
    override preload(...args: any[]): Promise<any> {
      const overlay = overlayOf(this as EntityManager)
      const source = overlayOf(this.dataSource)
      Object.defineProperty(source, 'manager', { value: this })
      Object.defineProperty(overlay, 'dataSource', { value: source })
      const run = () => (proto.preload as (...args: any[]) => Promise<any>).apply(overlay, args)
      if (this.queryRunner !== undefined) return run()
      const { runtime, shard } = targetOf(this.dataSource)
      if (shard.topology.replicas.length === 0) return run()
      const primaryFor = { shard: shard.name, because: 'persisting' } as const
      return runtime.scopes.enter({ label: 'preload', origin: 'library', primaryFor }, run)
    }

    override async clear(target: any, options?: any): Promise<void> {
      const run = proto.clear
      if (this.queryRunner !== undefined) {
        refuseOnReplica(this.queryRunner, 'clear')
        return run.call(this, target, options)
      }
      const { runtime, frame, shard, by } = targetOf(this.dataSource)
      const overlay = overlayOf(this as EntityManager)
      const dataSource = shard.overlay(frame, by, () =>
        runtime.openRunner(shard, by, frame, 'write', 'clear', undefined),
      )
      Object.defineProperty(overlay, 'dataSource', { value: dataSource })
      return run.call(overlay, target, options)
    }

    override transaction(...args: any[]): Promise<any> {
      const run = proto.transaction as (...args: any[]) => Promise<any>
      if (this.queryRunner !== undefined) return run.apply(this, args)
      return inTransactionScope(this, args, (manager, wrapped) => run.apply(manager, wrapped))
    }
  }
}

/** Refuses a write through a runner that was asked for in replica mode. */
export const refuseOnReplica = (runner: QueryRunner, operation: string): void => {
  const state = stateOf(runner)
  if (state?.route.role === 'replica') throw new ReadOnlyScopeError(state.shard.name, operation)
}

const Routed = routedManager(EntityManager)
const RoutedSqljs = routedManager(SqljsEntityManager)

/** Makes the managers of wrapped data sources. */
export const RoutedEntityManager = {
  /**
   * @param dataSource - a data source object of ours
   * @param queryRunner - the runner that the manager is bound to, if any
   */
  create(dataSource: DataSource, queryRunner?: QueryRunner): EntityManager {
    if (dataSource.driver.options.type !== 'sqljs') return new Routed(dataSource, queryRunner)
    const manager = new RoutedSqljs(dataSource, queryRunner)
    // TypeORM keeps the driver of the moment of construction; the proxy's changes with the scope.
    Object.defineProperty(manager, 'driver', { get: () => dataSource.driver })
    return manager
  },
}

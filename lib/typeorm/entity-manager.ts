import {
  type DataSource,
  EntityManager,
  type EntityTarget,
  InstanceChecker,
  type ObjectLiteral,
  type QueryRunner,
  type TreeRepository,
} from 'typeorm'
import { boundTo, stateOf, targetOf } from './binding.js'
import { SqljsEntityManager, overlayOf } from './internals.js'
import { makeEntity } from './made-entities.js'
import { namedInValues } from './named-entities.js'
import { persist } from './persistence.js'
import { refuseOnReplica } from './read-only-guard.js'
import { inTransactionScope } from './transactions.js'
import { RoutedTreeRepository } from './tree-repository.js'

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

/**
 * The data source object to read the row on that values stand for: that of their home, if they have one.
 *
 * @throws CrossShardError if they are of another shard than the manager is bound to
 */
const sourceOf = (manager: EntityManager, target: unknown, values: unknown): DataSource => {
  const { dataSource, queryRunner } = manager
  const binding = boundTo(dataSource)
  const { homes } = binding.runtime
  const metadata = binding.runtime.metadataOf(binding.shard, target)
  const named = namedInValues([values], metadata, homes)
  const home = homes.common(named, 'preload')
  if (home === undefined) return dataSource
  const isBound = queryRunner !== undefined || binding.by === 'handle'
  if (!isBound) return binding.runtime.homeSource(home)
  homes.checkNotForeign(named, stateOf(queryRunner)?.shard ?? binding.shard, 'preload')
  return dataSource
}

/** Adds routing to a manager class: persistence goes home, transactions mark their callback. */
// `any` in the signatures: TypeORM's overloads are kept by the cast at the end of this file.
const routedManager = <C extends Constructor>(Base: C) => {
  const proto = Base.prototype as EntityManager
  return class extends Base {
    #persist(operation: 'save' | 'remove' | 'softRemove' | 'recover', args: any[]): Promise<any> {
      const { target, entity } = entityArgument(args)
      const original = proto[operation] as (...args: any[]) => Promise<any>
      const run = (manager: EntityManager) => original.apply(manager, args)
      return persist({ manager: this, operation, target, entity, run })
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
      const [target, values] = args
      const create = proto.create as (...args: any[]) => any
      return makeEntity(this, 'create', target, [values], () => create.apply(this, args))
    }

    override merge(...args: any[]): any {
      const [target, , ...values] = args
      const merge = proto.merge as (...args: any[]) => any
      return makeEntity(this, 'merge', target, values, () => merge.apply(this, args))
    }

    /** Reads on the primary of what it is about, and inside a transaction on its connection: what is
     *  merged into and saved must not be a stale copy. */
    override async preload(...args: any[]): Promise<any> {
      const [target, values] = args
      const source = overlayOf(sourceOf(this, target, values))
      const overlay = overlayOf(this as EntityManager)
      Object.defineProperty(source, 'manager', { value: overlay })
      Object.defineProperty(overlay, 'dataSource', { value: source })
      // Those of the manager itself would read where it works.
      Object.defineProperty(overlay, 'repositories', { value: new Map() })
      const run = () => (proto.preload as (...args: any[]) => Promise<any>).apply(overlay, args)
      if (this.queryRunner !== undefined) return run()
      const { runtime, shard } = targetOf(source)
      if (!shard.hasCopies) return run()
      const primaryFor = { shard: shard.name, because: 'persisting' } as const
      return runtime.scopes.enter({ label: 'preload', origin: 'library', primaryFor }, run)
    }

    override getTreeRepository<E extends ObjectLiteral>(target: EntityTarget<E>) {
      const { treeRepositories } = this as unknown as { treeRepositories: TreeRepository<any>[] }
      // TypeORM says itself which drivers have no trees.
      if (
        this.dataSource.driver.treeSupport &&
        !treeRepositories.some((each) => each.target === target)
      )
        treeRepositories.push(new RoutedTreeRepository(target, this, this.queryRunner))
      return super.getTreeRepository(target)
    }

    override async clear(target: any, options?: any): Promise<void> {
      const run = proto.clear
      if (this.queryRunner !== undefined) {
        refuseOnReplica(this.queryRunner, 'clear')
        return run.call(this, target, options)
      }
      const place = targetOf(this.dataSource)
      const metadata = place.runtime.metadataOf(place.shard, target)
      const { runtime, frame, shard, by } = targetOf(this.dataSource, metadata)
      const overlay = overlayOf(this as EntityManager)
      const dataSource = shard.overlay(frame, by, () =>
        runtime.openRunner(shard, by, frame, 'write', 'clear', metadata),
      )
      Object.defineProperty(overlay, 'dataSource', { value: dataSource })
      return run.call(overlay, target, options)
    }

    /** typeorm-transactional notes a repository's manager on it, and TypeORM copies the note. */
    override withRepository(repository: any): any {
      return Object.assign(super.withRepository(repository), { manager: this })
    }

    override transaction(...args: any[]): Promise<any> {
      const run = proto.transaction as (...args: any[]) => Promise<any>
      return inTransactionScope(this, args, (manager, wrapped) => run.apply(manager, wrapped))
    }
  }
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

import type { DataSource, EntityMetadata } from 'typeorm'
import { isBaseEntity, reloadFromHome } from './base-entity.js'
import { driverAccess } from './driver-access.js'
import { buildGroup } from './engine-group.js'
import { type Driver, assign, overlayOf } from './internals.js'
import { RoutedRelationLoader } from './relation-loader.js'
import type { Runtime } from './runtime.js'
import type { Shard } from './shard.js'

/** Connects entity metadata with routing, and drivers with the metadata. */
export class MetadataWiring {
  readonly #runtime: Runtime
  readonly #waiting: { readonly shard: Shard; readonly driver: Driver }[] = []
  #isBuilt = false

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** Puts the routing relation loader in the place of the wrapped DataSource's own. */
  installRelationLoader(): void {
    const { front, defaultShard } = this.#runtime
    assign(front, {
      relationLoader: new RoutedRelationLoader(defaultShard.floating, this.#runtime),
    })
  }

  /** Completes what the wrapped DataSource built for its own engine: other engines' metadata, homes,
   *  and the data source of BaseEntity classes. */
  async complete(proxy: DataSource): Promise<void> {
    const { front, groups, pins, shards } = this.#runtime
    pins.learn(front.entityMetadatas)
    this.#adopt(front.entityMetadatas)
    for (const group of groups.others) {
      const shard = [...shards].find((candidate) => candidate.group === group)
      if (shard === undefined) continue
      const source = overlayOf(shard.view)
      Object.defineProperty(source, 'relationLoader', { value: front.relationLoader })
      this.#adopt(await buildGroup(group, source, front.options.entities))
    }
    this.rewire(proxy)
  }

  /** Takes over the metadata of a DataSource that was initialised before it was wrapped. */
  adoptBuilt(proxy: DataSource): void {
    const { front, pins } = this.#runtime
    pins.learn(front.entityMetadatas)
    this.#isBuilt = true
    this.#adopt(front.entityMetadatas)
    this.rewire(proxy)
  }

  /** Points BaseEntity classes and the lazy getters of entity classes at the proxy. */
  rewire(proxy: DataSource): void {
    const { front } = this.#runtime
    for (const { target, relations } of front.entityMetadatas) {
      if (isBaseEntity(target)) {
        target.useDataSource(proxy)
        reloadFromHome(target)
      }
      if (typeof target !== 'function') continue
      for (const relation of relations)
        if (relation.isLazy)
          front.relationLoader.enableLazyLoad(relation, target.prototype as object)
    }
  }

  #adopt(metadatas: readonly EntityMetadata[]): void {
    const source = this.#runtime.defaultShard.floating
    for (const metadata of metadatas) {
      assign(metadata, { dataSource: source })
      recordHomes(metadata, this.#runtime)
    }
  }

  /** Runs a driver's `afterConnect` now, or once there is metadata, which some of it reads. */
  async connected(shard: Shard, driver: Driver): Promise<void> {
    if (!this.#isBuilt) {
      this.#waiting.push({ shard, driver })
      return
    }
    await finish(shard, driver)
  }

  /** Runs the `afterConnect` of every driver that connected before there was metadata. */
  async finishConnecting(): Promise<void> {
    this.#isBuilt = true
    for (const { shard, driver } of this.#waiting.splice(0)) await finish(shard, driver)
  }

  /** Forgets the connections of a data source that was destroyed, so that it can start again. */
  reset(): void {
    this.#isBuilt = false
    this.#waiting.length = 0
  }
}

/** Makes one entity's metadata record the home of each entity that it creates. */
const recordHomes = (metadata: EntityMetadata, runtime: Runtime): void => {
  const { create } = Object.getPrototypeOf(metadata) as EntityMetadata
  Object.defineProperty(metadata, 'create', {
    configurable: true,
    writable: true,
    value(this: EntityMetadata, ...args: Parameters<EntityMetadata['create']>): unknown {
      const entity = create.apply(this, args) as object
      runtime.recordCreated(entity, this, args[0])
      return entity
    },
  })
}

/**
 * Finishes connecting a driver. Files that `@Entity({ database })` names are attached by each SQLite
 * connection that knows them: the driver that built the metadata does, others are told here.
 */
const finish = async (shard: Shard, driver: Driver): Promise<void> => {
  for (const { tableName, schema, database } of shard.metadatas)
    if (database !== undefined) driver.buildTableName(tableName, schema, database)
  await driverAccess.afterConnect(driver)
}

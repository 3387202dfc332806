import { expect } from 'chai'
import { type DataSource, EntityManager } from 'typeorm'
import {
  RelationIdLoader,
  RelationLoader,
  SqljsEntityManager,
} from '../../../lib/typeorm/internals.js'
import { Author, Book, expectMethods, gone, sqljs } from './support.js'

describe("the contract with TypeORM's entity managers and metadata", () => {
  let source: DataSource

  beforeEach(() => (source = sqljs()).initialize())
  afterEach(() => source.destroy())

  it('has managers whose methods can be overridden and called on another', async () => {
    expectMethods(EntityManager.prototype, 'EntityManager', {
      save: ['entity-manager.ts', 'persist at home'],
      remove: ['entity-manager.ts', 'persist at home'],
      softRemove: ['entity-manager.ts', 'persist at home'],
      recover: ['entity-manager.ts', 'persist at home'],
      create: ['entity-manager.ts', 'record homes on a handle'],
      merge: ['entity-manager.ts', 'record homes on a handle'],
      clear: ['entity-manager.ts', 'route it as a write'],
      getTreeRepository: ['entity-manager.ts', 'look for relatives at home'],
      transaction: ['transactions.ts', 'route it to the primary'],
    })
    const runner = source.createQueryRunner()
    const manager = new EntityManager(source, runner)
    const use = gone('EntityManager(dataSource, queryRunner)', 'entity-manager.ts', 'make its own')
    expect([manager.dataSource, manager.queryRunner, runner.manager], use).to.deep.equal([
      source,
      runner,
      manager,
    ])
    expect(
      manager,
      gone('lists of repositories', 'entity-manager.ts', 'put its own among them'),
    ).to.deep.include({ treeRepositories: [], repositories: new Map() })
    expect(new SqljsEntityManager(source), use).to.be.instanceOf(EntityManager)
    expect(
      Object.hasOwn(new SqljsEntityManager(source), 'driver'),
      gone('the field SqljsEntityManager.driver', 'entity-manager.ts', 'follow the scope'),
    ).to.equal(true)
    const overlay = Object.create(source.manager) as EntityManager
    const opened: string[] = []
    const observed = Object.create(source) as DataSource
    observed.createQueryRunner = (mode = 'master') => {
      opened.push(mode)
      return source.createQueryRunner(mode)
    }
    Object.defineProperty(overlay, 'dataSource', { value: observed })
    await overlay.save(new Author())
    await overlay.clear(Book)
    expect(
      opened,
      gone('save() and clear() on this.dataSource', 'persistence.ts', 'choose the runner'),
    ).to.deep.equal(['master', 'master'])
  })

  it('preloads through dataSource.manager', async () => {
    await source.manager.save(new Author())
    const seen = Object.create(source) as DataSource
    const overlay = Object.create(source.manager) as EntityManager
    let asked = false
    Object.defineProperty(overlay, 'dataSource', { value: seen })
    Object.defineProperty(seen, 'manager', {
      get: () => {
        asked = true
        return source.manager
      },
    })
    await overlay.preload(Author, { id: 1 })
    expect(
      asked,
      gone('preload() over dataSource.manager', 'entity-manager.ts', 'stay in the transaction'),
    ).to.equal(true)
  })

  it('creates entities through metadata that know their data source', () => {
    const metadata = source.getMetadata(Book)
    const use = 'record the home of each entity'
    expect(
      metadata.create.length,
      gone('EntityMetadata.create(queryRunner, options)', 'metadata-wiring.ts', use),
    ).to.equal(2)
    expect(
      Object.hasOwn(metadata, 'create'),
      gone('create() on the prototype', 'metadata-wiring.ts', use),
    ).to.equal(false)
    expect(
      Object.getOwnPropertyDescriptor(metadata, 'dataSource')?.writable,
      gone('EntityMetadata.dataSource', 'metadata-wiring.ts', 'reach the routed loader'),
    ).to.equal(true)
    const lazy: unknown[] = []
    const overlay = Object.create(source) as DataSource
    Object.defineProperty(overlay, 'relationLoader', {
      value: { enableLazyLoad: (...args: unknown[]) => void lazy.push(...args) },
    })
    const runner = source.createQueryRunner()
    Object.assign(metadata, { dataSource: overlay })
    const book = metadata.create(runner)
    expect(
      lazy,
      gone(
        'enableLazyLoad() by EntityMetadata.create()',
        'relation-loader.ts',
        'remember the shard',
      ),
    ).to.deep.equal([metadata.lazyRelations[0], book, runner])
  })

  it('loads relations through a loader that can be replaced', () => {
    const relation = source.getMetadata(Book).findRelationWithPropertyPath('author')!
    expect(
      new RelationLoader(source).load.length,
      gone('RelationLoader.load() of 5', 'relation-loader.ts', 'override it'),
    ).to.equal(5)
    expect(
      new RelationLoader(source).enableLazyLoad.length,
      gone('RelationLoader.enableLazyLoad() of 3', 'relation-loader.ts', 'override it'),
    ).to.equal(3)
    expect(
      new RelationIdLoader(source),
      'lib/typeorm/view.ts makes one per shard',
    ).to.have.property('dataSource', source)
    expect(
      [relation.isLazy, relation.propertyPath, relation.entityMetadata.target],
      gone(
        'isLazy, propertyPath and entityMetadata of relations',
        'relation-loader.ts',
        'find a relation in another engine’s metadata',
      ),
    ).to.deep.equal([true, 'author', Book])
    const lazy = Object.getOwnPropertyDescriptor(Book.prototype, 'author')
    expect(
      lazy?.configurable,
      gone(
        'configurable lazy getters on prototypes',
        'metadata-wiring.ts',
        'replace them in a late wrapping',
      ),
    ).to.equal(true)
    expect(
      String(Author.prototype.reload),
      gone('BaseEntity.reload() by findOneByOrFail()', 'base-entity.ts', 'reload from home'),
    ).to.include('findOneByOrFail')
    expect(
      Author.useDataSource,
      gone('BaseEntity.useDataSource()', 'metadata-wiring.ts', 'point classes at the proxy'),
    ).to.be.a('function')
  })
})

import { expect } from 'chai'
import { DataSource, InstanceChecker, SelectQueryBuilder } from 'typeorm'
import { Book, type Members, expectMethods, gone, sqljs } from './contract/support.js'

describe("the contract with TypeORM's DataSource", () => {
  it('keeps what its constructor makes in fields that can be replaced', () => {
    const source = sqljs({ cache: true })
    const uses: Record<string, readonly [string, string]> = {
      options: ['view.ts', 'give each shard its own'],
      driver: ['octopus.ts', 'adopt the driver of the default shard'],
      manager: ['octopus.ts', 'put the routed manager in its place'],
      relationLoader: ['metadata-wiring.ts', 'load relations from the home of their owner'],
      relationIdLoader: ['octopus.ts', 'load relation ids through the proxy'],
      queryResultCache: ['result-cache.ts', 'keep one cache per shard'],
      logger: ['shard-logger.ts', 'put the shard before each line'],
      namingStrategy: ['engine-group.ts', 'give a group its own'],
      metadataTableName: ['engine-group.ts', 'give a group its own'],
      entityMetadatas: ['engine-group.ts', 'give a group its own'],
      entityMetadatasMap: ['engine-group.ts', 'give a group its own'],
      subscribers: ['persistence.ts', 'know whether anybody listens to a save'],
      migrations: ['engine-group.ts', 'share them between the shards'],
      isInitialized: ['octopus.ts', 'tell an early wrapping from a late one'],
    }
    for (const [name, [file, purpose]] of Object.entries(uses)) {
      const field = Object.getOwnPropertyDescriptor(source, name)
      expect(
        field?.writable,
        gone(`the writable field DataSource.${name}`, file, purpose),
      ).to.equal(true)
    }
  })

  it('hands itself to what it makes, in a field called dataSource', () => {
    const source = sqljs({ cache: true })
    for (const part of [
      'driver',
      'manager',
      'relationLoader',
      'relationIdLoader',
      'queryResultCache',
    ] as const)
      expect(
        (source[part] as unknown as Members)['dataSource'],
        gone(`dataSource on DataSource.${part}`, 'octopus.ts', 'put itself in its place'),
      ).to.equal(source)
  })

  it('has the methods that are called or answered in its place', () => {
    expectMethods(DataSource.prototype, 'DataSource', {
      buildMetadatas: ['octopus.ts', 'build each engine group’s metadata'],
      initialize: ['octopus.ts', 'start'],
      destroy: ['octopus.ts', 'end'],
      setOptions: ['octopus.ts', 'reach every shard'],
      createQueryRunner: ['view.ts', 'route'],
      synchronize: ['view.ts', 'connect the primary first'],
      dropDatabase: ['view.ts', 'connect the primary first'],
      runMigrations: ['view.ts', 'connect the primary first'],
      undoLastMigration: ['view.ts', 'connect the primary first'],
      showMigrations: ['view.ts', 'connect the primary first'],
    })
    const { query, createQueryBuilder } = DataSource.prototype
    const wrappers = 'that wrappers of it (typeorm-transactional) check'
    expect(
      query.length,
      gone('3 parameters of query()', 'view.ts', `mirror it, ${wrappers}`),
    ).to.equal(3)
    expect(
      createQueryBuilder.length,
      gone('3 parameters of createQueryBuilder()', 'view.ts', `mirror it, ${wrappers}`),
    ).to.equal(3)
  })

  it('connects its driver, builds the metadata and finishes connecting, in this order', async () => {
    const source = sqljs()
    const calls: string[] = []
    const spied = {
      connect: source.driver,
      afterConnect: source.driver,
      buildMetadatas: source,
      disconnect: source.driver,
    }
    for (const [name, owner] of Object.entries(spied)) {
      const original = (owner as unknown as Members)[name] as () => Promise<void>
      Object.defineProperty(owner, name, {
        value: () => {
          calls.push(name)
          return original.call(owner)
        },
      })
    }
    await source.initialize()
    await source.destroy()
    expect(
      calls,
      gone('this order of initialize() and destroy()', 'octopus.ts', 'connect shards in between'),
    ).to.deep.equal(['connect', 'buildMetadatas', 'afterConnect', 'disconnect'])
  })

  it('works through objects derived from it, having no private fields', async () => {
    const source = sqljs()
    await source.initialize()
    const derived = Object.create(source) as DataSource
    const front = new Proxy(source, {})
    const use = gone('classes without #private fields', 'view.ts', 'derive views from a DataSource')
    expect(await derived.query('SELECT 1 AS n'), use).to.deep.equal([{ n: 1 }])
    expect(await front.query('SELECT 1 AS n'), use).to.deep.equal([{ n: 1 }])
    expect(derived.getMetadata(Book).tableName, use).to.equal('book')
    expect(
      InstanceChecker.isDataSource(derived) && InstanceChecker.isDataSource(front),
      use,
    ).to.equal(true)
    await source.destroy()
  })

  it('asks itself for runners, and writes options where initialize() reads them', async () => {
    const source = sqljs()
    const { options } = source
    expect(source.setOptions({ dropSchema: false })).to.equal(source)
    expect(
      source.options,
      gone('setOptions() that keeps the options object', 'view.ts', 'share the default shard’s'),
    ).to.equal(options)
    await source.initialize()
    const made: unknown[] = []
    const derived = Object.create(source) as DataSource
    derived.createQueryRunner = (mode) => {
      made.push(mode)
      return source.createQueryRunner(mode)
    }
    await derived.query('SELECT 1')
    await derived.showMigrations()
    await derived.createEntityManager().transaction(() => Promise.resolve())
    await new SelectQueryBuilder<Book>(derived).select('1').from(Book, 'book').getRawMany()
    await derived.dropDatabase()
    await source.destroy()
    expect(
      made.map((mode) => mode ?? 'master'),
      gone('this.createQueryRunner(mode) as its one way to a server', 'view.ts', 'route'),
    ).to.deep.equal(['master', 'master', 'master', 'slave', 'master'])
  })
})

import { Inject, Injectable, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import {
  InjectDataSource,
  InjectEntityManager,
  InjectRepository,
  TypeOrmModule,
} from '@nestjs/typeorm'
import { expect } from 'chai'
import { DataSource, type EntityManager, Repository } from 'typeorm'
import { type ConnectionProxy, Shard, octopus } from '../../../lib/index.js'
import { Item, itemsOf, twoShards } from './support.js'

@Injectable()
class Items {
  constructor(
    @InjectRepository(Item) readonly repository: Repository<Item>,
    @InjectDataSource() readonly source: DataSource,
    @InjectEntityManager() readonly manager: EntityManager,
    @Inject(DataSource) readonly byClass: ConnectionProxy,
  ) {}

  add(name: string): Promise<Item> {
    return this.repository.save({ name })
  }

  @Shard('canada')
  addCanadian(name: string): Promise<Item> {
    return this.add(name)
  }
}

/** A repository of one's own, as Nest's documentation makes it. */
@Injectable()
class ItemRepository extends Repository<Item> {
  constructor(@InjectDataSource() source: DataSource) {
    super(Item, source.createEntityManager())
  }
}

let wrapped: ConnectionProxy

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      useFactory: () => ({
        type: 'sqljs',
        autoLoadEntities: true,
        synchronize: true,
        retryAttempts: 0,
      }),
      dataSourceFactory: async (options) => {
        wrapped = octopus(new DataSource(options!), twoShards)
        return wrapped.initialize()
      },
    }),
    TypeOrmModule.forFeature([Item]),
  ],
  providers: [Items, ItemRepository],
})
class AppModule {}

describe('@nestjs/typeorm over a wrapped DataSource', () => {
  let app: Awaited<ReturnType<typeof NestFactory.createApplicationContext>>
  let items: Items

  beforeEach(async () => {
    app = await NestFactory.createApplicationContext(AppModule, {
      logger: false,
      // Otherwise what fails in it ends the process, without a word.
      abortOnError: false,
    })
    items = app.get(Items)
  })
  afterEach(async () => {
    if (wrapped.isInitialized) await app.close()
  })

  it('injects the proxy and what belongs to it', () => {
    expect(items.source).to.equal(wrapped)
    expect(items.byClass).to.equal(wrapped)
    expect(items.manager).to.equal(wrapped.manager)
    expect(items.repository).to.equal(wrapped.getRepository(Item))
    expect(items.repository).to.be.instanceOf(Repository)
    expect(wrapped.octopus.shardNames).to.deep.equal(['master', 'brazil', 'canada'])
  })

  it('routes injected repositories, managers and the data source by scope', async () => {
    await items.add('master')
    await wrapped.using('brazil', async () => {
      await items.add('repository')
      await items.manager.save(Item, { name: 'manager' })
      await items.source.transaction((manager) => manager.save(Item, { name: 'transaction' }))
      await items.source.query(`INSERT INTO item (name) VALUES ('query')`)
      await app.get(ItemRepository).save({ name: 'custom' })
    })
    await items.addCanadian('decorated')
    expect(await itemsOf(wrapped)).to.deep.equal({
      master: ['master'],
      brazil: ['repository', 'manager', 'transaction', 'query', 'custom'],
      canada: ['decorated'],
    })
  })

  it('ends everything with the application', async () => {
    await wrapped.using('brazil', () => items.add('Ana'))
    await app.close()
    expect(wrapped.isInitialized).to.equal(false)
    expect(wrapped.octopus.pools().map(({ state }) => state)).not.to.include('open')
  })
})

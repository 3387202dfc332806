import { inspect } from 'node:util'
import { expect } from 'chai'
import { expectTypeOf } from 'expect-type'
import { DataSource, EntityManager, InstanceChecker, type QueryRunner, Repository } from 'typeorm'
import {
  AlreadyWrappedError,
  type ConnectionProxy,
  InvalidScopeError,
  type OctopusMembers,
  octopus,
} from '../../../lib/index.js'
import { Item, failureOf, itemsOf, memory, proxies, twoShards } from './support.js'

class TenantSource extends DataSource {
  tenant = 'acme'
  greet(this: TenantSource): string {
    return `${this.tenant} on ${String(this.options.type)}`
  }
  countItems(): Promise<number> {
    return this.getRepository(Item).count()
  }
  get tables(): string[] {
    return this.entityMetadatas.map(({ tableName }) => tableName)
  }
}

describe('the proxy is a DataSource', () => {
  const { wrap, start } = proxies()

  it('passes every check for one, and so does the handle of a shard', async () => {
    const db = await start(twoShards)
    for (const source of [db, db.shard('brazil'), db.shard('master')]) {
      expect(source).to.be.instanceOf(DataSource)
      expect(source.constructor.name).to.equal('DataSource')
      expect(InstanceChecker.isDataSource(source)).to.equal(true)
    }
    expect(db.shard('brazil')).to.equal(db.shard('brazil'))
    expect(db.shard('brazil')).not.to.equal(db.shard('canada'))
  })

  it('can be awaited: it answers no name that nobody defined', async () => {
    const db = await start(twoShards)
    // As `await db` does it: a `then` would be called.
    expect(await Promise.resolve(db)).to.equal(db)
    expect(await Promise.resolve(db.shard('brazil'))).to.equal(db.shard('brazil'))
    const names = db as unknown as Record<string | symbol, unknown>
    for (const name of ['then', 'catch', 'toJSON', 'inspect', Symbol.iterator, Symbol.toPrimitive])
      expect(names[name]).to.equal(undefined)
  })

  it('adds seven names and hides none', async () => {
    const plain = memory()
    const names = new Set<string>()
    for (let at: object = plain; at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
      for (const name of Object.getOwnPropertyNames(at)) names.add(name)
    const db = wrap(plain, twoShards)
    const added = [
      'using',
      'usingGroup',
      'usingAll',
      'usingPrimary',
      'usingReplica',
      'shard',
      'octopus',
    ]
    for (const name of [...names, ...added]) expect(name in db, name).to.equal(true)
    expect('useBrazil' in db).to.equal(false)
    expect(Object.keys(db)).to.deep.equal(Object.keys(memory()))
  })

  it('can be inspected, before and after it is initialised', async () => {
    const db = wrap(memory(), twoShards)
    expect(inspect(db)).to.match(/^(<ref \*\d+> )?DataSource \{/)
    await db.initialize()
    expect(inspect(db)).to.match(/^(<ref \*\d+> )?DataSource \{/)
    expect(inspect(db.shard('brazil'))).to.be.a('string')
    expect(inspect(db, { showProxy: true, depth: 0 })).to.match(/Proxy/)
  })

  it('returns itself from initialize() and setOptions()', async () => {
    const db = wrap(memory())
    expect(await db.initialize()).to.equal(db)
    expect(db.setOptions({ logging: false })).to.equal(db)
    expect(db.octopus.dataSource).not.to.equal(db)
  })

  it('hands out TypeORM’s own repositories', async () => {
    const db = await start(twoShards)
    const items = db.getRepository(Item)
    expect(items).to.be.instanceOf(Repository)
    expect(items.target).to.equal(Item)
    expect(db.getRepository(Item)).to.equal(items)
    expect(db.using('brazil', () => db.getRepository(Item))).to.equal(items)
    expect(items.manager).to.equal(db.manager)
    expect(db.manager).to.be.instanceOf(EntityManager)
    expect(db.sqljsManager).to.equal(db.manager)
    const byHandle = db.shard('brazil').getRepository(Item)
    expect(byHandle).to.equal(db.shard('brazil').getRepository(Item))
    expect(byHandle).to.be.instanceOf(Repository)
  })

  it('refuses to start or end by the handle of a shard', async () => {
    const db = await start(twoShards)
    for (const call of ['initialize', 'destroy'] as const) {
      const error = await failureOf(() => db.shard('brazil')[call]())
      expect(error).to.be.instanceOf(InvalidScopeError)
      expect(String(error)).to.include(`${call}()`).and.to.include('"brazil"')
    }
    expect(db.isInitialized).to.equal(true)
    expect(db.shard('brazil').isInitialized).to.equal(true)
  })

  it('is wrapped once', async () => {
    const source = memory()
    const db = wrap(source, twoShards)
    for (const again of [db, source, db.shard('brazil')])
      expect(await failureOf(() => octopus(again))).to.be.instanceOf(AlreadyWrappedError)
  })

  it('keeps the members and the type of a subclass', async () => {
    const db = wrap(
      new TenantSource({ type: 'sqljs', entities: [Item], synchronize: true }),
      twoShards,
    )
    await db.initialize()
    expect(db.greet()).to.equal('acme on sqljs')
    expect(db.tables).to.deep.equal(['item'])
    await db.using('brazil', () => db.getRepository(Item).save({ name: 'Ana' }))
    expect(await db.using('brazil', () => db.countItems())).to.equal(1)
    expect(await db.countItems()).to.equal(0)
    expect(db).to.be.instanceOf(TenantSource)
    expect(db.shard('brazil')).to.be.instanceOf(TenantSource)
  })
})

/** What typeorm-transactional does to a DataSource: it puts the runner of its transaction, which it
 *  keeps in a context of its own, into each call. */
const patchAsTransactional = (db: DataSource, current: () => EntityManager | undefined): void => {
  const manager = db.manager
  const { query, createQueryBuilder } = DataSource.prototype
  Object.defineProperty(db, 'manager', { configurable: true, get: () => current() ?? manager })
  db.query = function (
    this: DataSource,
    ...args: [string, unknown[]?, (QueryRunner | undefined)?]
  ) {
    args[2] ??= current()?.queryRunner
    return query.apply(this, args as never)
  } as never
  db.createQueryBuilder = function (this: DataSource, ...args: unknown[]) {
    if (args.length < 3) args[2] = current()?.queryRunner
    return createQueryBuilder.apply(this, args as never)
  } as never
}

describe('what others put on the proxy', () => {
  const { start } = proxies()

  it('wins over the library’s own members', async () => {
    const db = await start(twoShards)
    const manager = new EntityManager(db)
    Object.assign(db, { manager })
    expect(db.manager).to.equal(manager)
    expect(db.getRepository(Item).manager).to.equal(manager)
    db.query = () => Promise.resolve('mine') as never
    expect(await db.query('SELECT 1')).to.equal('mine')
    expect(await db.shard('brazil').query('SELECT 1 AS n')).to.deep.equal([{ n: 1 }])
    const { createQueryBuilder } = db
    const built: unknown[] = []
    db.createQueryBuilder = function (this: DataSource, ...args: unknown[]) {
      built.push(args[1])
      return createQueryBuilder.apply(this, args as never)
    } as never
    await db.using('brazil', () => db.createQueryBuilder(Item, 'item').getMany())
    expect(built).to.deep.equal(['item'])
  })

  it('can be a transaction that every call joins, as typeorm-transactional does it', async () => {
    const db = await start(twoShards)
    let joined: EntityManager | undefined
    patchAsTransactional(db, () => joined)
    const items = db.getRepository(Item)
    const failure = await failureOf(() =>
      db.using('brazil', () =>
        db.transaction(async (manager) => {
          joined = manager
          await db.manager.save(Item, { name: 'rolled back' })
          await db.query(`INSERT INTO item (name) VALUES ('too')`)
          expect(await db.createQueryBuilder(Item, 'i').getCount()).to.equal(2)
          throw new Error('undo')
        }),
      ),
    )
    joined = undefined
    expect(failure).to.have.property('message', 'undo')
    await db.using('canada', () => items.save({ name: 'Cy' }))
    expect(await itemsOf(db)).to.deep.equal({ master: [], brazil: [], canada: ['Cy'] })
    expect(await db.using('canada', () => db.createQueryBuilder(Item, 'i').getCount())).to.equal(1)
  })
})

describe('the type of the proxy', () => {
  it('is that of the wrapped DataSource, with the seven names', () => {
    expectTypeOf(octopus<TenantSource>).returns.toEqualTypeOf<ConnectionProxy<TenantSource>>()
    expectTypeOf<ConnectionProxy<TenantSource>>().toExtend<TenantSource & OctopusMembers>()
    expectTypeOf<ConnectionProxy>().toExtend<DataSource>()
    expectTypeOf<ConnectionProxy['shard']>().returns.toEqualTypeOf<DataSource>()
    expectTypeOf<keyof OctopusMembers>().toEqualTypeOf<
      'using' | 'usingGroup' | 'usingAll' | 'usingPrimary' | 'usingReplica' | 'shard' | 'octopus'
    >()
    expectTypeOf<ConnectionProxy<TenantSource>['greet']>().returns.toBeString()
  })

  it('refuses what has no meaning', () => {
    const compiles = (db: ConnectionProxy<TenantSource>, source: DataSource): unknown[] => [
      // @ts-expect-error -- a group or a list is not a shard
      () => db.using(['brazil', 'canada'], () => 0),
      // @ts-expect-error -- a scope is a block
      () => db.using('brazil'),
      // @ts-expect-error -- no such member
      () => db.useShard('brazil'),
      // @ts-expect-error -- a plain DataSource is not a proxy
      (): ConnectionProxy => source,
      // @ts-expect-error -- a proxy of the base class has no members of the subclass
      (): ConnectionProxy<TenantSource> => octopus(source),
      // @ts-expect-error -- options are not a DataSource
      () => octopus({ type: 'sqljs' }),
      // @ts-expect-error -- no such option
      () => octopus(source, { shardz: {} }),
    ]
    expect(compiles).to.be.a('function')
  })
})

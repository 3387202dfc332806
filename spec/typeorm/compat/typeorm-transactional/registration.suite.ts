import { expect } from 'chai'
import type { DataSource } from 'typeorm'
import {
  addTransactionalDataSource,
  deleteDataSourceByName,
  initializeTransactionalContext,
} from 'typeorm-transactional'
import type { ConnectionProxy, RouteEvent } from '../../../../lib/index.js'
import { Item, itemsOf, memory, proxies, twoShards } from '../support.js'
import { failure, transactional } from './support.js'

// With cls-hooked, which is its default.
initializeTransactionalContext()

/** Works on brazil by every member that can join, and fails. */
const failOnBrazil = async (db: ConnectionProxy): Promise<void> => {
  const items = db.getRepository(Item)
  const error = await failure(() =>
    db.using('brazil', () =>
      transactional(async () => {
        await items.save({ name: 'by a repository' })
        await db.manager.insert(Item, { name: 'by the manager' })
        await db.query(`INSERT INTO item (name) VALUES ('by SQL')`)
        await db.createQueryBuilder().insert().into(Item).values({ name: 'by a builder' }).execute()
        expect(await items.count()).to.equal(4)
        throw new Error('changed my mind')
      }),
    ),
  )
  expect(error).to.have.property('message', 'changed my mind')
}

describe('giving a wrapped data source to typeorm-transactional', () => {
  const { wrap, start } = proxies()
  afterEach(() => void deleteDataSourceByName('default'))

  const orders: Record<string, (source: DataSource) => Promise<ConnectionProxy>> = {
    'before it is initialised': async (source) => {
      const db = wrap(source, twoShards)
      addTransactionalDataSource(db)
      await db.initialize()
      return db
    },
    'after it is initialised': async (source) => {
      const db = wrap(source, twoShards)
      await db.initialize()
      addTransactionalDataSource(db)
      return db
    },
    'before it is wrapped': async (source) => {
      addTransactionalDataSource(source)
      const db = wrap(source, twoShards)
      await db.initialize()
      return db
    },
    'initialised, before it is wrapped': async (source) => {
      addTransactionalDataSource(await source.initialize())
      const db = wrap(source, { shards: { brazil: {}, canada: {} } })
      await db.usingAll(() => db.synchronize())
      return db
    },
  }
  for (const [order, give] of Object.entries(orders))
    it(`works ${order}`, async () => {
      const db = await give(memory())
      await failOnBrazil(db)
      await db.using('canada', () =>
        transactional(() => db.getRepository(Item).save({ name: 'Cy' })),
      )
      expect(await itemsOf(db)).to.deep.equal({ master: [], brazil: [], canada: ['Cy'] })
    })

  it('without patching it makes repositories join, and nothing else', async () => {
    const db = await start(twoShards)
    addTransactionalDataSource({ dataSource: db, patch: false })
    const items = db.getRepository(Item)
    await db.using('brazil', () =>
      transactional(async () => {
        expect(items.manager.queryRunner?.isTransactionActive).to.equal(true)
        expect(db.manager.queryRunner).to.equal(undefined)
        expect(await db.shard('canada').getRepository(Item).count()).to.equal(0)
        await items.save({ name: 'Ana' })
      }),
    )
    expect(await itemsOf(db)).to.deep.equal({ master: [], brazil: ['Ana'], canada: [] })
  })

  it('leaves reasons and kinds in the trace as they are', async () => {
    const db = await start(twoShards)
    addTransactionalDataSource(db)
    const items = db.getRepository(Item)
    const { events } = await db.octopus.withTrace(() =>
      db.using('brazil', async () => {
        await items.find()
        await db.createQueryBuilder().delete().from(Item).where('id = 1').execute()
        await db.query('SELECT 1')
        await transactional(() => items.find())
      }),
    )
    const told = ({ kind, shard, reason, operation }: RouteEvent) =>
      `${kind} ${operation} ${shard}: ${reason}`
    const begun = Array.from({ length: 3 }, () => 'statement transaction brazil: transaction')
    expect(events.map(told)).to.deep.equal([
      'statement select brazil: no replicas',
      'statement delete brazil: write',
      'statement query brazil: raw query',
      ...begun,
    ])
  })

  it('keeps what a spy has put on its function', async () => {
    const db = await start(twoShards)
    const spy = Object.assign(() => Promise.resolve('mine'), { calls: 0 })
    db.query = spy as never
    expect(db.query).to.equal(db.query)
    spy.calls += 1
    expect(db.query).to.have.property('calls', 1)
    expect(await db.using('brazil', () => db.query('SELECT 1'))).to.equal('mine')
    Reflect.deleteProperty(db, 'query')
    expect(await db.query('SELECT 1 AS n')).to.deep.equal([{ n: 1 }])
  })
})

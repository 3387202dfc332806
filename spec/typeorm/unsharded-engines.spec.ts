import { expect } from 'chai'
import { Column, DataSource, type DataSourceOptions, Entity, PrimaryGeneratedColumn } from 'typeorm'
import { type ConnectionProxy, Unsharded, octopus } from '../../lib/index.js'
import { type Cluster, MariadbCluster } from '../support/cluster/index.js'

/** Lives on a shard of another engine than all others. */
@Unsharded('archive')
@Entity('archived_letter')
class Letter {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: 'varchar' }) text!: string
}

@Entity('archived_reader')
class Reader {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: 'varchar' }) name!: string
}

describe('an entity outside sharding on another engine', () => {
  let cluster: Cluster
  let db: ConnectionProxy

  before(async function () {
    this.timeout(60_000)
    cluster = await MariadbCluster.start({ shards: 2, replicas: 0 })
    const [main, brazil] = [0, 1].map((index) => cluster.shard(index).primary.connectionOptions())
    const options = { type: 'mariadb', ...main, entities: [Letter, Reader], synchronize: true }
    db = octopus(new DataSource(options as DataSourceOptions), {
      shards: {
        brazil: { ...brazil, synchronize: true },
        archive: { type: 'sqljs', synchronize: true },
      },
    })
    await db.initialize()
  })
  after(async function () {
    this.timeout(60_000)
    await db?.destroy()
    await cluster?.stop()
  })

  const letter = (text: string): Letter => Object.assign(new Letter(), { text })
  const operations: Readonly<Record<string, (letters: DataSource) => Promise<unknown>>> = {
    save: ({ manager }) => manager.save(letter('one')),
    insert: ({ manager }) => manager.insert(Letter, letter('two')),
    find: ({ manager }) => manager.findBy(Letter, { text: 'one' }),
    count: ({ manager }) => manager.count(Letter),
    update: ({ manager }) => manager.update(Letter, { text: 'two' }, { text: 'three' }),
    'save of a change': async ({ manager }) => {
      const [found] = await manager.find(Letter)
      await manager.save(Object.assign(found!, { text: 'four' }))
    },
    builder: (source) =>
      source.createQueryBuilder(Letter, 'letter').where({ text: 'four' }).getMany(),
    'builder from': (source) =>
      source.createQueryBuilder().select('letter').from(Letter, 'letter').getMany(),
    delete: ({ manager }) => manager.delete(Letter, { text: 'three' }),
    remove: async ({ manager }) => manager.remove(await manager.find(Letter)),
    clear: ({ manager }) => manager.clear(Letter),
  }
  for (const [operation, work] of Object.entries(operations))
    it(`is there for ${operation}, in no scope, in one and on a handle`, async () => {
      for (const run of [
        () => work(db),
        () => db.using('brazil', () => work(db)),
        () => work(db.shard('brazil')),
      ]) {
        await db.manager.save([letter('one'), letter('two')])
        const { events } = await db.octopus.withTrace(run)
        expect(new Set(events.map(({ shard }) => shard))).to.deep.equal(new Set(['archive']))
      }
    })

  it('leaves others where they are', async () => {
    const { events } = await db.octopus.withTrace(() =>
      db.using('brazil', () => db.manager.save(Object.assign(new Reader(), { name: 'Ana' }))),
    )
    expect(new Set(events.map(({ shard }) => shard))).to.deep.equal(new Set(['brazil']))
  })
})

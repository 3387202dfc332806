import { expect } from 'chai'
import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryColumn,
  type Relation,
} from 'typeorm'
import { BootstrapError, type ConnectionProxy, Unsharded, octopus } from '../../lib/index.js'
import { describeOnEachEngine } from '../support/three-shards.js'
import { failureOf } from './support.js'

@Entity()
class Tag {
  @PrimaryColumn({ type: Number }) id!: number
}

@Unsharded('brazil', { allowShard: ['canada'] })
@Entity()
class Plan {
  @PrimaryColumn({ type: Number }) id!: number
  @Column({ type: String }) name!: string
  @ManyToMany(() => Tag) @JoinTable() tags?: Relation<Tag[]>
}

@Entity()
class Account {
  @PrimaryColumn({ type: Number }) id!: number
  @ManyToOne(() => Plan) plan?: Relation<Plan>
}

describeOnEachEngine('the tables of an entity outside sharding', (shards, engine) => {
  let db: ConnectionProxy

  before(async () => {
    const { connection, brazil, canada } = shards()
    const options = { ...connection, entities: [Tag, Plan, Account] } as DataSourceOptions
    db = octopus(new DataSource(options), {
      defaultShard: 'chile',
      shards: { brazil, canada },
    })
    await db.initialize()
    await db.octopus.schema.sync({ dryRun: false })
  })

  after(() => db.destroy())

  const tablesOf = async (shard: string): Promise<string[]> => {
    const runner = db.shard(shard).createQueryRunner()
    try {
      const names = ['account', 'plan', 'plan_tags_tag', 'tag']
      return (await runner.getTables(names)).map(({ name }) => name).sort()
    } finally {
      await runner.release()
    }
  }

  it('are made on the shards that are to have them, and not elsewhere', async () => {
    const all = ['account', 'plan', 'plan_tags_tag', 'tag']
    expect(await tablesOf('brazil')).to.deep.equal(all)
    expect(await tablesOf('canada')).to.deep.equal(all)
    expect(await tablesOf('chile')).to.deep.equal(['account', 'tag'])
  })

  it('leave nothing to be done', async () => {
    expect((await db.octopus.schema.sync({ dryRun: true })).isSame).to.equal(true)
  })

  it('are no difference between a shard that has them and one that has not', async () => {
    const { shards: compared } = await db.octopus.schema.diff()
    expect(compared.map(({ shard, status }) => `${shard} ${status}`)).to.deep.equal([
      'chile reference',
      'brazil same',
      'canada same',
    ])
  })

  it('are compared where the reference and the shard are to have them', async () => {
    await db.shard('canada').query('ALTER TABLE plan ADD COLUMN price int')
    const { shards: compared } = await db.octopus.schema.diff({ reference: 'brazil' })
    expect(compared.map(({ shard, status }) => `${shard} ${status}`)).to.deep.equal([
      'chile same',
      'brazil reference',
      'canada different',
    ])
  })

  it('are copied to a shard that is to have them only, with no key to them elsewhere', async () => {
    for (const table of ['account', 'tag']) await db.shard('chile').query(`DROP TABLE ${table}`)
    const copy = db.octopus.schema.bootstrap('chile', { from: 'brazil', via: 'copy' })
    if (engine === 'PostgreSQL') {
      expect((await copy).tables).to.deep.equal(['account', 'tag'])
      const runner = db.shard('chile').createQueryRunner()
      const account = await runner.getTable('account')
      await runner.release()
      expect(account?.foreignKeys).to.deep.equal([])
      return
    }
    const refused = await failureOf(() => copy)
    expect(refused).to.be.instanceOf(BootstrapError)
    expect((refused as BootstrapError).obstacles).to.have.length(1)
    expect((refused as BootstrapError).obstacles[0]).to.match(
      /^"brazil" has a foreign key \S+ of account to plan$/,
    )
    expect(await tablesOf('chile')).to.deep.equal([])
  })
})

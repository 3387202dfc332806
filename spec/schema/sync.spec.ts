import { expect } from 'chai'
import { DataSource, type DataSourceOptions } from 'typeorm'
import {
  type ConnectionProxy,
  ReadOnlyScopeError,
  SchemaDropsError,
  UnknownShardError,
  octopus,
} from '../../lib/index.js'
import { describeOnEachEngine } from '../support/three-shards.js'
import { Country, Customer } from './entities.js'
import { failureOf } from './support.js'

describeOnEachEngine('schema.sync()', (shards) => {
  let db: ConnectionProxy

  before(async () => {
    const { connection, brazil, canada } = shards()
    const options = { ...connection, entities: [Country, Customer] } as DataSourceOptions
    db = octopus(new DataSource(options), {
      shards: { brazil, canada },
      groups: { americas: ['brazil', 'canada'] },
    })
    await db.initialize()
  })

  after(async () => {
    expect(db.octopus.pools().reduce((sum, { active }) => sum + active, 0)).to.equal(0)
    await db.destroy()
  })

  const statuses = (outcome: { shards: readonly { shard: string; status: string }[] }) =>
    outcome.shards.map(({ shard, status }) => `${shard} ${status}`)

  it('tells what an empty shard needs, and does nothing about it in a dry run', async () => {
    const planned = await db.octopus.schema.sync({ dryRun: true, groups: ['americas'] })
    expect(statuses(planned)).to.deep.equal(['brazil planned', 'canada planned'])
    for (const each of planned.shards) {
      const { statements, drops } = each.status === 'planned' ? each : { statements: [], drops: [] }
      expect(statements.filter((sql) => sql.startsWith('CREATE TABLE'))).to.have.length.above(1)
      expect(drops).to.deep.equal([])
    }
    expect(
      await db.octopus.schema.diff({ against: 'entities', groups: ['americas'] }),
    ).to.deep.equal(planned)
  })

  it('makes the shards that are asked for as the entities say, and no others', async () => {
    const done = await db.octopus.schema.sync({ dryRun: false, groups: ['americas'] })
    expect(statuses(done)).to.deep.equal(['brazil changed', 'canada changed'])
    expect(statuses(await db.octopus.schema.diff({ against: 'entities' }))).to.deep.equal([
      'master planned',
      'brazil same',
      'canada same',
    ])
    await db.octopus.schema.sync({ dryRun: false })
    expect((await db.octopus.schema.sync({ dryRun: true })).isSame).to.equal(true)
    expect((await db.octopus.schema.diff()).isSame).to.equal(true)
  })

  it('refuses to drop anything on any shard, naming it, unless that is allowed', async () => {
    await db.shard('canada').query('ALTER TABLE customer ADD COLUMN fax varchar(20)')
    await db.shard('brazil').query('DROP TABLE customer')

    const refused = await failureOf(() => db.octopus.schema.sync({ dryRun: false }))
    expect(refused).to.be.instanceOf(SchemaDropsError)
    const { drops } = refused as SchemaDropsError
    expect(drops.map(({ shard }) => shard)).to.deep.equal(['canada'])
    // brazil, which would lose nothing, was not touched either.
    expect(statuses(await db.octopus.schema.sync({ dryRun: true }))).to.deep.equal([
      'master same',
      'brazil planned',
      'canada planned',
    ])

    const done = await db.octopus.schema.sync({ dryRun: false, allowDrops: true })
    expect(statuses(done)).to.deep.equal(['master same', 'brazil changed', 'canada changed'])
    expect((await db.octopus.schema.diff()).isSame).to.equal(true)
  })

  it('refuses a name that it does not know, and a scope of replicas', async () => {
    expect(
      await failureOf(() => db.octopus.schema.sync({ dryRun: false, shards: ['brasil'] })),
    ).to.be.instanceOf(UnknownShardError)
    expect(
      await failureOf(() => db.usingReplica(() => db.octopus.schema.sync({ dryRun: false }))),
    ).to.be.instanceOf(ReadOnlyScopeError)
    expect((await db.usingReplica(() => db.octopus.schema.diff())).isSame).to.equal(true)
  })
})

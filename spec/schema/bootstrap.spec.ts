import { expect } from 'chai'
import { DataSource, type DataSourceOptions } from 'typeorm'
import {
  BootstrapError,
  type BootstrapStep,
  type ConnectionProxy,
  SchemaDiffersError,
  ShardNotEmptyError,
  octopus,
} from '../../lib/index.js'
import { describeOnEachEngine } from '../support/three-shards.js'
import {
  AddIndex1700000000001,
  MakeLedger1700000000002,
  MakeTables1700000000000,
} from './entities.js'
import { failureOf } from './support.js'

const forAll = [MakeTables1700000000000, AddIndex1700000000001]
const names = forAll.map(({ name }) => name)

describeOnEachEngine('schema.bootstrap()', (shards) => {
  let db: ConnectionProxy

  before(async () => {
    const { connection, brazil, canada } = shards()
    const migrations = [...forAll, MakeLedger1700000000002]
    const options = { ...connection, migrations } as DataSourceOptions
    db = octopus(new DataSource(options), {
      shards: { brazil, canada },
      groups: { americas: ['brazil', 'canada'] },
    })
    await db.initialize()
    await db.shard('brazil').runMigrations()
  })

  after(async () => {
    expect(db.octopus.pools().reduce((sum, { active }) => sum + active, 0)).to.equal(0)
    await db.destroy()
  })

  const tablesOf = async (shard: string): Promise<string[]> => {
    const refused = await failureOf(() => db.octopus.schema.bootstrap(shard))
    return refused instanceof ShardNotEmptyError ? [...refused.content] : [String(refused)]
  }

  const empty = async (shard: string): Promise<void> => {
    for (const table of ['cities', 'migrations', 'typeorm_metadata'])
      await db.shard(shard).query(`DROP TABLE IF EXISTS ${table}`)
  }

  it('runs the migrations that are for it on an empty database, and finds it as the others of its group', async () => {
    const steps: BootstrapStep[] = []
    const report = await db.octopus.schema.bootstrap('canada', {
      onStep: (step) => steps.push(step),
    })
    expect(report).to.deep.equal({
      shard: 'canada',
      via: 'migrations',
      reference: 'brazil',
      tables: ['cities'],
      migrations: names,
    })
    expect(steps).to.deep.equal(['check', 'migrations', 'verify'])
    const { shards: compared } = await db.octopus.schema.diff({ groups: ['americas'] })
    expect(compared.map(({ status }) => status)).to.deep.equal(['reference', 'same'])
  })

  it('refuses a database that is not empty, saying what is in it', async () => {
    expect(await tablesOf('canada')).to.include.members(['table cities', 'table migrations'])
  })

  it('copies the schema of another shard, with the rows of its version table', async () => {
    await empty('canada')
    const report = await db.octopus.schema.bootstrap('canada', { from: 'brazil', via: 'copy' })
    expect(report).to.deep.equal({
      shard: 'canada',
      via: 'copy',
      reference: 'brazil',
      tables: ['cities'],
      migrations: names,
    })
    const rows = (shard: string) =>
      db.shard(shard).query('SELECT timestamp, name FROM migrations ORDER BY id')
    expect(await rows('canada')).to.deep.equal(await rows('brazil'))
    expect(await db.shard('canada').runMigrations()).to.deep.equal([])
  })

  it('says so where the shard that was made is not as its reference', async () => {
    await empty('canada')
    await db.shard('brazil').query('ALTER TABLE cities ADD COLUMN mayor varchar(20)')
    const refused = await failureOf(() => db.octopus.schema.bootstrap('canada'))
    expect(refused).to.be.instanceOf(SchemaDiffersError)
    const { differences } = refused as SchemaDiffersError
    expect(differences).to.have.length(1)
    expect(differences[0]).to.match(/^column mayor of cities is missing: /)
    await db.shard('brazil').query('ALTER TABLE cities DROP COLUMN mayor')
  })

  it('refuses to make it later than its reference, and makes nothing', async () => {
    await empty('canada')
    await db.shard('brazil').undoLastMigration()
    const refused = await failureOf(() => db.octopus.schema.bootstrap('canada'))
    expect(refused).to.be.instanceOf(BootstrapError)
    expect((refused as BootstrapError).obstacles).to.deep.equal([
      `"brazil" has not yet had ${AddIndex1700000000001.name}`,
    ])
    await db.shard('brazil').runMigrations()
    expect(await db.octopus.schema.bootstrap('canada')).to.deep.include({ migrations: names })
  })

  it('refuses to copy what it would copy by half, and makes nothing', async () => {
    await empty('canada')
    await db.shard('brazil').query('CREATE VIEW big_cities AS SELECT name FROM cities')
    const copy = () => db.octopus.schema.bootstrap('canada', { via: 'copy' })
    if (shards().connection.type === 'sqljs') {
      // SQLite keeps the statements themselves, so there is nothing that it could not copy.
      expect((await copy()).tables).to.have.members(['big_cities', 'cities'])
      await db.shard('canada').query('DROP VIEW big_cities')
    } else {
      const refused = await failureOf(copy)
      expect(refused).to.be.instanceOf(BootstrapError)
      expect((refused as BootstrapError).obstacles).to.deep.equal([
        '"brazil" has a view big_cities',
      ])
      expect(
        await db.octopus.schema.bootstrap('canada', { from: 'brazil' }).catch(String),
      ).to.include('view big_cities is missing')
    }
    await db.shard('brazil').query('DROP VIEW big_cities')
    await empty('canada')
  })

  it('refuses what cannot be, before anything is made', async () => {
    const { connection } = shards()
    const other = octopus(new DataSource(connection as DataSourceOptions), {
      shards: {
        embedded: connection.type === 'sqljs' ? { type: 'mariadb', host: 'x' } : { type: 'sqljs' },
      },
    })
    await other.initialize()
    const refusals: string[] = []
    for (const options of [{}, { via: 'copy' }, { from: 'master' }, { from: 'embedded' }] as const)
      refusals.push(
        String(await failureOf(() => other.octopus.schema.bootstrap('master', options))),
      )
    await other.destroy()
    expect(refusals[0]).to.match(/the data source has no migrations/)
    expect(refusals[1]).to.match(/no other shard is of its engine/)
    expect(refusals[2]).to.match(/it is its own reference/)
    expect(refusals[3]).to.match(/it is \w+, and "embedded" is \w+/)
  })

  it('makes a shard that was added at run time', async () => {
    await empty('canada')
    const { canada } = shards()
    await db.octopus.removeShard('canada')
    await db.octopus.addShard('peru', canada, { groups: ['americas'] })
    expect(await db.octopus.schema.bootstrap('peru')).to.deep.include({
      reference: 'brazil',
      tables: ['cities'],
    })
  })
})

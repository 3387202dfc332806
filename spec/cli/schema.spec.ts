import { expect } from 'chai'
import { ChildFolder, libraryUrl } from '../typeorm/compat/child.js'
import { type CommandRun, runInProcess } from './support.js'

/** Where the compiled entities and migrations of the schema specs are. */
const entitiesUrl = new URL('../schema/entities.js', import.meta.url).href

/** A data source whose shards live as long as the command; `prepare` is what was done to them before. */
const dataSource = (prepare: string): string => `
import { DataSource } from 'typeorm'
import { octopus } from ${JSON.stringify(libraryUrl)}
import * as schema from ${JSON.stringify(entitiesUrl)}
export default async () => {
  const db = octopus(
    new DataSource({
      type: 'sqljs',
      entities: [schema.Country],
      migrations: [schema.MakeTables1700000000000, schema.AddIndex1700000000001],
    }),
    { shards: { brazil: {}, canada: {} }, groups: { americas: ['brazil', 'canada'] } },
  )
  await db.initialize()
  ${prepare}
  return db
}`

describe('the command line, on schemas', () => {
  let folder: ChildFolder

  before(() => {
    folder = new ChildFolder()
    const everywhere = 'await db.usingAll(() => db.synchronize())'
    const drift = `await db.shard('canada').query('ALTER TABLE country ADD COLUMN mayor varchar(20)')`
    folder.write('empty.mjs', dataSource(''))
    folder.write('same.mjs', dataSource(everywhere))
    folder.write('drifted.mjs', dataSource(`${everywhere}; ${drift}`))
    folder.write('one.mjs', dataSource(`await db.shard('brazil').runMigrations()`))
    folder.write(
      'migrated.mjs',
      dataSource(`${everywhere}; await db.usingAll(() => db.runMigrations())`),
    )
  })
  after(() => folder.remove())

  const run = (file: string, ...args: readonly string[]): Promise<CommandRun> =>
    runInProcess(['-d', file, ...args], { cwd: folder.path })

  const json = async (file: string, ...args: readonly string[]) => {
    const { code, stdout, stderr } = await run(file, '--json', ...args)
    return {
      code,
      value: (stdout === '' ? undefined : JSON.parse(stdout)) as unknown,
      error: (stderr === '' ? undefined : JSON.parse(stderr)) as unknown,
    }
  }

  it('diff ends with 0 where the shards are the same', async () => {
    const { code, stdout } = await run('same.mjs', 'schema', 'diff')
    expect(stdout).to.equal('master: the reference\nbrazil: as master\ncanada: as master\n')
    expect(code).to.equal(0)
  })

  it('diff ends with 1 where they are not, with a table of what is different', async () => {
    const { code, stdout } = await run('drifted.mjs', 'schema', 'diff', '--group', 'americas')
    expect(stdout).to.match(/^brazil: the reference\ncanada: 1 difference from brazil\n/)
    expect(stdout).to.match(/column +│ country │ mayor +│ +│ varchar\(20\)/)
    expect(code).to.equal(1)
  })

  it('diff tells the same to programs', async () => {
    const { code, value } = await json('drifted.mjs', 'schema', 'diff', '--reference', 'canada')
    expect(code).to.equal(1)
    expect(value).to.have.nested.property('shards[1].differences[0]').that.deep.includes({
      kind: 'column',
      table: 'country',
      name: 'mayor',
      reference: 'varchar(20)',
      text: 'column mayor of country is missing: varchar(20)',
    })
    expect(value).to.deep.include({ isSame: false })
  })

  it('diff --entities prints what TypeORM would do', async () => {
    const { code, stdout } = await run('drifted.mjs', 'schema', 'diff', '--entities')
    expect(stdout).to.match(
      /^master: as the entities say\nbrazil: as the entities say\ncanada: \d+ statements to be done\n {2}\S/,
    )
    expect(code).to.equal(1)
  })

  it('diff refuses a shard that it does not know', async () => {
    const { code, stderr } = await run('same.mjs', 'schema', 'diff', '--shard', 'brasil')
    expect(stderr).to.match(/^error: Unknown shard "brasil"/)
    expect(code).to.equal(2)
  })

  it('sync does nothing that was not asked for, and drops nothing that was not allowed', async () => {
    expect(await run('drifted.mjs', 'schema', 'sync')).to.include({ code: 2 })
    const dry = await run('empty.mjs', 'schema', 'sync', '--dry-run', '--shard', 'brazil')
    expect(dry.stdout).to.match(/^brazil: 2 statements to be done\n {2}CREATE TABLE "country".*;\n/)
    expect(dry.code).to.equal(0)
    const refused = await json('drifted.mjs', 'schema', 'sync', '--yes')
    expect(refused.error).to.have.nested.property('error.code', 'schema-drops')
    expect(refused.code).to.equal(1)
    const allowed = await run('drifted.mjs', 'schema', 'sync', '--yes', '--allow-drops')
    expect(allowed.stdout).to.match(/canada: \d+ statements done/)
    expect(allowed.code).to.equal(0)
  })

  it('shard bootstrap makes an empty shard, by migrations or by a copy', async () => {
    for (const [options, via] of [
      [[], 'migrations'],
      [['--copy', '--from', 'brazil'], 'copy'],
    ] as const) {
      const { code, value } = await json('one.mjs', 'shard', 'bootstrap', 'canada', ...options)
      expect(code).to.equal(0)
      expect(value).to.deep.equal({
        shard: 'canada',
        via,
        reference: 'brazil',
        tables: ['cities'],
        migrations: ['MakeTables1700000000000', 'AddIndex1700000000001'],
      })
    }
    const { stdout } = await run('one.mjs', 'shard', 'bootstrap', 'canada', '--copy')
    expect(stdout).to.equal(
      "canada: copied from brazil; 1 table, 2 migrations\nIts schema is as brazil's.\n",
    )
  })

  it('shard bootstrap refuses one that is not empty', async () => {
    const { code, stderr } = await run('one.mjs', 'shard', 'bootstrap', 'brazil')
    expect(stderr).to.match(/^error: The database of shard "brazil" is not empty: table cities/)
    expect(code).to.equal(1)
  })

  describe('seed', () => {
    before(() => {
      const insert = `export default (manager, shard) => manager.insert('Country', { name: shard })`
      folder.write('anywhere.mjs', insert)
      folder.write('americas.mjs', `${insert}\nexport const targets = { groups: ['americas'] }`)
      folder.write(
        'several.mjs',
        `let ran
         export const second = () => { if (ran !== 'first') throw new Error('order') }
         export const first = () => { ran = 'first' }`,
      )
      folder.write(
        'failing.cjs',
        `module.exports = (_, shard) => { if (shard === 'brazil') throw new Error('no more') }`,
      )
      folder.write('nothing.mjs', 'export const targets = {}')
    })

    it('runs where the file says, or where the options do', async () => {
      const shards = async (...args: readonly string[]) =>
        (await run('migrated.mjs', 'seed', ...args)).stdout
      expect(await shards('americas.mjs')).to.equal('brazil: seeded\ncanada: seeded\n')
      expect(await shards('americas.mjs', '--all')).to.equal(
        'master: seeded\nbrazil: seeded\ncanada: seeded\n',
      )
      expect(await shards('several.mjs', '--shard', 'canada')).to.equal('canada: seeded\n')
    })

    it('runs nothing where nothing says where, or migrations are pending', async () => {
      const nowhere = await run('migrated.mjs', 'seed', 'anywhere.mjs')
      expect(nowhere.stderr).to.match(
        /name shards \(master, brazil, canada\) or groups \(americas\)/,
      )
      expect(nowhere.code).to.equal(1)
      const pending = await json('same.mjs', 'seed', 'americas.mjs')
      expect(pending.error).to.have.nested.property('error.code', 'pending-migrations')
      const allowed = await run('same.mjs', 'seed', 'americas.mjs', '--allow-pending')
      expect(allowed.code).to.equal(0)
    })

    it('ends with 1 where a shard failed, and tells of each', async () => {
      const { code, stdout } = await run(
        'migrated.mjs',
        'seed',
        'failing.cjs',
        '--group',
        'americas',
      )
      expect(stdout).to.equal('canada: seeded\nbrazil: failed and undone, no more\n')
      expect(code).to.equal(1)
    })

    it('refuses a file that is not there, or has no seeds', async () => {
      expect(await run('same.mjs', 'seed', 'none.mjs', '--all')).to.include({ code: 2 })
      expect((await run('same.mjs', 'seed', 'nothing.mjs', '--all')).stderr).to.match(
        /^error: nothing.mjs exports no function/,
      )
    })
  })
})

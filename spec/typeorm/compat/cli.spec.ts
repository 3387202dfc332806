import path from 'node:path'
import { expect } from 'chai'
import type { DataSource } from 'typeorm'
import { ChildFolder, libraryUrl } from './child.js'
import { memory } from './support.js'

/** A data source file as an application has it, for shards in files. */
const dataSourceFile = (
  options: { source?: object; brazil?: object; migrations?: object } = {},
): string => `
import { DataSource, EntitySchema } from 'typeorm'
import { octopus } from ${JSON.stringify(libraryUrl)}

const Item = new EntitySchema({
  name: 'Item',
  columns: { id: { type: Number, primary: true, generated: true }, name: { type: String } },
})
class Seed1700000000000 {
  name = 'Seed1700000000000'
  up = (runner) => runner.query("INSERT INTO item (name) VALUES ('seeded')")
  down = (runner) => runner.query("DELETE FROM item WHERE name = 'seeded'")
}
export const db = octopus(
  new DataSource({
    type: 'sqljs', location: 'master.sqlite', autoSave: true, cache: true,
    entities: [Item], migrations: [Seed1700000000000], ...${JSON.stringify(options.source ?? {})},
  }),
  {
    shards: { brazil: { location: 'brazil.sqlite', ...${JSON.stringify(options.brazil ?? {})} } },
    migrations: ${JSON.stringify(options.migrations ?? {})},
  },
)
`

describe("TypeORM's command line on a wrapped DataSource", function () {
  this.timeout(60_000)
  let folder: ChildFolder

  beforeEach(() => (folder = new ChildFolder()))
  afterEach(() => folder.remove())

  /** Runs a command, by default on the default shard. */
  const typeorm = (command: string, shard?: string) => {
    const [name = '', ...args] = command.split(' ')
    return folder.typeorm([name, ...args, '-d', 'db.mjs'], shard ? { OCTOPUS_SHARD: shard } : {})
  }
  const succeed = async (command: string, shard?: string): Promise<string> => {
    const { code, stdout, stderr } = await typeorm(command, shard)
    expect({ code, stderr }, stdout).to.deep.equal({ code: 0, stderr: '' })
    return stdout
  }
  /** Works on a shard's file without the library. */
  const onFile = async <R>(shard: string, work: (source: DataSource) => Promise<R>): Promise<R> => {
    const location = path.join(folder.path, `${shard}.sqlite`)
    const source = await memory({ location, autoSave: true, synchronize: false }).initialize()
    try {
      return await work(source)
    } finally {
      await source.destroy()
    }
  }
  const rows = (shard: string, sql: string): Promise<unknown[]> =>
    onFile(shard, (source) => source.query(sql))
  const tables = async (shard: string): Promise<string[]> => {
    const found = await rows(
      shard,
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`,
    )
    return found.map((row) => (row as { name: string }).name)
  }
  const names = (shard: string) => rows(shard, 'SELECT name FROM item ORDER BY id')
  /** Makes the table on both shards, with one row in each. */
  const populate = async (): Promise<void> => {
    for (const shard of ['master', 'brazil'])
      await onFile(shard, async (source) => {
        await source.synchronize()
        await source.query(`INSERT INTO item (name) VALUES ('${shard}')`)
      })
  }

  it('logs, synchronises and queries the default shard, or the one that OCTOPUS_SHARD names', async () => {
    folder.write('db.mjs', dataSourceFile())
    expect(await succeed('schema:log', 'brazil')).to.match(/CREATE TABLE "item"/)
    await succeed('schema:sync', 'brazil')
    expect(await tables('brazil')).to.deep.equal(['item', 'query-result-cache'])
    expect(await tables('master')).to.deep.equal([])
    expect(await succeed('schema:log')).to.match(/CREATE TABLE "item"/)
    await succeed('schema:sync')
    const insert = `INSERT INTO item (name) VALUES ('Ana')`
    await folder.typeorm(['query', insert, '-d', 'db.mjs'], { OCTOPUS_SHARD: 'brazil' })
    expect(await names('brazil')).to.deep.equal([{ name: 'Ana' }])
    expect(await names('master')).to.deep.equal([])
    const found = await folder.typeorm(['query', 'SELECT name FROM item', '-d', 'db.mjs'], {
      OCTOPUS_SHARD: 'brazil',
    })
    expect(found.stdout).to.include('Ana')
    expect(await succeed('cache:clear', 'brazil')).to.match(/successfully cleared/)
  })

  it('runs, shows and reverts migrations on the shard that is named', async () => {
    await populate()
    folder.write('db.mjs', dataSourceFile({ migrations: { default: 'default' } }))
    expect(await succeed('migration:run', 'brazil')).to.match(/Seed1700000000000 has been executed/)
    expect(await names('brazil')).to.deep.equal([{ name: 'brazil' }, { name: 'seeded' }])
    expect(await names('master')).to.deep.equal([{ name: 'master' }])
    expect((await typeorm('migration:show', 'brazil')).stdout).to.match(/\[X\].*Seed1700000000000/)
    expect((await typeorm('migration:show')).stdout).to.match(/\[ \].*Seed1700000000000/)
    await succeed('migration:run')
    await succeed('migration:revert', 'brazil')
    expect(await names('brazil')).to.deep.equal([{ name: 'brazil' }])
    expect(await names('master')).to.deep.equal([{ name: 'master' }, { name: 'seeded' }])
  })

  it('runs, shows and reverts migrations on all shards that they are for, and tells each', async () => {
    await populate()
    folder.write('db.mjs', dataSourceFile({ migrations: { default: 'all' } }))
    const ran = await succeed('migration:run')
    const seeded = [{ name: 'seeded' }]
    for (const shard of ['master', 'brazil']) {
      expect(ran).to.include(`[Shard: ${shard}] Migration Seed1700000000000 has been executed`)
      expect(await names(shard)).to.deep.equal([{ name: shard }, ...seeded])
    }
    const shown = await succeed('migration:show')
    expect(shown).to.match(/\[Shard: master\] \[X\] Seed.*\n.*\[Shard: brazil\] \[X\] Seed/)
    await succeed('migration:revert')
    for (const shard of ['master', 'brazil'])
      expect(await names(shard)).to.deep.equal([{ name: shard }])
  })

  it('runs no migration of which nothing says where it runs, and lists the choices', async () => {
    await populate()
    folder.write('db.mjs', dataSourceFile())
    const { code, stderr } = await typeorm('migration:run')
    expect(code).to.equal(1)
    expect(stderr).to.match(/Seed1700000000000: says nowhere.*shards: master, brazil; groups: none/)
    expect(await tables('master')).not.to.include('migrations')
  })

  it('generates the migration that the named shard lacks', async () => {
    folder.write('db.mjs', dataSourceFile({ source: { cache: false } }))
    await populate()
    const none = await typeorm('migration:generate --dr ./Next')
    expect(none.code).to.equal(1)
    expect(none.stdout).to.match(/No changes in database schema were found/)
    await onFile('brazil', (source) => source.query('DROP TABLE item'))
    expect(await succeed('migration:generate --dr ./Next', 'brazil')).to.match(
      /CREATE TABLE "item"/,
    )
  })

  for (const shard of [undefined, 'brazil'])
    it(`empties nothing by schema:log ${shard ? `on ${shard}` : ''}, whatever the options of the shards ask for`, async () => {
      await populate()
      const rebuilding = { dropSchema: true, synchronize: true, migrationsRun: true }
      folder.write('db.mjs', dataSourceFile({ source: rebuilding, brazil: rebuilding }))
      for (const command of ['schema:log', 'query SELECT+1'])
        expect((await typeorm(command.replace('+', ' '), shard)).stderr, command).not.to.match(
          /drop/i,
        )
      for (const name of ['master', 'brazil']) {
        expect(await names(name)).to.deep.equal([{ name }])
        expect(await tables(name), 'no migration ran').not.to.include('migrations')
      }
    })

  it('drops the schema of the shard that is named, and none if none is', async () => {
    await populate()
    folder.write('db.mjs', dataSourceFile())
    const refused = await typeorm('schema:drop')
    expect(refused.code).to.equal(1)
    expect(refused.stderr).to.match(/dropDatabase\(\) drops data.*master, brazil/)
    expect(await names('master')).to.deep.equal([{ name: 'master' }])
    await succeed('schema:drop', 'brazil')
    expect(await tables('brazil')).not.to.include('item')
    expect(await names('master')).to.deep.equal([{ name: 'master' }])
  })

  it('fails clearly for a shard that does not exist', async () => {
    folder.write('db.mjs', dataSourceFile())
    const { code, stderr } = await typeorm('migration:run', 'peru')
    expect(code).to.equal(1)
    expect(stderr).to.match(
      /Unknown shard "peru"; configured shards: master, brazil\..*OCTOPUS_SHARD/,
    )
  })

  it('takes a promise of the data source too', async () => {
    folder.write(
      'db.mjs',
      `${dataSourceFile().replace('export const db', 'const db')}\nexport default Promise.resolve(db)\n`,
    )
    expect(await succeed('schema:log', 'brazil')).to.match(/CREATE TABLE "item"/)
  })
})

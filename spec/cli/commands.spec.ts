import { expect } from 'chai'
import { ChildFolder, libraryUrl } from '../typeorm/compat/child.js'
import { type CommandRun, runInProcess } from './support.js'

/** Three shards in files, made anew for each command. */
const dataSourceFile = (folder: string): string => `
import path from 'node:path'
import { DataSource, EntitySchema } from 'typeorm'
import { octopus } from ${JSON.stringify(libraryUrl)}

const Item = new EntitySchema({
  name: 'Item',
  columns: {
    id: { type: Number, primary: true },
    name: { type: String, nullable: true },
    picture: { type: 'blob', nullable: true },
  },
})
const file = (name) => ({ location: path.join(${JSON.stringify(folder)}, name), autoSave: true })
export default () => octopus(
  new DataSource({
    type: 'sqljs', ...file('master.sqlite'), entities: [Item],
    synchronize: true, dropSchema: true, logging: 'all',
  }),
  {
    shards: { brazil: file('brazil.sqlite'), canada: file('canada.sqlite') },
    groups: { americas: ['brazil', 'canada'] },
  },
)
`

const lines = ({ stdout }: CommandRun): string[] => stdout.trimEnd().split('\n')

describe('the commands of the command line', () => {
  let folder: ChildFolder

  before(() => {
    folder = new ChildFolder()
    folder.write('db.mjs', dataSourceFile(folder.path))
  })
  after(() => folder.remove())

  const octopus = (...args: string[]): Promise<CommandRun> =>
    runInProcess(args, { cwd: folder.path, env: { OCTOPUS_DATA_SOURCE: 'db.mjs' } })

  /** What a command that ends well prints. */
  const prints = async (...args: string[]): Promise<string[]> => {
    const run = await octopus(...args)
    expect({ code: run.code, stderr: run.stderr }, run.stdout).to.deep.equal({
      code: 0,
      stderr: '',
    })
    return lines(run)
  }

  const json = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await octopus(...args, '--json')
    return JSON.parse(stdout)
  }

  before(async () => {
    await prints(
      'query',
      '--write',
      '--all',
      'CREATE TABLE item (id integer PRIMARY KEY, name varchar, picture blob)',
    )
    await prints(
      'query',
      '--write',
      '--shard',
      'brazil',
      "INSERT INTO item VALUES (1, 'Ana', x'00ff'), (2, NULL, NULL), (3, 'Bento', NULL)",
    )
  })

  describe('query', () => {
    it('shows what each shard answers, and where', async () => {
      expect(
        await prints(
          'query',
          '--group',
          'americas',
          'SELECT * FROM item WHERE id < ?',
          '--param',
          '3',
        ),
      ).to.deep.equal([
        'brazil (primary brazil.sqlite): 2 rows',
        '┌────┬──────┬─────────┐',
        '│ id │ name │ picture │',
        '├────┼──────┼─────────┤',
        '│  1 │ Ana  │ 0x00ff  │',
        '│  2 │ NULL │ NULL    │',
        '└────┴──────┴─────────┘',
        'canada (primary canada.sqlite): 0 rows',
      ])
    })

    it('gives the same to programs', async () => {
      expect(
        await json('query', '--shard', 'brazil', 'SELECT * FROM item ORDER BY id', '--limit', '1'),
      ).to.deep.equal([
        {
          shard: 'brazil',
          role: 'primary',
          node: 'brazil.sqlite',
          rows: [{ id: 1, name: 'Ana', picture: '0x00ff' }],
          rowCount: 3,
        },
      ])
    })

    it('says how many rows it does not show', async () => {
      const [heading] = await prints(
        'query',
        'SELECT id FROM item',
        '--shard',
        'brazil',
        '--limit',
        '2',
      )
      expect(heading).to.equal('brazil (primary brazil.sqlite): 3 rows, the first 2 shown')
    })

    it('sends nothing that may write, unless it is told to', async () => {
      const refused = await octopus('query', '--all', 'DELETE FROM item')
      expect(refused).to.deep.equal({
        code: 2,
        stdout: '',
        stderr:
          'error: The statement is not known to only read: add --write to run it on the primaries.\n',
      })
      const [{ rowCount }] = (await json('query', '--shard', 'brazil', 'SELECT id FROM item')) as [
        { rowCount: number },
      ]
      expect(rowCount).to.equal(3)
    })

    it('shows the answers of shards beside the errors of others', async () => {
      await prints('query', '--write', '--shard', 'canada', 'CREATE TABLE only_here (id integer)')
      const run = await octopus('query', '--all', 'SELECT count(*) AS n FROM only_here')
      expect(run.code).to.equal(1)
      expect(lines(run)).to.deep.equal([
        'master: no such table: only_here',
        'brazil: no such table: only_here',
        'canada (primary canada.sqlite): 1 row',
        '┌───┐',
        '│ n │',
        '├───┤',
        '│ 0 │',
        '└───┘',
      ])
      const results = (await json('query', '--all', 'SELECT 1 FROM only_here')) as object[]
      expect(results[0]).to.deep.include({ shard: 'master', rowCount: 0 })
      expect(results[0]).to.have.nested.property('error.message', 'no such table: only_here')
    })

    for (const [title, args, message] of [
      ['no place', [], 'Say where: --shard <name>, --group <name> or --all.'],
      [
        'a shard that there is not',
        ['--shard', 'peru'],
        'Unknown shard "peru"; configured shards: master, brazil, canada.',
      ],
      [
        'a group that there is not',
        ['--group', 'asia'],
        'Unknown shard group "asia"; configured groups: americas.',
      ],
      [
        'two places',
        ['--all', '--shard', 'brazil'],
        "option '--shard <name>' cannot be used with option '--all'",
      ],
      ['no number', ['--all', '--limit', 'x'], 'It is a whole number from 0.'],
    ] as const)
      it(`refuses ${title}`, async () => {
        const { code, stdout, stderr } = await octopus('query', 'SELECT 1', ...args)
        expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
        expect(stderr).to.include(message)
      })
  })

  describe('topology', () => {
    it('lists shards, servers and groups', async () => {
      const printed = await prints('topology')
      expect(printed[1]).to.match(/shard +│ engine +│ reads +│ role +│ node/)
      expect(printed[3]).to.match(/master +│ sqljs +│ replica +│ primary +│ master\.sqlite/)
      expect(printed.at(-1)).to.equal('group americas: brazil, canada')
    })

    it('is the topology of the data source for programs', async () => {
      const topology = (await json('topology')) as { defaultShard: string; shards: object[] }
      expect(topology.defaultShard).to.equal('master')
      expect(topology.shards).to.have.lengthOf(3)
      expect(topology.shards[1]).to.deep.include({ name: 'brazil', groups: ['americas'] })
    })
  })

  describe('pools', () => {
    it('lists the pools, and connects them if it is told to', async () => {
      const states = async (...args: string[]): Promise<string[]> => {
        const { pools } = (await json('pools', ...args)) as { pools: { state: string }[] }
        return pools.map(({ state }) => state)
      }
      expect(await states()).to.deep.equal(['idle', 'idle', 'idle'])
      expect(await states('--connect')).to.deep.equal(['open', 'open', 'open'])
      expect((await prints('pools', '--workers', '4')).at(-1)).to.match(/^4 workers/)
    })
  })

  describe('explain', () => {
    it('tells where an operation would go, and why', async () => {
      const printed = await prints('explain', 'Item', 'save', '--shard', 'brazil')
      expect(printed[0]).to.include('brazil/primary')
      expect(printed).to.include('  → scope: using brazil is the nearest scope that names a shard')
      expect(printed).to.include('What would change it:')
      expect(await json('explain', 'Item')).to.deep.include({ shard: 'master', role: 'primary' })
      expect(await json('explain', 'Item', '--scope', 'primary')).to.include({
        reason: 'pinned to primary',
      })
    })

    it('takes SQL in the place of an entity', async () => {
      expect(await json('explain', '--sql', 'SELECT 1', '--shard', 'canada')).to.deep.include({
        shard: 'canada',
        reason: 'raw query',
      })
    })

    it('fails where the statement would be refused', async () => {
      const args = ['explain', '--sql', 'DELETE FROM item', '--scope', 'replica']
      const { code, stderr } = await octopus(...args)
      expect(code).to.equal(1)
      expect(stderr).to.match(/^error: .* \[read-only-scope\]\n$/)
    })

    it('refuses what it does not know', async () => {
      const unknown = await octopus('explain', 'Itme')
      expect(unknown.code).to.equal(2)
      expect(unknown.stderr).to.include('Unknown entity "Itme"; the data source has Item.')
      for (const args of [[], ['Item', '--sql', 'SELECT 1'], ['Item', 'fnid']])
        expect((await octopus('explain', ...args)).code, args.join(' ')).to.equal(2)
    })
  })

  describe('check', () => {
    it('finds nothing where the files are there', async () => {
      expect((await prints('check')).at(-1)).to.equal('3 servers, 0 errors, 0 warnings')
      expect(await json('check')).to.include({ isHealthy: true })
    })

    it('lists what is wrong in a YAML file', async () => {
      folder.write('good.yml', 'shards:\n  brazil: { host: br-1 }\n')
      folder.write('bad.yml', 'shards:\n  brazil: { hots: br-1 }\ngroups: { all: [peru] }\n')
      const good = await octopus('check', '--config', 'good.yml')
      expect(good.code, good.stderr).to.equal(0)
      const bad = await octopus('check', '--config', 'bad.yml')
      expect({ code: bad.code, stdout: bad.stdout }).to.deep.equal({ code: 1, stdout: '' })
      expect(bad.stderr).to.match(/shards\.brazil\.hots.*did you mean "host"/)
      expect(bad.stderr).to.match(/unknown shard "peru"/)
      expect(bad.stderr).to.match(/\[invalid-config\]\n$/)
    })
  })

  describe('all of them', () => {
    it('leaves schemas alone that their options would drop or make', async () => {
      // The data source has dropSchema and synchronize, and every command above has started it.
      const [{ rowCount }] = (await json('query', '--shard', 'brazil', 'SELECT id FROM item')) as [
        { rowCount: number },
      ]
      expect(rowCount).to.equal(3)
    })
  })
})

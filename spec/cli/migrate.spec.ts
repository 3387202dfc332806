import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { ChildFolder, libraryUrl } from '../typeorm/compat/child.js'
import { until } from '../support/until.js'
import { type CommandRun, type Stage, runInProcess } from './support.js'

const cli = fileURLToPath(new URL('../../lib/cli.js', import.meta.url))

/** Four shards in files, with migrations of which the second fails on shards that have `rooms`. */
const dataSourceFile = (folder: string): string => `
import path from 'node:path'
import { existsSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { DataSource } from 'typeorm'
import { octopus } from ${JSON.stringify(libraryUrl)}

const file = (name) => ({ location: path.join(${JSON.stringify(folder)}, name), autoSave: true })
class AddVisits1700000000001 {
  up = (runner) => runner.query('CREATE TABLE visits (id INT)')
  down = (runner) => runner.query('DROP TABLE visits')
}
class AddRooms1700000000002 {
  static migrateOn = { group: 'americas' }
  async up(runner) {
    if (process.env.SLOW) {
      writeFileSync('begun', '')
      while (!existsSync('go-on')) await delay(5)
    }
    await runner.query('CREATE TABLE rooms (id INT)')
  }
  down = (runner) => runner.query('DROP TABLE rooms')
}
export default () => octopus(
  new DataSource({
    type: 'sqljs', ...file('master.sqlite'), migrations: [AddVisits1700000000001, AddRooms1700000000002],
  }),
  {
    shards: { brazil: file('brazil.sqlite'), canada: file('canada.sqlite'), spain: file('spain.sqlite') },
    groups: { americas: ['brazil', 'canada'], europe: ['spain'] },
    migrations: { default: 'all', transaction: 'each', concurrency: 1 },
  },
)
`

describe('octopus migrate', function () {
  this.timeout(20_000)
  let folder: ChildFolder

  beforeEach(() => {
    folder = new ChildFolder()
    folder.write('db.mjs', dataSourceFile(folder.path))
  })
  afterEach(() => folder.remove())

  const octopus = (args: string, stage: Stage = {}): Promise<CommandRun> =>
    runInProcess(['migrate', ...args.split(' ')], {
      cwd: folder.path,
      env: { OCTOPUS_DATA_SOURCE: 'db.mjs' },
      ...stage,
    })
  const prints = async (args: string, stage: Stage = {}): Promise<string> => {
    const run = await octopus(args, stage)
    expect(run.code, `${run.stdout}\n${run.stderr}`).to.equal(0)
    return run.stdout
  }
  /** The cells of the lines of a table. */
  const cells = (text: string): string[][] =>
    text
      .split('\n')
      .filter((line) => line.startsWith('│'))
      .map((line) =>
        line
          .split('│')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      )
  const events = (text: string): Record<string, unknown>[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  it('shows the plan, then runs, then says what is where', async () => {
    const text = await prints('up')
    expect(cells(text)).to.deep.equal([
      ['migration', 'master', 'brazil', 'canada', 'spain'],
      ['AddVisits1700000000001', 'pending', 'pending', 'pending', 'pending'],
      ['AddRooms1700000000002', '-', 'pending', 'pending', '-'],
      ['shard', 'outcome', 'done', 'left', 'waited'],
      ['master', 'done', '1', '0', ''],
      ['brazil', 'done', '2', '0', ''],
      ['canada', 'done', '2', '0', ''],
      ['spain', 'done', '1', '0', ''],
    ])
    expect(text).to.include('6 pending on 4 of 4 shards.')
    expect(await prints('plan --check')).to.include('Nothing is pending.')
  })

  it('does nothing with --dry-run', async () => {
    expect(await prints('up --dry-run')).to.include('6 pending')
    expect((await octopus('plan --check')).code).to.equal(1)
    expect((await octopus('plan')).code).to.equal(0)
  })

  it('keeps to shards and groups, and tells the state of each', async () => {
    await prints('up --group americas')
    const status = await octopus('status --check')
    expect(status.code).to.equal(1)
    expect(cells(status.stdout)).to.deep.equal([
      ['shard', 'state', 'done', 'pending', 'last', 'drift'],
      ['master', 'pending', '0', '1', '', ''],
      ['brazil', 'up to date', '2', '0', 'AddRooms1700000000002', ''],
      ['canada', 'up to date', '2', '0', 'AddRooms1700000000002', ''],
      ['spain', 'pending', '0', '1', '', ''],
    ])
    expect((await octopus('status --check --shard brazil --shard canada')).code).to.equal(0)
    const unknown = await octopus('up --shard peru')
    expect(unknown.code).to.equal(2)
    expect(unknown.stderr).to.match(/Unknown shard "peru"/)
  })

  it('reverts and marks as done', async () => {
    await prints('up')
    const reverted = await prints('down')
    expect(reverted).to.include('AddRooms1700000000002 is to be reverted on brazil, canada.')
    await prints('baseline')
    expect(await prints('plan --check')).to.include('Nothing is pending.')
    // It was only marked: there is nothing to drop.
    expect((await octopus('down')).code).to.equal(1)
  })

  it('says where it failed, and goes on from there', async () => {
    await prints('up --shard brazil')
    await prints('down --shard brazil')
    // brazil has its table again, so that the migration fails there.
    await runInProcess(['query', '--write', '--shard', 'brazil', 'CREATE TABLE rooms (id INT)'], {
      cwd: folder.path,
      env: { OCTOPUS_DATA_SOURCE: 'db.mjs' },
    })
    const failed = await octopus('up --on-error continue')
    expect(failed.code).to.equal(1)
    expect(cells(failed.stdout).slice(-4)).to.deep.equal([
      ['master', 'done', '1', '0', ''],
      ['brazil', 'failed', '0', '1', ''],
      ['canada', 'done', '2', '0', ''],
      ['spain', 'done', '1', '0', ''],
    ])
    expect(failed.stdout).to.match(/brazil failed in AddRooms1700000000002: .*rooms already exists/)
    expect(failed.stderr).to.match(/warning: brazil: AddRooms1700000000002 failed/)
    await runInProcess(['query', '--write', '--shard', 'brazil', 'DROP TABLE rooms'], {
      cwd: folder.path,
      env: { OCTOPUS_DATA_SOURCE: 'db.mjs' },
    })
    expect(await prints('up')).to.include('1 pending on 1 of 4 shards.')
  })

  for (const json of ['', ' --json'])
    it(`prints no password that an error has in it${json === '' ? '' : ', for programs neither'}`, async () => {
      const text = dataSourceFile(folder.path).replace(
        `(runner) => runner.query('CREATE TABLE visits (id INT)')`,
        `() => { throw new Error('mysql://app:s3cret@db-1:3306/shop refused') }`,
      )
      folder.write('db.mjs', text)
      const { code, stdout, stderr } = await octopus(`up${json}`)
      expect(code).to.equal(1)
      expect(stdout).to.include('mysql://app:***@db-1:3306/shop refused')
      expect(stdout + stderr).not.to.include('s3cret')
    })

  it('prints an event on each line for programs', async () => {
    const [plan, ...rest] = events(await prints('up --json --shard brazil'))
    expect(plan).to.include({ type: 'plan', pending: 2 })
    expect(rest.map(({ type }) => type)).to.deep.equal([
      'run-started',
      'shard-started',
      'migration-started',
      'migration-finished',
      'migration-started',
      'migration-finished',
      'shard-finished',
      'run-finished',
      'report',
    ])
    expect(rest.at(-1)).to.include({ outcome: 'done', direction: 'up' })
  })

  it('does a first shard, and asks before the others', async () => {
    const asked: string[] = []
    const answer = (text: string) => (question: string) => {
      asked.push(question)
      return text
    }
    const no = await octopus('up --first canada', { answer: answer('n') })
    expect(no.code).to.equal(1)
    expect(asked).to.deep.equal(['canada: 2 done. Go on with the other shards? [y/N] '])
    expect(
      cells(no.stdout)
        .slice(-4)
        .map(([shard, outcome]) => [shard, outcome]),
    ).to.deep.equal([
      ['master', 'not begun'],
      ['brazil', 'not begun'],
      ['canada', 'done'],
      ['spain', 'not begun'],
    ])
    await prints('up --first canada --shard canada --shard brazil', { answer: answer('yes') })
    await prints('up --first spain --yes')
    expect(asked, 'of one shard alone nothing is asked').to.have.length(2)
  })

  it('does not begin what it would have to ask about where nobody is there', async () => {
    const { code, stderr } = await octopus('up --first canada')
    expect(code).to.equal(2)
    expect(stderr).to.include('add --yes')
    expect(await prints('plan')).to.include('6 pending')
  })

  it('shows a bar for each shard group on a terminal', async () => {
    const { stderr } = await octopus('up', { isTerminal: true })
    for (const bar of ['americas', 'europe', 'other shards'])
      expect(stderr).to.match(new RegExp(`${bar} +\\[.*\\] \\d/\\d · .* left`))
  })

  it('goes on with the bars after it has asked', async () => {
    const { stderr } = await octopus('up --first canada', { isTerminal: true, answer: () => 'y' })
    expect(stderr).to.match(/americas +\[.*\] [12]\/4 .*other shards +\[=+\] 1\/1/s)
  })

  // SIGTERM is how containers are stopped.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    it(`finishes what is under way at ${signal}, tells the rest and ends with 130`, async () => {
      const child = spawn(process.execPath, [cli, 'migrate', 'up', '--json', '-d', 'db.mjs'], {
        cwd: folder.path,
        env: { ...process.env, SLOW: '1' },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let stdout = ''
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
      await until(() => existsSync(path.join(folder.path, 'begun')), {
        what: 'the migration on brazil to begin',
        timeoutMs: 15_000,
      })
      child.kill(signal)
      folder.write('go-on', '')
      expect(await ended).to.equal(130)
      const report = events(stdout).at(-1) as { outcome: string; shards: object[] }
      expect(report.outcome).to.equal('interrupted')
      expect(report.shards).to.deep.include.members([
        { shard: 'canada', outcome: 'not begun', finished: [], waitedMs: 0 },
      ])
      const status = await octopus('status')
      expect(cells(status.stdout)[2]?.slice(0, 3)).to.deep.equal(['brazil', 'up to date', '2'])
      expect(cells(status.stdout)[3]?.slice(0, 3)).to.deep.equal(['canada', 'pending', '0'])
    })

  describe('create', () => {
    const only = (name: string): string => {
      const [file, ...others] = readdirSync(path.join(folder.path, name))
      expect(others).to.deep.equal([])
      return file ?? ''
    }

    it('writes a migration that names its shards', async () => {
      const said = await prints('create AddVisits --group americas --shard spain')
      const file = only('migrations')
      expect(said).to.include(`migrations/${file} is written.`)
      const timestamp = /^(\d{13})-AddVisits\.ts$/.exec(file)?.[1]
      const text = readFileSync(path.join(folder.path, 'migrations', file), 'utf8')
      expect(text).to.include("@MigrateOn({ shards: ['spain'], groups: ['americas'] })")
      expect(text).to.include(`export class AddVisits${timestamp} implements MigrationInterface {`)
    })

    it('writes JavaScript that can be imported, and whatever name is typed', async () => {
      await prints('create add-visits_table --js --dir made --shard brazil')
      const file = path.join(folder.path, 'made', only('made'))
      const { stdout } = await new Promise<{ stdout: string }>((resolve) =>
        execFile(
          process.execPath,
          [
            '--input-type=module',
            '-e',
            `console.log(JSON.stringify(Object.entries(await import(${JSON.stringify(file)})).map(([name, made]) => [name, made.migrateOn])))`,
          ],
          (_error, out) => resolve({ stdout: out }),
        ),
      )
      expect(JSON.parse(stdout)).to.deep.equal([
        [`AddVisitsTable${path.basename(file).slice(0, 13)}`, { shards: ['brazil'] }],
      ])
    })

    it('refuses shards that do not exist, and names that are none', async () => {
      expect(await octopus('create AddVisits --group asia')).to.include({
        code: 2,
        stderr: 'error: Unknown shard group "asia"; configured groups: americas, europe.\n',
      })
      expect((await octopus('create 7')).code).to.equal(2)
      expect(existsSync(path.join(folder.path, 'migrations'))).to.equal(false)
    })
  })
})

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { OctopusOptions } from '../../lib/index.js'
import {
  type Cluster,
  type ClusterNode,
  MariadbCluster,
  PostgresCluster,
} from '../support/cluster/index.js'
import { freePort } from '../support/cluster/free-port.js'
import { until } from '../support/until.js'
import { ChildFolder, libraryUrl } from '../typeorm/compat/child.js'
import { type CommandRun, runInProcess } from './support.js'

const secret = 'pl4nted-s3cret'

const place = ({ host, port }: ClusterNode) => ({ host, port })
const named = ({ name, host, port }: ClusterNode) => ({ name, host, port })

/** Statements that end what the application has left running. */
const endOf = {
  mariadb:
    "SELECT concat('KILL ', id) AS `sql` FROM information_schema.processlist WHERE user = 'app'",
  postgres: `SELECT 'SELECT pg_terminate_backend(' || pid || ')' AS sql
    FROM pg_stat_activity WHERE usename = 'app'`,
} as const

const cli = fileURLToPath(new URL('../../lib/cli.js', import.meta.url))

/** Runs the command line as a process of its own, without a terminal. */
const runChild = (args: readonly string[], cwd: string): Promise<CommandRun> =>
  new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { cwd, timeout: 60_000 }, (error, stdout, stderr) =>
      // Ended by the timeout it has no code: a socket that was left open keeps it alive.
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    )
  })

for (const [engine, Engine] of [
  ['mariadb', MariadbCluster],
  ['postgres', PostgresCluster],
] as const)
  describe(`the command line on ${engine}`, function () {
    this.timeout(60_000)
    let cluster: Cluster
    let folder: ChildFolder
    const placeholder = engine === 'mariadb' ? '?' : '$1'

    before(async () => {
      cluster = await Engine.start({ shards: 2, replicas: 1 })
      folder = new ChildFolder()
      write('db.mjs', {})
    })
    after(async () => {
      folder?.remove()
      await cluster?.stop()
    })

    /** Writes a data source file over the cluster, whose brazil is as `brazil` changes it. */
    const write = (name: string, brazil: object, options: OctopusOptions = {}): void => {
      const source = {
        type: engine,
        logging: 'all',
        ...cluster.shard(0).primary.connectionOptions(),
      }
      const { primary, replicas } = cluster.shard(1)
      const shards = { brazil: { ...place(primary), replicas: replicas.map(named), ...brazil } }
      const topology = { replicas: cluster.shard(0).replicas.map(named), shards, ...options }
      folder.write(
        name,
        `import { DataSource } from 'typeorm'
         import { octopus } from ${JSON.stringify(libraryUrl)}
         export default () =>
           octopus(new DataSource(${JSON.stringify(source)}), ${JSON.stringify(topology)})`,
      )
    }

    const octopus = (file: string, ...args: string[]): Promise<CommandRun> =>
      runInProcess([...args, '--data-source', file], { cwd: folder.path })

    const isEmpty = async (): Promise<void> => {
      for (const node of cluster.nodes)
        if (node.isReachable)
          await until(async () => (await node.connections()) === 0, {
            what: `no connection to ${node.name}`,
          })
    }

    it('is a process that prints JSON, in spite of a log, and ends', async () => {
      const said = async (...args: string[]): Promise<unknown> => {
        const run = await runChild([...args, '--json', '-d', 'db.mjs'], folder.path)
        expect({ code: run.code, stderr: run.stderr }).to.deep.equal({ code: 0, stderr: '' })
        return JSON.parse(run.stdout)
      }
      const [results, checked] = await Promise.all([
        said('query', '--all', 'SELECT 1 AS one'),
        said('check'),
      ])
      expect(checked).to.include({ isHealthy: true })
      const answers = results as { shard: string; role: string; rows: object[] }[]
      expect(answers.map(({ shard, role, rows }) => [shard, role, rows])).to.deep.equal([
        ['master', 'replica', [{ one: 1 }]],
        ['brazil', 'replica', [{ one: 1 }]],
      ])
      await isEmpty()
    })

    it('ends at once when it is interrupted, whatever runs, and whatever the file has left open', async () => {
      folder.write('open.mjs', `export { default } from './db.mjs'; setInterval(() => 0, 1000)`)
      const { primary } = cluster.shard(1)
      const mark = primary.mark()
      const sleep = engine === 'mariadb' ? 'SELECT SLEEP(60)' : 'SELECT pg_sleep(60)'
      const args = ['query', '--write', '--shard', 'brazil', sleep, '-d', 'open.mjs']
      const child = spawn(process.execPath, [cli, ...args], { cwd: folder.path })
      const ended = once(child, 'exit')
      await until(
        async () => (await primary.statementsSince(mark)).some(({ sql }) => sql.includes(sleep)),
        { what: 'the statement to run', timeoutMs: 20_000 },
      )
      child.kill('SIGINT')
      expect(await ended).to.deep.equal([130, null])
      // A server notices only later that its client is gone.
      for (const { sql } of await primary.sql<{ sql: string }>(endOf[engine]))
        await primary.sql(sql)
      await isEmpty()
    })

    it('checks, and finds nothing where all is well', async () => {
      const { code, stdout, stderr } = await octopus('db.mjs', 'check')
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
      expect(stdout).to.match(/\n4 servers, 0 errors, 0 warnings\n$/)
      expect(stdout).to.match(/│ ok +│ brazil +│ replica +│ s1r1 +│ 127\.0\.0\.1:\d+\/app +│ \d+\./)
      await isEmpty()
    })

    it('checks, and fails where roles are swapped', async () => {
      const { primary, replicas } = cluster.shard(1)
      write('swapped.mjs', { ...place(replicas[0]!), replicas: [named(primary)] })
      const { code, stdout } = await octopus('swapped.mjs', 'check')
      expect(code).to.equal(1)
      expect(stdout).to.include(
        'error: brazil/s1p is configured as a replica, and copies from no server: it is a primary\n',
      )
      expect(stdout).to.match(/\n4 servers, 2 errors, 0 warnings\n$/)
    })

    it('checks a data source that cannot start, and fails', async () => {
      write('apart.mjs', {
        ...place(cluster.shard(1).primary),
        port: await freePort(),
        replicas: [],
      })
      const { code, stdout } = await octopus('apart.mjs', 'check', '--json')
      expect(code).to.equal(1)
      const { findings } = JSON.parse(stdout) as { findings: { shard: string; kind: string }[] }
      expect(findings.map(({ shard, kind }) => [shard, kind])).to.deep.equal([
        ['master', 'ok'],
        ['master', 'ok'],
        ['brazil', 'unreachable'],
      ])
    })

    it('writes on primaries when it is told to, and tells how many rows', async () => {
      const change = (sql: string, ...more: string[]): Promise<CommandRun> =>
        octopus('db.mjs', 'query', '--write', '--all', sql, ...more)
      expect((await change('CREATE TABLE counted (id int)')).code).to.equal(0)
      await change('INSERT INTO counted VALUES (1), (2), (3)')
      const { stdout } = await change(
        `UPDATE counted SET id = 7 WHERE id > ${placeholder}`,
        '--param',
        '1',
      )
      expect(stdout.split('\n')).to.deep.equal([
        'master (primary 127.0.0.1): 2 rows changed',
        'brazil (primary 127.0.0.1): 2 rows changed',
        '',
      ])
      await Promise.all(cluster.shards.map((shard) => cluster.waitUntilCaughtUp(shard)))
      const read = await octopus('db.mjs', 'query', '--shard', 'brazil', 'SELECT id FROM counted')
      expect(read.stdout).to.match(/^brazil \(replica s1r1\): 3 rows\n/)
    })

    it('connects the pools of all servers', async () => {
      const { code, stdout } = await octopus('db.mjs', 'pools', '--connect', '--json')
      expect(code).to.equal(0)
      const { pools, budget } = JSON.parse(stdout) as {
        pools: { state: string; opened: number }[]
        budget: { total: number }
      }
      expect(pools.map(({ state, opened }) => [state, opened > 0])).to.deep.equal(
        Array.from({ length: 4 }, () => ['open', true]),
      )
      expect(budget.total).to.equal(40)
      await isEmpty()
    })

    it('never prints a password', async () => {
      write('denied.mjs', { password: secret })
      const scheme = engine === 'mariadb' ? 'mariadb' : 'postgres'
      const { host, port } = cluster.shard(1).primary
      const asUrl = (url: string): object => ({ host: undefined, port: undefined, url })
      write('denied-url.mjs', asUrl(`${scheme}://app:${secret}@${host}:${port}/app`))
      write('bad-url.mjs', asUrl(`${scheme}://app:${secret}@${host}:nowhere/app`))
      write('bad-scheme.mjs', asUrl(`http://app:${secret}@${host}/app`))
      folder.write(
        'broken.mjs',
        `throw new Error('${scheme}://app:${secret}@${host}/app is wrong')`,
      )
      const commands = [
        ['check'],
        ['topology'],
        ['pools', '--connect'],
        ['query', '--all', 'SELECT 1'],
        ['query', '--all', '--write', `SELECT nothing FROM nowhere`],
        ['explain', '--sql', 'SELECT 1', '--shard', 'brazil'],
      ]
      for (const file of ['denied', 'denied-url', 'bad-url', 'bad-scheme', 'broken'])
        for (const args of commands)
          for (const form of [[], ['--json'], ['--verbose']]) {
            const { stdout, stderr } = await octopus(`${file}.mjs`, ...args, ...form)
            const said = stdout + stderr
            expect(said, `${file} ${args.join(' ')}`).not.to.equal('')
            expect(said, `${file} ${args.join(' ')}`).not.to.include(secret)
          }
      expect((await octopus('denied.mjs', 'query', '--all', 'SELECT 1')).code).to.equal(1)
      expect((await octopus('bad-url.mjs', 'check')).code).to.equal(1)
    })
  })

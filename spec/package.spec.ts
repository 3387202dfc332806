import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

const run = promisify(execFile)
const root = process.cwd()

/** Uses the package by `import` and by `require` in one process, as an application and one of its
 *  older dependencies do. */
const consumer = `
import { createRequire } from 'node:module'
import { DataSource, EntitySchema } from 'typeorm'
import * as imported from 'typeorm-octopus'
import { octopusMiddleware } from 'typeorm-octopus/express'
import { startInspector } from 'typeorm-octopus/inspector'
const required = createRequire(import.meta.url)('typeorm-octopus')

const Item = new EntitySchema({ name: 'Item', columns: { id: { type: Number, primary: true } } })
const db = imported.octopus(new DataSource({ type: 'sqljs', entities: [Item], synchronize: true }), {
  shards: { brazil: { synchronize: true } },
})
await db.initialize()
const shards = imported.using('brazil', () => [
  db.octopus.currentShard(),
  required.using('master', () => db.octopus.currentShard()),
])
let refused
try { required.using('peru', () => 0) } catch (error) { refused = error }
await required.using('brazil', () => db.getRepository('Item').insert({ id: 1 }))
const rows = await db.usingAll(() => db.getRepository('Item').count())
const inspectors = [await startInspector(db), await db.octopus.inspector()]
const answers = await Promise.all(
  inspectors.flatMap(({ url }) => ['', 'page.js', 'preact.js'].map((file) => fetch(url + file))),
)
await Promise.all(inspectors.map((inspector) => inspector.close()))
await db.destroy()
console.log(JSON.stringify({
  shards,
  sameExports: Object.keys(required).every((name) => required[name] === imported[name]),
  refused: refused instanceof imported.UnknownShardError,
  rows: rows.map(({ value }) => value),
  express: typeof octopusMiddleware,
  inspector: answers.map(({ status }) => status),
}))
`

/** What the command line is given. */
const dataSourceFile = `
import { DataSource } from 'typeorm'
import { octopus } from 'typeorm-octopus'
export const db = octopus(new DataSource({ type: 'sqljs' }), { shards: { brazil: {} } })
`

describe('the packed package', () => {
  let folder: string

  before(async function () {
    this.timeout(60_000)
    folder = await mkdtemp(join(tmpdir(), 'octopus-package-'))
    const pack = ['pack', '--silent', '--pack-destination', folder]
    // Packing loads the build once; its coverage would count every function as not called.
    const env = { ...process.env, NODE_V8_COVERAGE: undefined }
    await run('npm', pack, { cwd: root, env })
    const modules = join(folder, 'node_modules')
    const unpacked = join(modules, 'typeorm-octopus')
    await mkdir(unpacked, { recursive: true })
    const tarball = join(folder, 'typeorm-octopus-0.1.0.tgz')
    await run('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1'])
    for (const name of [
      'typeorm',
      'reflect-metadata',
      'sql.js',
      'yaml',
      'zod',
      'cookie',
      'on-headers',
      'commander',
      'cli-table3',
      'cli-progress',
    ])
      await symlink(join(root, 'node_modules', name), join(modules, name))
    // What installing it does with its `bin`.
    await mkdir(join(modules, '.bin'))
    const { bin } = JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8')) as {
      bin: { octopus: string }
    }
    await symlink(join(unpacked, bin.octopus), join(modules, '.bin', 'octopus'))
    await writeFile(join(folder, 'consumer.mjs'), consumer)
    await writeFile(join(folder, 'db.mjs'), dataSourceFile)
  })

  after(() => rm(folder, { recursive: true, force: true }))

  it('is one copy, whether it is imported or required', async function () {
    this.timeout(20_000)
    const { stdout } = await run(process.execPath, ['consumer.mjs'], { cwd: folder })
    expect(JSON.parse(stdout)).to.deep.equal({
      shards: ['brazil', 'master'],
      sameExports: true,
      refused: true,
      rows: [0, 1],
      express: 'function',
      inspector: [200, 200, 200, 200, 200, 200],
    })
  })

  it('loads what serves Express with Express only', async function () {
    this.timeout(20_000)
    const loaded = async (entry: string): Promise<string[]> => {
      const program = `require('${entry}'); console.log(Object.keys(require.cache).join('\\n'))`
      const { stdout } = await run(process.execPath, ['-e', program], { cwd: folder })
      return ['cookie', 'on-headers', 'prom-client', '@opentelemetry/api'].filter((name) =>
        stdout.includes(`/node_modules/${name}/`),
      )
    }
    expect(await loaded('typeorm-octopus')).to.deep.equal([])
    expect(await loaded('typeorm-octopus/express')).to.deep.equal(['cookie', 'on-headers'])
  })

  it('has a command line, over the same copy', async function () {
    this.timeout(20_000)
    const octopus = join(folder, 'node_modules', '.bin', 'octopus')
    const { stdout: help } = await run(octopus, ['--help'], { cwd: folder })
    expect(help).to.match(/^Usage: octopus /)
    const { stdout } = await run(octopus, ['topology', '-d', 'db.mjs', '--json'], { cwd: folder })
    const { shards } = JSON.parse(stdout) as { shards: { name: string }[] }
    expect(shards.map(({ name }) => name)).to.deep.equal(['master', 'brazil'])
  })

  it('needs the packages for telemetry where it is used, and says which', async function () {
    this.timeout(40_000)
    const failure = async (program: string): Promise<string> => {
      const args = ['--input-type=module', '-e', program]
      const error: unknown = await run(process.execPath, args, { cwd: folder }).catch(
        (reason: unknown) => reason,
      )
      return error instanceof Error ? error.message : ''
    }
    const entries = { opentelemetry: '@opentelemetry/api', prometheus: 'prom-client' }
    for (const [entry, name] of Object.entries(entries)) {
      const program = `import 'typeorm-octopus/${entry}'`
      expect(await failure(program)).to.include(`Cannot find module '${name}'`)
      const installed = join(folder, 'node_modules', name)
      await mkdir(join(installed, '..'), { recursive: true })
      await symlink(join(root, 'node_modules', name), installed)
      expect(await failure(program)).to.equal('')
    }
    const same = `
      import { createRequire } from 'node:module'
      import { octopusMetrics } from 'typeorm-octopus/prometheus'
      import { instrumentOctopus } from 'typeorm-octopus/opentelemetry'
      import dashboard from 'typeorm-octopus/grafana/octopus-dashboard.json' with { type: 'json' }
      const require = createRequire(import.meta.url)
      console.log(require('typeorm-octopus/prometheus').octopusMetrics === octopusMetrics)
      console.log(require('typeorm-octopus/opentelemetry').instrumentOctopus === instrumentOctopus)
      console.log(dashboard.title)`
    await writeFile(join(folder, 'telemetry.mjs'), same)
    const { stdout } = await run(process.execPath, ['telemetry.mjs'], { cwd: folder })
    expect(stdout.trim().split('\n')).to.deep.equal(['true', 'true', 'typeorm-octopus'])
  })
})

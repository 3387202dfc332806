import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { freePort } from '../support/cluster/free-port.js'
import { until } from '../support/until.js'
import { compiled } from '../examples/run-example.js'
import { runInProcess } from './support.js'

const dataSourceFile = (options: string, shards = '{}'): string => `
import { DataSource } from 'typeorm'
import { octopus } from '${pathToFileURL(compiled('lib/index.js')).href}'
export const db = octopus(new DataSource(${options}), { shards: ${shards} })
`

describe('octopus inspect', () => {
  let folder: string

  before(async () => {
    folder = await mkdtemp(path.join(compiled('.'), 'inspect-'))
    await writeFile(
      path.join(folder, 'db.mjs'),
      dataSourceFile(`{ type: 'sqljs' }`, '{ brazil: {} }'),
    )
    const nobody = `{ type: 'mariadb', host: '127.0.0.1', port: ${await freePort()}, username: 'app' }`
    await writeFile(path.join(folder, 'down.mjs'), dataSourceFile(nobody))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  /** Runs it until its page has answered; returns that answer too. */
  const inspectUntilAsked = async (file: string, env: Record<string, string> = {}) => {
    const port = await freePort()
    let interrupt = (): void => undefined
    const args = ['inspect', '-d', file, '--port', String(port)]
    const running = runInProcess(args, {
      cwd: folder,
      env,
      onStart: (stop) => (interrupt = stop),
    })
    const url = `http://127.0.0.1:${port}/`
    const ask = () => fetch(url).catch(() => undefined)
    const answer = await until(ask, { what: 'the page' })
    await answer.text()
    interrupt()
    return { url, status: answer.status, ...(await running), after: await ask() }
  }

  it('serves the page until it is interrupted', async () => {
    const run = await inspectUntilAsked('db.mjs')
    expect(run.stderr).to.equal('')
    expect(run.stdout).to.equal(`Inspector: ${run.url} (Ctrl+C ends it)\n`)
    expect([run.status, run.code, run.after]).to.deep.equal([200, 130, undefined])
  })

  it('takes a token from the environment', async () => {
    const env = { OCTOPUS_INSPECTOR_TOKEN: 'a token of enough length' }
    const run = await inspectUntilAsked('db.mjs', env)
    expect(run.status).to.equal(401)
    expect(run.stdout).not.to.include('enough')
  })

  it('serves it for a data source that cannot be initialised, too', async () => {
    const run = await inspectUntilAsked('down.mjs')
    expect([run.status, run.code]).to.deep.equal([200, 130])
    expect(run.stdout).to.include(run.url)
  })

  it('refuses what it cannot do, at once', async () => {
    const run = (...args: string[]) =>
      runInProcess(['inspect', '-d', 'db.mjs', ...args], { cwd: folder })
    const port = await run('--port', 'many')
    expect([port.code, port.stderr]).to.deep.equal([
      2,
      'error: --port many: must be a whole number from 0 to 65535.\n',
    ])
    const host = await run('--host', '0.0.0.0')
    expect(host.code).to.equal(1)
    expect(host.stderr).to.include('inspector.host').and.to.include('token')
  })
})

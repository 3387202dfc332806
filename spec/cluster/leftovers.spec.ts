import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { MariadbCluster, PostgresCluster } from '../support/cluster/index.js'
import { until } from '../support/until.js'
import { isAlive } from './support.js'

interface Started {
  readonly folder: string
  readonly pids: readonly number[]
}

const nothingIsLeftOf = ({ folder, pids }: Started): boolean =>
  !existsSync(folder) && !pids.some(isAlive)

for (const [name, engine] of Object.entries({ MariadbCluster, PostgresCluster })) {
  describe(`After a ${name}`, function () {
    this.timeout(20_000)

    it('no process and no folder is left, though a node was paused and one was killed', async () => {
      const cluster = await engine.start({ replicas: 2 })
      const started = { folder: cluster.folder, pids: cluster.nodes.flatMap((node) => node.pids) }
      expect(started.pids.filter(isAlive)).to.have.length.of.at.least(3)
      await cluster.node('s0p').pause()
      await cluster.node('s0r1').kill9()
      await cluster.stop()
      await until(() => nothingIsLeftOf(started), { what: 'the servers to be gone' })
    })

    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      it(`no process and no folder is left when its owner gets ${signal}`, async function () {
        if (signal === 'SIGKILL' && process.platform !== 'linux') this.skip() // the kernel's help
        const { owner, started } = await startInAnotherProcess(name)
        expect(started.pids.every(isAlive)).to.equal(true)
        owner.kill(signal)
        await until(() => nothingIsLeftOf(started), { what: 'the servers to be gone' })
      })
    }
  })
}

async function startInAnotherProcess(name: string) {
  const index = new URL('../support/cluster/index.js', import.meta.url).href
  const script = `
    import * as clusters from '${index}'
    const { folder, nodes } = await clusters['${name}'].start()
    console.log(JSON.stringify({ folder, pids: nodes.flatMap((node) => node.pids) }))
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(owner.stdout), 'line')) as [string]
  return { owner, started: JSON.parse(line) as Started }
}

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { until } from '../support/until.js'
import { runChild } from './children.js'
import { describeOnServers, timed, times } from './own-support.js'

const workers = 3
const maxConnections = 7
const perWorker = 2

describeOnServers('processes and threads', { shards: 2 }, (servers, engine) => {
  const source = (poolSize = 10) => ({
    type: engine,
    ...servers().node(0).connectionOptions(),
    poolSize,
  })
  const nodes = () => [servers().node(0), servers().node(1)]
  const sum = async (): Promise<number> => {
    const counts = await Promise.all(nodes().map((node) => node.connections()))
    return counts.reduce((all, count) => all + count, 0)
  }

  it('has no connection open at the fork, and divides maxConnections among the workers', async function () {
    this.timeout(40_000)
    const free = [await servers().hold(0), await servers().hold(1)]
    const seen: string[] = []
    let most = 0
    const checks: Record<string, () => Promise<void>> = {
      async warm() {
        expect(await sum(), 'connections of the parent, warm').to.equal(2)
      },
      async forked() {
        for (const node of nodes()) await servers().connected(0, node)
      },
      end: () => Promise.resolve(),
    }
    let failure: unknown
    const end = await runChild(
      'prefork.child.js',
      {
        source: source(),
        options: { maxConnections, shards: { brazil: servers().at(1) } },
        waiting: servers().waiting,
        workers,
      },
      {
        timeoutMs: 35_000,
        onMessage: (message, answer) => {
          const { at } = message as { at: string }
          seen.push(at)
          void (async () => {
            await checks[at]?.().catch((error: unknown) => (failure ??= error))
            answer('go')
            if (at !== 'forked') return
            await until(async () => (await sum()) === workers * perWorker, {
              what: 'the share of each worker',
              timeoutMs: 15_000,
            }).catch((error: unknown) => (failure ??= error))
            for (let sample = 0; sample < 50; sample += 1) most = Math.max(most, await sum())
            for (const drop of free) await drop()
          })()
        },
      },
    )
    if (failure !== undefined) throw failure as Error
    expect(seen).to.deep.equal(['warm', 'forked', 'end'])
    expect(end.messages[0]).to.include({ total: maxConnections * workers })
    expect(end.messages[2]).to.deep.equal({ at: 'end', codes: times(workers, () => 0) })
    expect(most).to.equal(workers * perWorker)
    expect(end.code).to.equal(0)
  })

  it('tells a worker the number of all, and needs no call at its start', async () => {
    const db = await servers().open()
    const hooks = db.octopus.clusterHooks({ workers: 4 })
    expect(hooks.env()).to.deep.equal({ OCTOPUS_WORKERS: '4' })
    await hooks.beforeFork()
    await servers().connected(0)
    await db.query('SELECT 1')
    for (const wrong of [0, -1, 1.5, Number.NaN])
      expect(() => db.octopus.clusterHooks({ workers: wrong })).to.throw(TypeError)
  })

  it('goes on after a sleep in which every connection was lost', async () => {
    const db = await servers().open()
    await Promise.all(times(3, () => db.query('SELECT 1')))
    await servers().node().restart()
    await db.octopus.clusterHooks({ workers: 1 }).onResume()
    expect(await timed(() => db.query('SELECT 1'))).to.be.below(2000)
  })

  it('does not touch the sockets of a process whose memory it has', async () => {
    let failure: unknown
    const counts: Record<string, number> = { before: 1, after: 2, destroyed: 1 }
    const { messages, code } = await runChild(
      'guard.child.js',
      { source: source() },
      {
        onMessage: (message, answer) => {
          const { at } = message as { at: string }
          void servers()
            .connected(counts[at] ?? -1)
            .catch((error: unknown) => (failure ??= error))
            .then(() => answer('go'))
        },
      },
    )
    if (failure !== undefined) throw failure as Error
    expect(messages).to.deep.equal([
      { at: 'before' },
      { at: 'after', pools: [1] },
      { at: 'destroyed' },
    ])
    expect(code).to.equal(0)
  })

  it('gives each thread pools of its own', async function () {
    this.timeout(30_000)
    const idSql =
      engine === 'mariadb' ? 'SELECT CONNECTION_ID() AS id' : 'SELECT pg_backend_pid() AS id'
    const db = await servers().open()
    const idOf = async (): Promise<number> =>
      Number(((await db.query(idSql)) as { id: unknown }[])[0]?.id)
    const own = await idOf()
    const threads = times(
      2,
      () =>
        new Worker(new URL('thread.child.js', import.meta.url), {
          workerData: { source: source(), idSql },
        }),
    )
    const said = await Promise.all(
      threads.map(async (thread) => ((await once(thread, 'message')) as unknown[])[0]),
    )
    const ids = (said as { id: number }[]).map(({ id }) => id)
    expect(new Set([own, ...ids]).size).to.equal(3)
    await servers().connected(3)
    await Promise.all(
      threads.map(async (thread) => {
        thread.postMessage('end')
        await once(thread, 'exit')
      }),
    )
    await servers().connected(1)
    expect(await idOf()).to.equal(own)
  })
})

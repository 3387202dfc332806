import { expect } from 'chai'
import { AcquireTimeoutError, type ConnectionProxy } from '../../lib/index.js'
import { Entry, describeOnServers, errorOf, times } from './own-support.js'

const names = ['master', 'brazil', 'canada', 'denmark', 'egypt']

/** The sockets of this process, also those that are about to be closed. */
const ownSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

describeOnServers('a limit for the whole process', { shards: 5 }, (servers) => {
  const shards = () =>
    Object.fromEntries(names.slice(1).map((name, index) => [name, servers().at(index + 1)]))
  const counts = () => Promise.all(names.map((_, index) => servers().node(index).connections()))
  const countsAre = async (expected: number[]): Promise<void> => {
    for (const [index, count] of expected.entries())
      await servers().connected(count, servers().node(index))
  }
  const on = (db: ConnectionProxy, index: number) => db.shard(names[index] ?? '').query('SELECT 1')

  it('has the idle connection closed whose pool was used least recently', async () => {
    const db = await servers().open({ maxConnections: 3, shards: shards() })
    for (const index of [0, 1, 2]) await on(db, index)
    await countsAre([1, 1, 1, 0, 0])
    await on(db, 0)
    await on(db, 3)
    await countsAre([1, 0, 1, 1, 0])
    await on(db, 4)
    await countsAre([1, 0, 0, 1, 1])
    await on(db, 1)
    await countsAre([0, 1, 0, 1, 1])
  })

  it('never has more sockets open than it may, on all servers together, under load', async function () {
    this.timeout(30_000)
    const before = ownSockets()
    const maxConnections = 4
    const db = await servers().open({ maxConnections, shards: shards() }, { poolSize: 10 })
    let most = 0
    let isOver = false
    const watch = (): void => {
      most = Math.max(most, ownSockets() - before)
      if (!isOver) setImmediate(watch)
    }
    watch()
    const results = await Promise.allSettled(
      times(200, (index) =>
        index % 3 === 0
          ? db.shard(names[index % 5] ?? '').transaction((manager) => manager.count(Entry))
          : db
              .shard(names[index % 5] ?? '')
              .getRepository(Entry)
              .find(),
      ),
    )
    isOver = true
    expect(results.filter(({ status }) => status === 'rejected')).to.deep.equal([])
    expect(most).to.be.within(2, maxConnections)
    expect((await counts()).reduce((all, count) => all + count, 0)).to.be.at.most(maxConnections)
  })

  it('holds for throw-away scopes too', async () => {
    const before = ownSockets()
    const db = await servers().open({ maxConnections: 3, shards: shards() }, { poolSize: 10 })
    let most = 0
    await db.octopus.scope(
      () =>
        Promise.all(
          times(30, async (index) => {
            await on(db, index % 5)
            most = Math.max(most, ownSockets() - before)
          }),
        ),
      { connections: 'throwaway' },
    )
    expect(most).to.be.at.most(3)
  })

  it('lets a caller give up when no connection is given back in time, with the reason', async () => {
    const db = await servers().open({ maxConnections: 1, acquireTimeoutMs: 100, shards: shards() })
    const runner = db.createQueryRunner()
    await runner.connect()
    const error = await errorOf(on(db, 1))
    expect(error).to.be.instanceOf(AcquireTimeoutError)
    expect(error.message).to.include('by the limit of 1 connections of the process')
    await runner.release()
    await on(db, 1)
    await countsAre([0, 1, 0, 0, 0])
  })
})

describeOnServers('the connection budget', { shards: 2, replicas: 1 }, (servers, engine) => {
  afterEach(() => {
    delete process.env['OCTOPUS_WORKERS']
  })
  const options = () => ({
    replicas: servers().replicasOf(0),
    shards: { brazil: { ...servers().at(1), poolSize: 5 } },
  })

  it('multiplies workers, servers and pool sizes', async () => {
    const db = await servers().open(options(), { poolSize: 8 })
    const budget = db.octopus.connectionBudget(4)
    expect(budget).to.include({ workers: 4, perProcess: 8 + 8 + 5, total: 4 * (8 + 8 + 5) })
    expect(budget.lines.slice(0, -1)).to.deep.equal([
      'master/primary 127.0.0.1: 4 × 8 = 32 connections',
      'master/replica s0r1: 4 × 8 = 32 connections',
      'brazil/primary 127.0.0.1: 4 × 5 = 20 connections',
    ])
    expect(budget.lines.at(-1)).to.match(/^4 .*up to 84 connections/)
    expect(db.octopus.connectionBudget().workers).to.equal(1)
  })

  it('knows maxConnections, and the number of workers that the primary process gave', async () => {
    process.env['OCTOPUS_WORKERS'] = '3'
    const db = await servers().open({ ...options(), maxConnections: 12 }, { poolSize: 8 })
    const { workers, perProcess, total, lines } = db.octopus.connectionBudget()
    expect({ workers, perProcess, total }).to.deep.equal({ workers: 3, perProcess: 4, total: 12 })
    expect(lines.at(-1)).to.match(/^3 .*up to 12 connections/)
  })

  it('is told at the start, in one line, and only where there are several servers', async () => {
    process.env['OCTOPUS_WORKERS'] = '4'
    await servers().open({ ...options(), maxConnections: 40 }, { poolSize: 8 })
    expect(servers().warnings.news).to.deep.equal([
      '4 workers × 3 servers: up to 40 connections, at most 40 together',
    ])
    await servers().open()
    expect(servers().warnings.news).to.have.length(1)
  })

  it('warns at the first connection if all workers come to more than the server takes', async () => {
    const limit = engine === 'mariadb' ? 300 : 200
    process.env['OCTOPUS_WORKERS'] = '100'
    const db = await servers().open(options(), { poolSize: 8 })
    const warnings = () => servers().warnings.texts.filter((text) => /workers ×/.test(text))
    expect(warnings()).to.deep.equal([
      `master/primary 127.0.0.1: 100 workers × 8 connections = 800, and the server takes ${limit}; make poolSize or the number of workers smaller.`,
    ])
    await db.query('SELECT 1')
    await db.octopus.warm(['master'])
    expect(warnings()).to.have.length(2)
  })

  it('says nothing where the server takes them all', async () => {
    await servers().open(options(), { poolSize: 8 })
    expect(servers().warnings.texts).to.deep.equal([])
  })
})

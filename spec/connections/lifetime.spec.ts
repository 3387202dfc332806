import { Socket } from 'node:net'
import { expect } from 'chai'
import { until } from '../support/until.js'
import { times } from './own-support.js'
import {
  describeOnFrailServers,
  eventsOf,
  fillPrimary,
  fillReplica,
  poolOf,
  read,
} from './support.js'

const elapsed = async (ms: number): Promise<void> => {
  const started = performance.now()
  await until(() => performance.now() - started > ms, { what: `${ms} ms to pass` })
}

describeOnFrailServers('the life of a connection', { replicas: 1 }, (servers, engine) => {
  const options = () => ({ replicas: servers().replicasOf(0) })

  it('ends idleTimeoutMs after its last use, on each server', async () => {
    const db = await servers().open({ ...options(), idleTimeoutMs: 300 }, { poolSize: 3 })
    await fillPrimary(db, 3)
    await fillReplica(db, 3)
    await servers().connected(3)
    await servers().connected(0, servers().node(), 4000)
    await servers().connected(0, servers().replica(1), 4000)
    await until(() => db.octopus.pools().every(({ idle, active }) => idle + active === 0), {
      what: 'the pools to know of it',
    })
    await db.query('SELECT 1')
    await read(db)
    await servers().connected(1)
  })

  it('is kept alive by TCP, in the pool and beside it', async () => {
    const kept: unknown[] = []
    const { setKeepAlive } = Socket.prototype
    Socket.prototype.setKeepAlive = function (this: Socket, ...settings) {
      if (this.remotePort === servers().node().port) kept.push(settings[0])
      return setKeepAlive.apply(this, settings)
    }
    servers().afterwards(() => {
      Socket.prototype.setKeepAlive = setKeepAlive
    })
    const db = await servers().open()
    expect(kept).to.deep.equal([true])
    await db.octopus.scope(() => db.query('SELECT 1'), { connections: 'throwaway' })
    expect(kept).to.deep.equal([true, true])
  })

  it('does not end while it is in use, or used often enough', async () => {
    const db = await servers().open({ idleTimeoutMs: 300 }, { poolSize: 1 })
    const runner = db.createQueryRunner()
    await runner.connect()
    const id = await servers().idOf(runner)
    await elapsed(700)
    expect(await servers().idOf(runner)).to.equal(id)
    await runner.release()
    expect(await servers().idOf(db)).to.equal(id)
  })

  it('never takes more connections than poolSize for being closed when idle', async () => {
    const db = await servers().open({ idleTimeoutMs: 300 }, { poolSize: 2 })
    let most = 0
    let isOver = false
    const work = Promise.all(times(40, () => db.query(servers().words.slow(0.01)))).finally(
      () => (isOver = true),
    )
    while (!isOver) most = Math.max(most, await servers().node().connections())
    await work
    expect(most).to.be.within(1, 2)
  })

  it('is over after maxLifetimeMs: it is replaced, and its user does not notice', async () => {
    const db = await servers().open({ maxLifetimeMs: 400 }, { poolSize: 1 })
    const first = await servers().idOf(db)
    const events = eventsOf(db)
    expect(await servers().idOf(db)).to.equal(first)
    await elapsed(450)
    expect(await servers().idOf(db)).not.to.equal(first)
    expect(events.map(({ error }) => error)).to.deep.equal([undefined, undefined])
    await servers().connected(1)
  })

  it('outlasts maxLifetimeMs while it is lent, and no longer', async () => {
    const db = await servers().open({ maxLifetimeMs: 200 }, { poolSize: 1 })
    const runner = db.createQueryRunner()
    await runner.connect()
    const id = await servers().idOf(runner)
    await elapsed(300)
    expect(await servers().idOf(runner)).to.equal(id)
    await runner.release()
    await servers().connected(0)
    expect(poolOf(db, '127.0.0.1')).to.include({ active: 0, idle: 0 })
    expect(await servers().idOf(db)).not.to.equal(id)
  })

  it('ends for all connections of a pool, not all at the same time', async function () {
    this.timeout(15_000)
    const db = await servers().open({ maxLifetimeMs: 3000 }, { poolSize: 8 })
    await fillPrimary(db, 8)
    const ids = await servers().idsOn()
    expect(ids).to.have.length(8)
    const old = new Set(ids)
    const left: number[] = []
    await until(
      async () => {
        await fillPrimary(db, 8)
        left.push((await servers().idsOn()).filter((id) => old.has(id)).length)
        return left.at(-1) === 0
      },
      { what: 'all to be replaced', timeoutMs: 4000, intervalMs: 10 },
    )
    expect(new Set(left).size, `${left.join(' ')} were left`).to.be.at.least(3)
  })

  it('is warned of where the server ends it sooner than idleTimeoutMs and verifyIdleMs know', async () => {
    const set = (seconds: number): Promise<unknown> =>
      servers()
        .node()
        .sql(
          engine === 'mariadb'
            ? `SET GLOBAL wait_timeout = ${seconds === 0 ? 28_800 : seconds}`
            : `ALTER ROLE app SET idle_session_timeout = '${seconds}s'`,
        )
    servers().afterwards(() => set(0))
    await set(7)
    const warned = async (more: object): Promise<string[]> => {
      servers().warnings.texts.length = 0
      const db = await servers().open(more)
      await db.query('SELECT 1')
      await db.destroy()
      return [...servers().warnings.texts]
    }
    const known =
      'master/primary 127.0.0.1: the server closes a connection that is idle for 7000 ms'
    expect(await warned({ idleTimeoutMs: 7000, verifyIdleMs: 6999 })).to.deep.equal([
      `${known}, and idleTimeoutMs is 7000; make it shorter than that.`,
    ])
    expect(await warned({ verifyIdleMs: 7000 })).to.deep.equal([
      `${known}, and verifyIdleMs is 7000; make it shorter than that.`,
    ])
    expect(await warned({ idleTimeoutMs: 6999, verifyIdleMs: 6999 })).to.deep.equal([])
    expect(await warned({ verify: 'always' })).to.deep.equal([])
  })
})

import { expect } from 'chai'
import { type RouteEvent, ScopeEndedError } from '../../lib/index.js'
import { until } from '../support/until.js'
import { Balancer } from './balancer.js'
import { Entry, describeOnServers, errorOf, later, outcomeOf, timed, times } from './own-support.js'

const throwaway = { connections: 'throwaway' } as const

describeOnServers('throw-away scopes', { shards: 2, generalLog: true }, (servers) => {
  it('opens a connection for each of 10 queries that nobody awaits, and closes all at the end', async () => {
    const db = await servers().open({}, { poolSize: 15 })
    await db.octopus.disconnectAll()
    const free = await servers().hold()
    let outcomes: Promise<unknown>[] = []
    const ended = db.octopus.scope(async () => {
      outcomes = times(10, () => outcomeOf(db.query(servers().waiting)))
      await Promise.resolve()
    }, throwaway)
    await servers().connected(10)
    await free()
    await ended
    expect(await Promise.all(outcomes)).to.satisfy((all: { error?: unknown }[]) =>
      all.every(({ error }) => error === undefined),
    )
    await servers().connected(0)
  })

  it('closes them when the work throws, and throws what it threw', async () => {
    const db = await servers().open({}, { poolSize: 15 })
    await db.octopus.disconnectAll()
    const failure = new Error('the handler failed')
    const free = await servers().hold()
    const ended = errorOf(
      db.octopus.scope(async () => {
        for (let query = 0; query < 10; query += 1) void outcomeOf(db.query(servers().waiting))
        await Promise.resolve()
        throw failure
      }, throwaway),
    )
    await servers().connected(10)
    await free()
    expect(await ended).to.equal(failure)
    await servers().connected(0)
  })

  it('closes its own connections only, and leaves those of a scope beside it and the pool’s', async () => {
    const db = await servers().open()
    await db.query('SELECT 1')
    await servers().connected(1)
    const first = later()
    const second = later()
    const work = (end: Promise<void>) => async () => {
      await db.query('SELECT 1')
      await end
      return db.query('SELECT 2 AS two')
    }
    const one = db.octopus.scope(work(first.promise), throwaway)
    const other = db.octopus.scope(work(second.promise), throwaway)
    await servers().connected(3)
    first.resolve()
    await one
    await servers().connected(2)
    second.resolve()
    expect(Number(((await other) as { two: unknown }[])[0]?.two)).to.equal(2)
    await servers().connected(1)
  })

  it('uses a connection again for what comes one after the other', async () => {
    const db = await servers().open()
    await db.octopus.disconnectAll()
    await db.octopus.scope(async () => {
      for (let query = 0; query < 5; query += 1) await db.query('SELECT 1')
      await servers().connected(1)
      await db.getRepository(Entry).find()
      await servers().connected(1)
    }, throwaway)
    await servers().connected(0)
  })

  it('owns the connections of scopes inside it, on every shard', async () => {
    const db = await servers().open({ shards: { brazil: servers().at(1) } })
    await db.octopus.disconnectAll()
    await db.octopus.scope(async () => {
      await db.query('SELECT 1')
      await db.using('brazil', () => db.getRepository(Entry).find())
      await db.shard('brazil').query('SELECT 1')
      await servers().connected(1)
      await servers().connected(1, servers().node(1))
    }, throwaway)
    await servers().connected(0)
    await servers().connected(0, servers().node(1))
  })

  it('refuses work that comes after its end, and tells the trace', async () => {
    const db = await servers().open()
    const events: RouteEvent[] = []
    db.octopus.onRoute((event) => events.push(event))
    const ended = later()
    let late: Promise<Error> | undefined
    await db.octopus.scope(() => {
      late = ended.promise.then(() => errorOf(db.query('SELECT 1')))
      return db.query('SELECT 1')
    }, throwaway)
    ended.resolve()
    const error = await late
    expect(error).to.be.instanceOf(ScopeEndedError)
    expect(error).to.include({ code: 'scope-ended', stage: 'acquire' })
    expect(events.map(({ error }) => error?.code)).to.deep.equal([undefined, 'scope-ended'])
  })

  it('connects work that comes after its end for as long as it takes, with late: connect', async () => {
    const db = await servers().open()
    await db.octopus.disconnectAll()
    const ended = later()
    let late: Promise<number> | undefined
    await db.octopus.scope(
      () => {
        late = ended.promise.then(async () => {
          await db.query('SELECT 1')
          await servers().connected(0)
          return db.transaction(async (manager) => {
            const held = await servers().node().connections()
            return (await manager.count(Entry)) + held
          })
        })
        return db.query('SELECT 1')
      },
      { ...throwaway, late: 'connect' },
    )
    await servers().connected(0)
    ended.resolve()
    expect(await late, 'connections in the transaction').to.equal(1)
    await servers().connected(0)
  })

  it('refuses a timer that fires after its end', async () => {
    const db = await servers().open()
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => (end = resolve))
    let late: Promise<unknown> | undefined
    await db.octopus.scope(() => {
      late = ended
        .then(() => new Promise((resolve) => setTimeout(resolve, 1)))
        .then(() => errorOf(db.getRepository(Entry).find()))
      return db.query('SELECT 1')
    }, throwaway)
    end()
    expect(await late).to.be.instanceOf(ScopeEndedError)
  })

  it('cuts off a statement that runs longer than drainMs after its end', async () => {
    const db = await servers().open({ drainMs: 200 })
    const pooled = await servers().node().connections()
    await servers().hold()
    let running: ReturnType<typeof outcomeOf> | undefined
    const ms = await timed(() =>
      db.octopus.scope(async () => {
        running = outcomeOf(db.query(servers().waiting))
        await servers().connected(pooled + 1)
      }, throwaway),
    )
    expect(ms).to.be.within(190, 2000)
    expect((await running)?.error).to.be.instanceOf(Error)
    // The hold is still in place: the server notices a client that is gone when it may go on.
  })

  it('rolls back a transaction that is open at its end, closes its connection and tells', async () => {
    const db = await servers().open({ drainMs: 200 })
    const mark = servers().node().mark()
    await db.octopus.scope(async () => {
      const runner = db.createQueryRunner()
      await runner.startTransaction()
      await runner.manager.insert(Entry, { id: 1 })
    }, throwaway)
    const sent = await servers().node().statementsSince(mark)
    expect(sent.map(({ sql }) => sql).at(-1)).to.equal('ROLLBACK')
    expect(await db.getRepository(Entry).countBy({ id: 1 })).to.equal(0)
    expect(
      servers().warnings.texts.filter((text) => /transaction was open/.test(text)),
    ).to.have.length(1)
    await servers().connected(1)
  })

  it('keeps what a transaction committed', async () => {
    const db = await servers().open()
    await db.octopus.scope(() => db.transaction((m) => m.insert(Entry, { id: 2 })), throwaway)
    expect(await db.getRepository(Entry).countBy({ id: 2 })).to.equal(1)
    await db.getRepository(Entry).delete({ id: 2 })
  })

  it('lends no more connections than the pool may have', async () => {
    const db = await servers().open({}, { poolSize: 3 })
    await db.octopus.disconnectAll()
    const free = await servers().hold()
    const ended = db.octopus.scope(
      () => Promise.all(times(9, () => db.query(servers().waiting))),
      throwaway,
    )
    await until(() => db.octopus.pools()[0]?.waiting === 6, { what: '6 waiters' })
    await servers().connected(3)
    await free()
    await ended
    await servers().connected(0)
  })

  it('ends with a value that is no promise', async () => {
    const db = await servers().open()
    await db.octopus.disconnectAll()
    let query: ReturnType<typeof outcomeOf> | undefined
    const value = db.octopus.scope(() => {
      query = outcomeOf(db.query('SELECT 1'))
      return 'at once'
    }, throwaway)
    expect(value).to.equal('at once')
    expect((await query)?.error).to.equal(undefined)
    await servers().connected(0)
  })
})

describeOnServers('a shard with throw-away connections', { shards: 2 }, (servers, engine) => {
  const portSql =
    engine === 'mariadb' ? 'SELECT @@port AS port' : 'SELECT inet_server_port() AS port'

  it('connects for each statement outside scopes, and keeps nothing', async () => {
    const db = await servers().open({ shards: { brazil: { ...servers().at(1), ...throwaway } } })
    const brazil = db.shard('brazil')
    const node = servers().node(1)
    const connectionSql =
      engine === 'mariadb' ? 'SELECT CONNECTION_ID() AS id' : 'SELECT pg_backend_pid() AS id'
    const idOf = async (): Promise<unknown> =>
      ((await brazil.query(connectionSql)) as { id: unknown }[])[0]?.id
    await idOf()
    await servers().connected(0, node)
    const ids = [await idOf(), await idOf(), await idOf()]
    expect(new Set(ids).size).to.equal(3)
    await servers().connected(0, node)
  })

  it('keeps a transaction on one connection', async () => {
    const db = await servers().open({ shards: { brazil: { ...servers().at(1), ...throwaway } } })
    await db.shard('brazil').transaction(async (manager) => {
      await manager.insert(Entry, { id: 5 })
      expect(await manager.countBy(Entry, { id: 5 })).to.equal(1)
      await manager.delete(Entry, { id: 5 })
    })
  })

  it('spreads new connections over the servers behind a balancer', async () => {
    const balancer = await Balancer.start([servers().at(0), servers().at(1)])
    try {
      const db = await servers().open({
        shards: { spread: { host: balancer.host, port: balancer.port, ...throwaway } },
      })
      const ports: number[] = []
      for (let query = 0; query < 10; query += 1) {
        const rows = (await db.shard('spread').query(portSql)) as { port: unknown }[]
        ports.push(Number(rows[0]?.port))
      }
      for (const index of [0, 1])
        expect(ports.filter((port) => port === servers().at(index).port)).to.have.length(5)
    } finally {
      balancer.stop()
    }
  })

  it('spreads the connections of scopes too', async () => {
    const balancer = await Balancer.start([servers().at(0), servers().at(1)])
    try {
      const db = await servers().open({
        shards: { spread: { host: balancer.host, port: balancer.port } },
      })
      const seen = new Set<number>()
      for (let request = 0; request < 4; request += 1)
        await db.octopus.scope(async () => {
          const rows = (await db.shard('spread').query(portSql)) as { port: unknown }[]
          seen.add(Number(rows[0]?.port))
        }, throwaway)
      expect([...seen]).to.have.members([servers().at(0).port, servers().at(1).port])
    } finally {
      balancer.stop()
    }
  })
})

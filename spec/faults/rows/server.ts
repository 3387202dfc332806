import { expect } from 'chai'
import { until } from '../../support/until.js'
import type { Fault } from '../fault.js'
import { type Stage, limits } from '../stage.js'
import { read, readSlowly, tag, write } from '../words.js'
import type { FaultWorld, ServerName } from '../world.js'
import { lost, unknown } from './killed.js'

const southern = /^south/

/** SQL for one engine or the other, as administrator of a server. */
const asAdmin = (
  world: FaultWorld,
  name: ServerName,
  sql: Readonly<Record<FaultWorld['engine'], string>>,
): Promise<unknown> => world.sql(name, sql[world.engine])

/** Ends all connections of the application to a server. */
const killConnections = async (world: FaultWorld, name: ServerName): Promise<void> => {
  if (world.engine === 'postgres') {
    await world.sql(
      name,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'`,
    )
    return
  }
  const found = await world.sql(
    name,
    `SELECT id FROM information_schema.processlist WHERE user = 'app'`,
  )
  for (const { id } of found) await world.sql(name, `KILL ${Number(id)}`).catch(() => undefined) // gone meanwhile
}

const allServers = ['north', 'north-1', 'north-2', 'south'] as const

/** A role's settings reach PostgreSQL's standbys by themselves. */
const idleTimeout = async (world: FaultWorld, seconds: number): Promise<void> => {
  for (const name of world.engine === 'mariadb' ? allServers : (['north', 'south'] as const))
    await asAdmin(world, name, {
      mariadb: `SET GLOBAL wait_timeout = ${seconds}`,
      postgres: `ALTER ROLE app SET idle_session_timeout = '${seconds}s'`,
    })
  await world.cluster.waitUntilCaughtUp(world.cluster.shard(0))
}

const connectionsOf = async (world: FaultWorld): Promise<number> => {
  const counts = await Promise.all(allServers.map((name) => world.servers[name].node.connections()))
  return counts.reduce((sum, each) => sum + each, 0)
}

const call = (stage: Stage, work: () => Promise<unknown>): Promise<boolean> =>
  stage.call({ caller: 'south unit', shard: 'south', kind: 'other' }, work)

export const server: readonly Fault[] = [
  {
    title: 'idle connections closed by the server',
    boundMs: limits.acquireTimeoutMs,
    async run(stage) {
      await idleTimeout(stage.world, 1)
      await stage.load()
      await stage.rest()
      await stage.inject(() =>
        until(async () => (await connectionsOf(stage.world)) === 0, {
          what: 'the servers to close what is idle',
          intervalMs: 50,
        }),
      )
      stage.wake()
      await stage.lasts()
      await stage.heal(() => undefined)
    },
    restore: (world) => idleTimeout(world, 28_800),
  },
  {
    title: 'connections killed on the server',
    boundMs: limits.acquireTimeoutMs,
    // Who writes then, once. A read may be on its second connection.
    errors: { atMost: 12, like: new RegExp(`^(?:${lost}|${unknown})$`), callers: /./ },
    async run(stage) {
      await stage.load()
      await stage.inject(() =>
        Promise.all(allServers.map((name) => killConnections(stage.world, name))),
      )
      await stage.lasts()
      await stage.heal(() => undefined)
    },
  },
  {
    title: 'access denied',
    boundMs: limits.acquireTimeoutMs,
    errors: {
      atMost: 60,
      like: new RegExp(`^(?:${lost}|ConnectError access-denied (?:ER_ACCESS_DENIED_ERROR|28P01))$`),
      callers: southern,
    },
    async run(stage) {
      const admit = (isAdmitted: boolean) =>
        asAdmin(stage.world, 'south', {
          mariadb: `ALTER USER app@'%' IDENTIFIED BY '${isAdmitted ? 'app' : 'changed'}'`,
          postgres: `ALTER ROLE app PASSWORD '${isAdmitted ? 'app' : 'changed'}'`,
        })
      await stage.load()
      await stage.inject(async () => {
        await admit(false)
        await killConnections(stage.world, 'south')
      })
      await stage.lasts()
      await stage.heal(() => admit(true))
    },
  },
  {
    title: 'unknown database',
    boundMs: limits.acquireTimeoutMs,
    errors: {
      atMost: 1,
      like: /^ConnectError unknown-database (?:ER_BAD_DB_ERROR|ER_DBACCESS_DENIED_ERROR|3D000)$/,
      callers: southern,
    },
    async run(stage) {
      await stage.open({ south: { database: 'app_later' } })
      const south = stage.db.shard('south')
      const ask = () => south.query('SELECT 1')
      await stage.inject(() => call(stage, ask))
      await call(stage, () => read(stage.db, 'north'))
      await stage.heal(() => stage.world.servers.south.node.createDatabase('app_later'))
      await stage.recovers(ask)
    },
    restore: (world) => world.sql('south', 'DROP DATABASE app_later'),
  },
  {
    title: 'too many connections',
    boundMs: limits.acquireTimeoutMs + limits.queryTimeoutMs,
    errors: {
      atMost: 20,
      like: /^ConnectError too-many-connections (?:ER_CON_COUNT_ERROR|53300)$/,
      callers: southern,
    },
    async run(stage) {
      const limit = (count: number) =>
        asAdmin(stage.world, 'south', {
          mariadb: `SET GLOBAL max_connections = ${count < 0 ? 300 : count}`,
          postgres: `ALTER ROLE app CONNECTION LIMIT ${count}`,
        })
      await stage.open({ south: { poolSize: 20 } })
      const south = stage.db.shard('south')
      const ask = () => readSlowly(south, 'south', stage.engine, 0.2)
      await stage.inject(() => limit(10))
      await Promise.all(Array.from({ length: 20 }, () => call(stage, ask)))
      await stage.heal(() => limit(-1))
      await stage.recovers(() => Promise.all(Array.from({ length: 20 }, ask)))
    },
  },
  {
    title: 'pool exhausted',
    boundMs: 1000,
    errors: { atMost: 4, like: /^AcquireTimeoutError$/, callers: southern },
    async run(stage) {
      await stage.open({ south: { poolSize: 2, acquireTimeoutMs: 300 } })
      const south = stage.db.shard('south')
      const holders = [south.createQueryRunner(), south.createQueryRunner()]
      await Promise.all(holders.map((holder) => holder.startTransaction()))
      await stage.inject(() =>
        Promise.all(Array.from({ length: 4 }, () => call(stage, () => write(south, 'south')))),
      )
      await call(stage, () => write(stage.db, 'north'))
      await stage.heal(async () => {
        await Promise.all(holders.map((holder) => holder.commitTransaction()))
        await Promise.all(holders.map((holder) => holder.release()))
      })
      await stage.recovers(() => write(south, 'south'))
    },
  },
  {
    title: 'lock wait',
    boundMs: 2000,
    errors: {
      atMost: 1,
      like: /^QueryFailedError (?:ER_LOCK_WAIT_TIMEOUT|55P03)$/,
      callers: southern,
    },
    async run(stage) {
      await stage.open({ octopus: { queryTimeoutMs: 3000 } })
      const south = stage.db.shard('south')
      const update = `/* ${tag('south')} */ UPDATE entry SET text = 'locked' WHERE id = 'south'`
      const holder = south.createQueryRunner()
      await holder.startTransaction()
      await holder.query(update)
      await stage.inject(() => call(stage, () => south.query(update)))
      const { accepted } = stage.world.servers.south.proxy
      await stage.heal(() => holder.rollbackTransaction())
      await holder.release()
      await stage.recovers(() => south.query(update))
      expect(stage.world.servers.south.proxy.accepted, 'connections').to.equal(accepted)
    },
  },
  {
    title: 'deadlock',
    boundMs: 2000,
    errors: { atMost: 1, like: /^QueryFailedError (?:ER_LOCK_DEADLOCK|40P01)$/, callers: southern },
    async run(stage) {
      await stage.open({ octopus: { queryTimeoutMs: 3000 } })
      const south = stage.db.shard('south')
      for (const id of ['one', 'two'])
        await south.query(
          `/* ${tag('south')} */ INSERT INTO entry (id, shard, text) VALUES ('${id}', 'south', '')`,
        )
      const update = (id: string) =>
        `/* ${tag('south')} */ UPDATE entry SET text = 'x' WHERE id = '${id}'`
      let arrived = 0
      const inOrder = (...ids: readonly [string, string]) =>
        call(stage, () =>
          south.transaction(async (manager) => {
            await manager.query(update(ids[0]))
            arrived += 1
            await until(() => arrived === 2, { what: 'both to hold a row' })
            await manager.query(update(ids[1]))
          }),
        )
      await stage.inject(() => Promise.all([inOrder('one', 'two'), inOrder('two', 'one')]))
      const { accepted } = stage.world.servers.south.proxy
      await stage.heal(() => undefined)
      await stage.recovers(() => south.query(update('one')))
      expect(stage.world.servers.south.proxy.accepted, 'connections').to.equal(accepted)
    },
    restore: (world) => world.sql('south', `DELETE FROM entry WHERE id IN ('one', 'two')`),
  },
  {
    title: 'statement timeout of the server',
    boundMs: 2000,
    errors: {
      atMost: 1,
      like: /^QueryFailedError (?:ER_STATEMENT_TIMEOUT|1969|57014)$/,
      callers: southern,
    },
    async run(stage) {
      await stage.open({ octopus: { queryTimeoutMs: 3000 } })
      const south = stage.db.shard('south')
      const limited = () =>
        stage.engine === 'mariadb'
          ? south.query(
              `SET STATEMENT max_statement_time = 0.2 FOR SELECT /* ${tag('south')} */ SLEEP(5)`,
            )
          : south.transaction(async (manager) => {
              await manager.query('SET LOCAL statement_timeout = 200')
              await manager.query(`SELECT /* ${tag('south')} */ pg_sleep(5)`)
            })
      await stage.inject(() => call(stage, limited))
      const { accepted } = stage.world.servers.south.proxy
      await stage.heal(() => undefined)
      await stage.recovers(() => read(south, 'south'))
      expect(stage.world.servers.south.proxy.accepted, 'connections').to.equal(accepted)
    },
  },
]

import { createHash } from 'node:crypto'
import type { QueryRunner } from 'typeorm'
import type { MigrationLockKind } from '../../errors.js'
import type { LockSeat } from '../../migrations/lock.js'
import { settlesIn } from '../../pool/leases.js'
import type { Physical } from '../physical-connections.js'
import type { Shard } from '../shard.js'

/** Sends a statement and yields its rows. */
type Send = (sql: string) => Promise<readonly Record<string, unknown>[]>

/**
 * A shard has two locks. `run` is held for the whole of a run, on a connection that does nothing else,
 * so that its loss is noticed. `work` is held by the connection that migrates: a server goes on with
 * the statement of a runner that was killed, and whoever comes next must wait for its end.
 */
const kinds = { run: 'migrations', work: 'migrating' } as const satisfies Record<
  MigrationLockKind,
  string
>

/** MySQL's limit of a lock's name, in characters. */
const longestName = 64
/** What PostgreSQL's locks of two numbers have as their first: the letters "octo", and the next. */
const lockClasses: Readonly<Record<MigrationLockKind, number>> = {
  run: 0x6f63746f,
  work: 0x6f637470,
}

/** How long a server has to take a lock back before its connection is closed, in milliseconds. It would
 *  notice that too, but later. */
const goodbyeMs = 2000

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The version table that a lock protects: where shards share a server, or are called otherwise in other
 *  programs, it is what they have in common. */
const tableOf = ({ view }: Shard): string => {
  const { migrationsTableName } = view.options
  const { database, schema } = view.driver
  const table = migrationsTableName ?? 'migrations'
  return [text(database), text(schema), table].filter((part) => part !== '').join('.')
}

const hashOf = (name: string): Buffer => createHash('sha256').update(name).digest()

/** The name of a lock: readable where it is short and plain. MySQL's are of the whole server. */
const mysqlName = (kind: MigrationLockKind, table: string): string => {
  const name = `octopus.${kinds[kind]}.${table}`
  return /^[\w.-]+$/.test(name) && name.length <= longestName
    ? name
    : `octopus.${kinds[kind]}.${hashOf(table).toString('hex').slice(0, 40)}`
}

/** One lock of a server, taken and given back by one connection. */
type ServerLock = Omit<LockSeat, 'kind' | 'leave'> & { giveBack(): Promise<unknown> }

const mysqlLock = (send: Send, kind: MigrationLockKind, table: string): ServerLock => {
  const name = mysqlName(kind, table)
  const first = async (sql: string): Promise<unknown> =>
    Object.values((await send(sql))[0] ?? {})[0]
  return {
    tryTake: async () => Number(await first(`SELECT GET_LOCK('${name}', 0) AS taken`)) === 1,
    isHeld: async () =>
      Number(await first(`SELECT IS_USED_LOCK('${name}') = CONNECTION_ID() AS held`)) === 1,
    async holder() {
      const id = Number(await first(`SELECT IS_USED_LOCK('${name}') AS id`))
      if (!(id > 0)) return undefined
      // Of other users' connections it tells only who has the PROCESS privilege.
      const [found] = await send(
        `SELECT USER AS user, HOST AS host FROM information_schema.PROCESSLIST WHERE ID = ${id}`,
      )
      const who =
        found === undefined ? '' : `, user ${text(found['user'])} at ${text(found['host'])}`
      return `connection ${id}${who} (lock ${name})`
    },
    giveBack: () => send(`DO RELEASE_LOCK('${name}')`),
  }
}

const postgresLock = (send: Send, kind: MigrationLockKind, table: string): ServerLock => {
  const key = `${lockClasses[kind]}, ${hashOf(table).readInt32BE()}`
  // A lock of two numbers has objsubid 2; there the numbers show without their sign.
  const held = `l.locktype = 'advisory' AND l.classid = ${lockClasses[kind]} AND l.objid = ${hashOf(table).readUInt32BE()} AND l.objsubid = 2 AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`
  return {
    async tryTake() {
      const [row] = await send(`SELECT pg_try_advisory_lock(${key}) AS taken`)
      return row?.['taken'] === true
    },
    async isHeld() {
      const rows = await send(`SELECT 1 FROM pg_locks l WHERE ${held} AND l.pid = pg_backend_pid()`)
      return rows.length > 0
    },
    async holder() {
      const [found] = await send(
        `SELECT l.pid AS pid, a.usename AS "user", a.application_name AS application, host(a.client_addr) AS host FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid WHERE ${held}`,
      )
      if (found === undefined) return undefined
      const { pid, user, application, host } = found
      const named = text(application) === '' ? '' : ` (${text(application)})`
      // Not told of other users' connections, and not known of those by a local socket.
      const from = text(host) === '' ? '' : ` at ${text(host)}`
      return `process ${String(pid)}, user ${text(user)}${named}${from}`
    },
    giveBack: () => send(`SELECT pg_advisory_unlock(${key})`),
  }
}

/** @param leave - is given the promise of the lock's return, and lets go of its connection */
const serverSeat = (
  shard: Shard,
  kind: MigrationLockKind,
  send: Send,
  leave: (givenBack: Promise<void>) => Promise<void>,
): LockSeat => {
  const make = shard.family === 'postgres' ? postgresLock : mysqlLock
  const { tryTake, isHeld, holder, giveBack } = make(send, kind, tableOf(shard))
  let isTaken = false
  return {
    kind,
    isHeld,
    holder,
    tryTake: async () => (isTaken = await tryTake()),
    leave: () => leave(isTaken ? quietly(giveBack()) : Promise.resolve()),
  }
}

/** A connection that is lost has no lock any more. */
const quietly = (work: Promise<unknown>): Promise<void> =>
  work.then(
    () => undefined,
    () => undefined,
  )

/** Shards that a run of this process is at. */
const busy = new WeakSet<Shard>()

/** Keeps two runs of one process apart. SQLite has no lock that outlives a transaction and ends with its
 *  process. */
const processSeat = (shard: Shard): LockSeat => {
  let isTaken = false
  return {
    kind: 'run',
    tryTake() {
      isTaken = !busy.has(shard)
      busy.add(shard)
      return Promise.resolve(isTaken)
    },
    isHeld: () => Promise.resolve(isTaken),
    holder: () => Promise.resolve('another run of this process'),
    leave() {
      if (isTaken) busy.delete(shard)
      return Promise.resolve()
    },
  }
}

/**
 * The lock of a shard's run. Opens a connection where the engine's lock is bound to one: not one of the
 * pool, where a migration that is given the last one would wait for itself.
 */
export const runSeatOf = async (shard: Shard): Promise<LockSeat> => {
  if (shard.family === 'sqlite') return processSeat(shard)
  // The connectors of servers open nothing else.
  const connection = (await shard.runtime.pools
    .poolOf(shard.topology.primary)
    .connectBeside()) as Physical
  connection.purpose = 'migration lock'
  return serverSeat(
    shard,
    'run',
    (sql) => connection.query(sql),
    async (givenBack) => {
      await settlesIn(givenBack, goodbyeMs)
      connection.close()
      await connection.closed()
    },
  )
}

/** The lock of the connection that migrates; undefined where the engine has none. */
export const workSeatOf = (shard: Shard, runner: QueryRunner): LockSeat | undefined =>
  shard.family === 'sqlite'
    ? undefined
    : serverSeat(
        shard,
        'work',
        (sql) => runner.query(sql),
        (givenBack) => givenBack,
      )

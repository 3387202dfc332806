import { expect } from 'chai'
import { CommitUnknownError } from '../../../lib/index.js'
import type { Fault } from '../fault.js'
import { limits } from '../stage.js'
import { readSlowly, transact, write, writeSlowly } from '../words.js'

/** What a statement under way sees of its server's end. */
export const lost =
  "QueryFailedError (?:PROTOCOL_CONNECTION_LOST|ECONNRESET|57P01|Connection terminated.*|Can't add new command.*)"
/** What a caller sees of a server that is not there, or that ends while it is being connected. */
export const refused =
  'ConnectError host-unreachable(?: ECONNREFUSED| ECONNRESET| PROTOCOL_CONNECTION_LOST| 57P01)?'
/** A transaction that was at its COMMIT. */
export const unknown = 'CommitUnknownError.*'

export const writers = /^north (?:write|transaction)/
const writerErrors = { like: new RegExp(`^(?:${lost}|${refused}|${unknown})$`), callers: writers }
const unit = { caller: 'unit', shard: 'north' } as const

export const killed: readonly Fault[] = [
  {
    title: 'replica killed, idle',
    boundMs: limits.acquireTimeoutMs,
    async run(stage) {
      await stage.load()
      await stage.rest()
      await stage.inject(() => stage.world.kill('north-1'))
      stage.wake()
      await stage.lasts()
      await stage.heal(() => stage.world.restart('north-1'), 'north-1')
    },
  },
  {
    title: 'replica killed, mid-query',
    boundMs: limits.acquireTimeoutMs,
    async run(stage) {
      await stage.load({ octopus: { queryTimeoutMs: 3000 } })
      const reads = Array.from({ length: 4 }, () =>
        stage.call({ ...unit, kind: 'read' }, () =>
          readSlowly(stage.db, 'north', stage.engine, 0.4),
        ),
      )
      await stage.isAt('north-1', stage.engine === 'mariadb' ? 'SLEEP' : 'pg_sleep')
      await stage.inject(() => stage.world.kill('north-1'))
      await Promise.all(reads)
      await stage.lasts()
      await stage.heal(() => stage.world.restart('north-1'), 'north-1')
    },
  },
  {
    title: 'all replicas killed',
    boundMs: limits.acquireTimeoutMs,
    // A read is retried once: who meets the second end as well is told.
    errors: { atMost: 6, like: new RegExp(`^(?:${lost})$`), callers: /^north read/ },
    async run(stage) {
      await stage.load()
      await stage.inject(() => stage.world.kill('north-1', 'north-2'))
      await stage.lasts()
      await stage.heal(() => stage.world.restart('north-1', 'north-2'), 'north-2')
    },
  },
  {
    title: 'primary killed, idle',
    boundMs: limits.acquireTimeoutMs,
    errors: { atMost: 60, ...writerErrors },
    async run(stage) {
      await stage.load()
      await stage.rest()
      await stage.inject(() => stage.world.kill('north'))
      stage.wake()
      await stage.lasts()
      await stage.heal(() => stage.world.restart('north'))
    },
  },
  {
    title: 'primary killed, mid-query',
    boundMs: limits.acquireTimeoutMs,
    errors: { atMost: 60, ...writerErrors, callers: /^(?:north (?:write|transaction)|unit)/ },
    async run(stage) {
      await stage.load({ octopus: { queryTimeoutMs: 3000 } })
      const slow = stage.call({ ...unit, kind: 'write' }, () =>
        writeSlowly(stage.db, 'north', stage.engine, 2),
      )
      await stage.isAt('north', stage.engine === 'mariadb' ? 'SLEEP' : 'pg_sleep')
      await stage.inject(() => stage.world.kill('north'))
      await slow
      await stage.lasts()
      await stage.heal(() => stage.world.restart('north'))
    },
  },
  {
    title: 'primary killed, mid-transaction',
    boundMs: limits.acquireTimeoutMs,
    errors: { atMost: 1, like: new RegExp(`^${lost}$`), callers: /^unit/ },
    async run(stage) {
      await stage.open()
      await stage.call({ ...unit, kind: 'transaction' }, () =>
        transact(stage.db, 'north', 'torn', () => stage.inject(() => stage.world.kill('north'))),
      )
      await stage.heal(() => stage.world.restart('north'))
      await stage.recovers(() => write(stage.db, 'north'))
      const torn = await stage.world.sql('north', `SELECT id FROM entry WHERE text = 'torn'`)
      expect(torn, 'rows of the transaction').to.deep.equal([])
    },
  },
  {
    title: 'primary lost after COMMIT was sent',
    boundMs: limits.acquireTimeoutMs,
    errors: { atMost: 1, like: new RegExp(`^${unknown}$`), callers: /^unit/ },
    async run(stage) {
      await stage.open()
      const { proxy } = stage.world.servers.north
      await stage.call({ ...unit, kind: 'transaction' }, () =>
        transact(stage.db, 'north', 'committed', () =>
          stage.inject(() => proxy.dropAnswerTo('COMMIT')),
        ),
      )
      await stage.heal(() => proxy.pass())
      await stage.recovers(() => write(stage.db, 'north'))
      const [call] = stage.log.calls
      expect(call?.error).to.be.instanceOf(CommitUnknownError)
      const rows = await stage.world.sql('north', `SELECT id FROM entry WHERE text = 'committed'`)
      expect(rows, 'rows of the transaction').to.have.length(2)
    },
  },
]

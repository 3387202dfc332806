import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect } from 'chai'
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm'
import type { SqljsEntityManager } from 'typeorm/entity-manager/SqljsEntityManager.js'
import {
  type ConnectionProxy,
  type OctopusOptions,
  type RouteEvent,
  octopus,
  routeChannelName,
} from '../../lib/index.js'

@Entity()
class Note {
  @PrimaryColumn() id!: number
  @Column() text!: string
}

/** A value that no event may contain unasked. */
const secret = 'secret text'

let content: Uint8Array
const opened: ConnectionProxy[] = []

const open = async (more: object = {}, settings: OctopusOptions = {}): Promise<ConnectionProxy> => {
  const source = new DataSource({ type: 'sqljs', database: content, entities: [Note], ...more })
  const replicas = [{ name: 'r1', database: content }]
  const db = octopus(source, {
    replicas,
    shards: { brazil: { database: content, replicas } },
    ...settings,
  })
  opened.push(db)
  await db.initialize()
  return db
}

/** What was told while `work` ran. */
const told = async (
  db: ConnectionProxy,
  work: () => unknown,
  options: Parameters<ConnectionProxy['octopus']['onRoute']>[1] = {},
): Promise<RouteEvent[]> => {
  const events: RouteEvent[] = []
  const stop = db.octopus.onRoute((event) => events.push(event), options)
  try {
    await work()
  } finally {
    stop()
  }
  return events
}

describe('the trace of a wrapped data source', () => {
  let db: ConnectionProxy

  before(async () => {
    const template = new DataSource({ type: 'sqljs', entities: [Note], synchronize: true })
    await template.initialize()
    await template.getRepository(Note).insert({ id: 1, text: 'first' })
    content = (template.manager as SqljsEntityManager).exportDatabase()
    await template.destroy()
    db = await open()
  })
  after(async () => {
    for (const each of opened) if (each.isInitialized) await each.destroy()
  })

  const notes = () => db.getRepository(Note)

  it('tells one event for each statement, complete and frozen', async () => {
    const [event, ...others] = await told(db, () => notes().find())
    expect(others).to.deep.equal([])
    const { at, durationMs, routeId, ...rest } = event!
    expect(routeId).to.match(/^[0-9a-f]{10}-\d+$/)
    expect(Object.isFrozen(event)).to.equal(true)
    expect(at).to.be.closeTo(Date.now(), 5000)
    expect(durationMs).to.be.at.least(0)
    expect(rest).to.deep.equal({
      version: 1,
      scopeId: undefined,
      kind: 'statement',
      shard: 'master',
      role: 'replica',
      node: 'r1',
      replicaGroup: undefined,
      reason: 'read outside a transaction',
      shardReason: 'default',
      passedOver: rest.passedOver,
      scopes: [],
      callSites: [],
      entity: 'Note',
      operation: 'select',
      statement: 'SELECT',
      inTransaction: false,
      candidates: ['r1'],
      skipped: [],
      waitedMs: 0,
      verified: false,
      retried: false,
      cached: false,
      error: undefined,
    })
    expect(rest.passedOver).to.include.members(['write', 'lock', 'no replicas'])
  })

  it('names entity, operation and statement of a save', async () => {
    const events = await told(db, () => notes().save({ id: 2, text: 'second' }))
    expect(
      events.map(({ entity, operation, statement, inTransaction }) =>
        [entity, operation, statement, inTransaction].join(' '),
      ),
    ).to.deep.equal([
      'Note save SELECT false',
      'Note save BEGIN true',
      'Note save INSERT true',
      'Note save COMMIT true',
    ])
  })

  it('tells the scopes around a statement, outermost first', async () => {
    const [event] = await told(db, () =>
      db.using('brazil', () => db.usingPrimary(() => notes().find())),
    )
    expect(event).to.deep.include({
      scopes: ['using brazil', 'usingPrimary'],
      shard: 'brazil',
      shardReason: 'scope',
      reason: 'pinned to primary',
    })
  })

  it('tells where each scope was opened, if that is asked for', async () => {
    const sited = await open({}, { trace: { callSites: true } })
    const [event] = await told(sited, () =>
      sited.using('brazil', () => sited.usingPrimary(() => sited.getRepository(Note).find())),
    )
    expect(event!.scopes).to.deep.equal(['using brazil', 'usingPrimary'])
    expect(event!.callSites).to.have.length(2)
    for (const site of event!.callSites) expect(site).to.match(/trace\.spec\.[jt]s:\d+:\d+$/)
    const inAll = await told(sited, () =>
      sited.usingAll(() => sited.getRepository(Note).count(), { concurrency: 1 }),
    )
    expect(inAll).to.have.length(2)
    for (const { callSites } of inAll) expect(callSites[0]).to.match(/trace\.spec/)
  })

  it('tells how the shard was chosen', async () => {
    const [handle] = await told(db, () => db.shard('brazil').getRepository(Note).find())
    expect(handle).to.include({ shard: 'brazil', shardReason: 'handle' })
    const note = await db.using('brazil', () => notes().findOneByOrFail({ id: 1 }))
    const [home] = await told(db, () => notes().save({ id: note.id, text: 'changed' }))
    expect(home).to.include({ shard: 'master' })
    const [, , saved] = await told(db, () => notes().save(Object.assign(note, { text: 'changed' })))
    expect(saved).to.include({ shard: 'brazil', shardReason: 'home' })
  })

  it('ends when it is told to', async () => {
    const events: RouteEvent[] = []
    const stop = db.octopus.onRoute((event) => events.push(event))
    await notes().find()
    stop()
    stop()
    await notes().find()
    expect(events).to.have.length(1)
  })

  it('holds SQL and parameters for those who asked for them only', async () => {
    const work = () => notes().findBy({ text: secret })
    const [plain] = await told(db, work)
    const [sql] = await told(db, work, { sql: true })
    const [all] = await told(db, work, { sql: true, parameters: true })
    expect(plain).to.not.have.any.keys('sql', 'parameters')
    expect(sql).to.not.have.property('parameters')
    expect(sql!.sql).to.match(/SELECT .*WHERE .*"text" = \?/s)
    expect(all!.parameters).to.deep.equal([secret])
    expect(JSON.stringify([plain, sql])).to.not.contain(secret)
  })

  it('gives each listener what it asked for itself', async () => {
    const outer: RouteEvent[] = []
    const stop = db.octopus.onRoute((event) => outer.push(event), { sql: true })
    const inner = await told(db, () => notes().find())
    stop()
    expect(outer[0]).to.have.property('sql')
    expect(inner[0]).to.not.have.property('sql')
  })

  it('tells a listener only what it asked for, and builds nothing for what it did not', async () => {
    const writes = await told(
      db,
      async () => {
        await notes().find()
        await db.using('brazil', () => notes().insert({ id: 9, text: 'nine' }))
        await notes().insert({ id: 9, text: 'nine' })
      },
      { shard: 'brazil', reason: 'write' },
    )
    expect(writes.map(({ shard, reason }) => `${shard} ${reason}`)).to.deep.equal(['brazil write'])
    expect(() => db.octopus.onRoute(() => undefined, { sample: 2 })).to.throw(TypeError)
  })

  it("calls a user's runner, the schema builder's and a migration's a bypass", async () => {
    const runner = db.createQueryRunner()
    const events = await told(db, async () => {
      await runner.query('SELECT 1')
      await db.synchronize()
    })
    await runner.release()
    expect(events).to.have.length.above(0)
    expect(new Set(events.map(({ kind }) => kind))).to.deep.equal(new Set(['bypass']))
    expect(events[0]).to.include({ reason: 'query runner', operation: 'createQueryRunner' })
  })

  it('tells a failed statement with its stage, and none of its text', async () => {
    const events = await told(db, () =>
      db.query(`SELECT '${secret}' FROM nowhere`).catch(() => undefined),
    )
    expect(events).to.have.length(1)
    expect(events[0]!.error).to.deep.include({ stage: 'query', name: 'QueryFailedError' })
    expect(JSON.stringify(events)).to.not.contain(secret)
  })

  it('is not disturbed by a listener that throws, and warns of it', async () => {
    const warning = new Promise<Error>((resolve) => {
      const hear = (error: Error): void => {
        if (error.message !== 'listener failed') return
        process.off('warning', hear)
        resolve(error)
      }
      process.on('warning', hear)
    })
    const stop = db.octopus.onRoute(() => {
      throw new Error('listener failed')
    })
    const events = await told(db, async () => {
      expect(await notes().findOneBy({ id: 1 })).to.include({ id: 1 })
    })
    stop()
    expect(events).to.have.length(1)
    expect((await warning).message).to.equal('listener failed')
  })

  it('is published on a diagnostics channel', async () => {
    const events: unknown[] = []
    const hear = (event: unknown): void => void events.push(event)
    subscribe(routeChannelName, hear)
    await notes().find()
    unsubscribe(routeChannelName, hear)
    await notes().find()
    expect(events).to.have.length(1)
    expect(events[0]).to.include({ shard: 'master', role: 'replica', node: 'r1' })
  })

  describe('withTrace', () => {
    it('returns the value of its work with the events of it, and of nothing else', async () => {
      const other = notes().find()
      const { value, events } = await db.octopus.withTrace(async () => {
        await db.using('brazil', () => notes().find())
        return notes().count()
      })
      await other
      expect(value).to.be.a('number')
      expect(events.map(({ shard, operation }) => `${shard} ${operation}`)).to.deep.equal([
        'brazil select',
        'master select',
      ])
      expect(events[0]!.scopes).to.deep.equal(['withTrace', 'using brazil'])
    })

    it('tells the one around it too, each what it asked for', async () => {
      const outer = await db.octopus.withTrace(() =>
        db.octopus.withTrace(() => notes().find(), { sql: true }),
      )
      expect(outer.events).to.have.length(1)
      expect(outer.events[0]).to.not.have.property('sql')
      expect(outer.value.events[0]).to.have.property('sql')
    })

    it('collects the statements of a transaction and of a runner made outside', async () => {
      const runner = db.createQueryRunner()
      const { events } = await db.octopus.withTrace(async () => {
        await runner.query('SELECT 1')
        await db.transaction((manager) => manager.find(Note))
      })
      await runner.release()
      expect(events.map(({ statement }) => statement).join(' ')).to.equal(
        'SELECT BEGIN SELECT COMMIT',
      )
    })

    it('ends when its work has ended, though what that started goes on', async () => {
      let goOn = (): void => undefined
      const { value, events } = await db.octopus.withTrace(async () => {
        const later = new Promise<void>((resolve) => (goOn = resolve)).then(() => notes().find())
        await notes().find()
        return { later }
      })
      goOn()
      await value.later
      expect(events).to.have.length(1)
    })

    it('takes the filters of a listener', async () => {
      const { events } = await db.octopus.withTrace(
        async () => {
          await notes().find()
          await db.query('SELECT 1')
        },
        { reason: 'raw query', sql: true },
      )
      expect(events.map(({ sql }) => sql)).to.deep.equal(['SELECT 1'])
    })

    it('passes on what its work throws', async () => {
      const failure = new Error('work failed')
      const error: unknown = await db.octopus
        .withTrace(() => Promise.reject(failure))
        .catch((reason: unknown) => reason)
      expect(error).to.equal(failure)
    })
  })

  it('tells a hit of the result cache as an event without a server', async () => {
    const cached = await open({ cache: true })
    await cached.synchronize()
    const read = () => cached.usingPrimary(() => cached.getRepository(Note).find({ cache: 60_000 }))
    await read()
    const events = await told(cached, read, { sql: true })
    expect(events.at(-1)).to.deep.include({
      cached: true,
      node: undefined,
      statement: 'SELECT',
      entity: 'Note',
    })
    const sent = events.filter((event) => !event.cached)
    expect(sent.filter(({ sql }) => sql?.includes('FROM "note"'))).to.deep.equal([])
  })

  it('builds nothing while nobody listens', async () => {
    // Every event is frozen as the last step of its making.
    const { freeze } = Object
    const frozen: object[] = []
    const count = async (work: () => unknown): Promise<number> => {
      frozen.length = 0
      Object.freeze = <T>(value: T): T => {
        if (typeof value === 'object' && value !== null && 'durationMs' in value) frozen.push(value)
        return freeze(value)
      }
      try {
        await work()
      } finally {
        Object.freeze = freeze
      }
      return frozen.length
    }
    const work = () => db.using('brazil', () => notes().find())
    expect(await count(work)).to.equal(0)
    expect(await count(() => told(db, work))).to.equal(1)
  })
})

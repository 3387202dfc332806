import { expect } from 'chai'
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm'
import {
  type ConnectionProxy,
  type RouteEvent,
  type StatementStart,
  octopus,
} from '../../lib/index.js'

@Entity()
class Note {
  @PrimaryColumn() id!: number
  @Column() text!: string
}

describe('observers of statements', () => {
  let db: ConnectionProxy
  /** What was called, in order. */
  let calls: string[]
  let starts: StatementStart[]
  let events: RouteEvent[]
  let leave: () => void

  const observe = () =>
    db.octopus.onStatement((start) => {
      starts.push(start)
      calls.push(`start ${start.statement}`)
      return {
        run(send) {
          calls.push(`send ${start.statement}`)
          return send()
        },
        settled(event) {
          events.push(event)
          calls.push(`settled ${event.statement}`)
        },
      }
    })

  before(async () => {
    const source = new DataSource({
      type: 'sqljs',
      entities: [Note],
      synchronize: true,
      cache: { duration: 60_000 },
    })
    db = octopus(source, { shards: { brazil: { synchronize: true } } })
    await db.initialize()
  })
  beforeEach(() => {
    calls = []
    starts = []
    events = []
    leave = observe()
  })
  afterEach(() => leave())
  after(() => db.destroy())

  const notes = () => db.getRepository(Note)

  it('are told before a statement is sent, send it, and hear how it ended', async () => {
    await db.using('brazil', () => notes().find())
    expect(calls).to.deep.equal(['start SELECT', 'send SELECT', 'settled SELECT'])
    const [start] = starts
    expect(Object.isFrozen(start)).to.equal(true)
    expect(start).to.include({
      kind: 'statement',
      shard: 'brazil',
      role: 'primary',
      reason: 'no replicas',
      shardReason: 'scope',
      operation: 'select',
      entity: 'Note',
      inTransaction: false,
    })
    expect(start!.sql).to.match(/^SELECT .* FROM "note"/)
    expect(events[0]).to.include({
      routeId: start!.routeId,
      scopeId: start!.scopeId,
      at: start!.at,
      shard: 'brazil',
    })
  })

  it('hear of a statement that fails', async () => {
    const error = await db.query('SELECT * FROM nowhere').catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(Error)
    expect(events.map((event) => event.error?.stage)).to.deep.equal(['query'])
  })

  it('tell the statements of one query runner from those of another', async () => {
    await db.transaction(async (manager) => {
      await manager.query('SELECT 1')
      await manager.query('SELECT 2')
    })
    await notes().find()
    const ids = events.map(({ routeId }) => routeId)
    expect(ids).to.have.length(5)
    expect(new Set(ids.slice(0, 4)).size).to.equal(1)
    expect(ids[4]).not.to.equal(ids[0])
  })

  it('tell the statements of one outermost scope from those of another, and of none', async () => {
    await db.octopus.scope(async () => {
      await notes().find()
      await db.using('brazil', () => notes().find())
    })
    await db.using('brazil', () => notes().find())
    await notes().find()
    await db.transaction((manager) => manager.query('SELECT 1'))
    const [first, second, other, ...outside] = events.map(({ scopeId }) => scopeId)
    expect(first).to.match(/^[0-9a-f]{10}-s\d+$/)
    expect(second).to.equal(first)
    expect(other)
      .to.match(/^[0-9a-f]{10}-s\d+$/)
      .and.not.to.equal(first)
    expect(outside).to.deep.equal([undefined, undefined, undefined, undefined])
  })

  it('see no sending of what the result cache answers', async () => {
    const read = () => notes().find({ cache: { id: 'all', milliseconds: 60_000 } })
    await read()
    calls = []
    await read()
    const hits = events.filter(({ cached }) => cached)
    expect(hits.map(({ node }) => node)).to.deep.equal([undefined])
    expect(calls.slice(-2)).to.deep.equal(['start SELECT', 'settled SELECT'])
  })

  it('are asked for nothing once they have left', async () => {
    leave()
    await notes().find()
    expect(calls).to.deep.equal([])
  })
})

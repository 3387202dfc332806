import { expect } from 'chai'
import { Column, DataSource, DeleteDateColumn, Entity, PrimaryColumn } from 'typeorm'
import {
  type ConnectionProxy,
  NoReplicaError,
  ReadOnlyScopeError,
  type RouteEvent,
  UnknownShardError,
  octopus,
} from '../../lib/index.js'

@Entity()
class Note {
  @PrimaryColumn() id!: number
  @Column() text!: string
  @DeleteDateColumn() deletedAt?: Date
}

describe('explain', () => {
  let db: ConnectionProxy
  let events: RouteEvent[]

  before(async () => {
    const source = new DataSource({ type: 'sqljs', entities: [Note], synchronize: true })
    db = octopus(source, {
      shards: {
        brazil: { synchronize: true, replicas: [{ name: 'r1' }, { name: 'r2', group: 'reports' }] },
      },
      trace: { callSites: true },
    })
    await db.initialize()
    db.octopus.onRoute((event) => events.push(event))
  })
  beforeEach(() => {
    events = []
  })
  after(() => db.destroy())

  const inBrazil = <T>(work: () => T): T => db.using('brazil', work)
  const notes = () => db.getRepository(Note)

  it('names the rules, why each applied or not, and the servers', () => {
    const told = inBrazil(() => db.octopus.explain(Note))
    expect(told).to.deep.include({
      operation: 'find',
      subject: 'Note',
      shard: 'brazil',
      shardReason: 'scope',
      role: 'replica',
      reason: 'read outside a transaction',
      candidates: ['r1', 'r2'],
      skipped: [],
    })
    expect(told.text).to.equal(
      'find Note → brazil/replica (r1, r2): read outside a transaction; shard by scope.',
    )
    expect(told.shardRules.at(-1)?.why).to.match(/^using brazil \(.*explain\.spec\.[jt]s:\d+:\d+\)/)
    expect(told.report.split('\n')).to.include.members([
      'Why brazil:',
      '  - handle: it was not asked of a handle, such as db.shard(name)',
      'Why replica:',
      '  - write: it is a read',
      '  → read outside a transaction: it is a read, and nothing speaks against a replica',
      'What would change it:',
      '  - would go to brazil/primary if it were inside usingPrimary',
      '  - would go to master/primary if it were inside using("master", …)',
    ])
  })

  it('tells that a write in this scope is the reason', async () => {
    await inBrazil(async () => {
      await notes().insert({ id: 1, text: 'one' })
      const told = db.octopus.explain(Note)
      expect(told.reason).to.equal('read your writes')
      expect(told.changes[0]).to.include({ role: 'replica' })
      expect(told.changes[0]?.when).to.match(
        /^brazil had not been written \d+ ms ago in this scope/,
      )
    })
  })

  for (const [title, explained, run] of [
    ['insert', () => insert(), () => insert().execute()],
    ['update', () => update(), () => update().execute()],
    ['delete', () => remove(), () => remove().execute()],
    ['softDelete', () => softDelete(), () => softDelete().execute()],
    ['select', () => select(), () => select().getMany()],
    ['select with a lock', () => select().setLock('pessimistic_read'), undefined],
  ] as const)
    it(`tells of a builder what it then does: ${title}`, async () => {
      await inBrazil(async () => {
        const told = db.octopus.explain(explained())
        if (run === undefined) {
          expect(told).to.include({ role: 'primary', reason: 'lock' })
          return
        }
        events = []
        // The replicas have no tables here; where it was sent is what counts.
        await run().catch(() => undefined)
        expect(events[0]).to.include({
          shard: told.shard,
          role: told.role,
          reason: told.reason,
          shardReason: told.shardReason,
        })
        expect(told.candidates).to.include(events[0]?.node)
        expect(told.operation).to.equal(title)
      })
    })
  const insert = () => notes().createQueryBuilder().insert().values({ id: 7, text: 'a' })
  const update = () => notes().createQueryBuilder().update().set({ text: 'b' }).where('id = 1')
  const remove = () => notes().createQueryBuilder().delete().where('id = 99')
  const softDelete = () => notes().createQueryBuilder().softDelete().where('id = 99')
  const select = () => notes().createQueryBuilder('note')

  it('tells of a builder with a query runner that this has decided', async () => {
    const runner = db.shard('brazil').createQueryRunner()
    const told = db.octopus.explain(notes().createQueryBuilder('note', runner))
    expect(told).to.include({ shard: 'brazil', shardReason: 'runner', reason: 'query runner' })
    expect(told.shardRules.map(({ rule }) => rule)).to.deep.equal(['runner'])
    await runner.release()
  })

  it('tells of SQL, by an object or by the operation', () => {
    for (const told of [
      db.octopus.explain({ sql: 'SELECT 1' }),
      db.octopus.explain('SELECT 1', 'query'),
    ])
      expect(told).to.include({ operation: 'query', subject: 'SELECT 1', reason: 'raw query' })
  })

  it('refuses SQL that may write inside usingReplica, as the query would be', () => {
    inBrazil(() =>
      db.usingReplica(() => {
        expect(db.octopus.explain({ sql: 'SELECT 1' }).role).to.equal('replica')
        for (const sql of ['UPDATE note SET id = 1', 'SELECT my_function()'])
          expect(() => db.octopus.explain({ sql })).to.throw(ReadOnlyScopeError)
        expect(() => db.octopus.explain(Note, 'insert')).to.throw(ReadOnlyScopeError)
      }),
    )
  })

  it('tells why a replica of the shard is no candidate', () => {
    const told = inBrazil(() =>
      db.usingReplica({ group: 'reports' }, () => db.octopus.explain(Note)),
    )
    expect(told).to.deep.include({ candidates: ['r2'], replicaGroup: 'reports' })
    expect(told.skipped).to.deep.equal([
      { node: 'r1', why: 'it is not in replica group "reports"' },
    ])
    expect(told.report).to.contain('Not among the servers:\n  - r1: it is not in replica group')
  })

  it('tells it for the handle of another shard', () => {
    const told = db.octopus.explain(Note, 'find', { shard: 'brazil' })
    expect(told).to.include({ shard: 'brazil', shardReason: 'handle' })
    expect(() => db.octopus.explain(Note, 'find', { shard: 'chile' })).to.throw(UnknownShardError)
  })

  it('takes the name of an entity for an entity', () => {
    expect(db.octopus.explain('Note')).to.include({ subject: 'Note', operation: 'find' })
  })

  it('throws what the operation would where no replica may be replaced', () => {
    const strict = octopus(new DataSource({ type: 'sqljs', entities: [Note] }), {
      onNoReplica: 'error',
    })
    expect(() => strict.usingReplica(() => strict.octopus.explain(Note))).to.throw(NoReplicaError)
  })

  it('sends nothing', () => {
    inBrazil(() => db.octopus.explain(Note))
    db.octopus.explainScope()
    expect(events).to.deep.equal([])
  })

  describe('explainScope', () => {
    it('tells where the scopes were opened, what they pin and what was written', async () => {
      await db.octopus.scope(() =>
        inBrazil(async () => {
          await notes().insert({ id: 2, text: 'two' })
          db.usingReplica({ group: 'reports' }, () => {
            const told = db.octopus.explainScope()
            expect(told.scopes.map(({ label }) => label)).to.deep.equal([
              'scope',
              'using brazil',
              'usingReplica reports',
            ])
            for (const { callSite } of told.scopes) expect(callSite).to.match(/explain\.spec/)
            expect(told).to.include({
              shard: 'brazil',
              shardReason: 'scope',
              role: 'replica',
              replicaGroup: 'reports',
              connections: 'pooled',
            })
            expect(told.writes.map(({ shard }) => shard)).to.deep.equal(['brazil'])
            expect(told.writes[0]!.agoMs + told.writes[0]!.forMs).to.be.closeTo(5000, 1)
            expect(told.text).to.match(
              /on brazil, by scope; pinned to replica of group "reports"; wrote brazil \d+ ms ago: its reads/,
            )
            expect(told.scopeId).to.be.a('string')
          })
        }),
      )
    })

    it('tells of a scope with connections of its own', async () => {
      await db.octopus.scope(
        () => {
          expect(db.octopus.explainScope().connections).to.equal('throwaway')
          return Promise.resolve()
        },
        { connections: 'throwaway' },
      )
    })

    it('tells that there is none', () => {
      expect(db.octopus.explainScope()).to.deep.equal({
        scopeId: undefined,
        scopes: [],
        shard: 'master',
        shardReason: 'default',
        role: undefined,
        replicaGroup: undefined,
        writes: [],
        connections: 'pooled',
        text: 'outside every scope: on master, by default; no role is pinned',
      })
    })
  })
})

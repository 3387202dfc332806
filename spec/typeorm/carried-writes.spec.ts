import { inspect } from 'node:util'
import { expect } from 'chai'
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm'
import {
  type ConnectionProxy,
  type OctopusOptions,
  type RouteEvent,
  WritesTokenError,
  octopus,
} from '../../lib/index.js'
import { type Cluster, MariadbCluster, PostgresCluster } from '../support/cluster/index.js'
import { until } from '../support/until.js'

@Entity()
class Message {
  @PrimaryColumn({ type: Number }) id!: number
  @Column({ type: String }) text!: string
}

const secret = 'a secret of thirty-two characters'
let lastId = 0
const message = () => ({ id: (lastId += 1), text: 'x' })

for (const [engine, clusters] of [
  ['MariaDB', MariadbCluster],
  ['PostgreSQL', PostgresCluster],
] as const)
  describe(`writes that are carried to another process, on ${engine}`, function () {
    this.timeout(30_000)
    let cluster: Cluster
    const opened: ConnectionProxy[] = []
    /** Two processes of one application: what they share is the servers and the secret. */
    let one: ConnectionProxy
    let other: ConnectionProxy

    /** A process; its replica stands still. */
    const open = async (
      readYourWrites: OctopusOptions['readYourWrites'] = { secret },
    ): Promise<ConnectionProxy> => {
      const { primary, replicas } = cluster.shard(0)
      const source = new DataSource({
        type: engine === 'MariaDB' ? 'mariadb' : 'postgres',
        ...primary.connectionOptions(),
        entities: [Message],
      })
      const db = octopus(source, {
        replicas: replicas.map(({ host, port }) => ({ name: 'replica', host, port })),
        readYourWrites,
      })
      opened.push(db)
      await db.initialize()
      return db
    }
    const sees = (db: ConnectionProxy, id: number): Promise<boolean> =>
      db.getRepository(Message).existsBy({ id })
    /** A request that writes: the row's id, and the token that it leaves. */
    const write = (db: ConnectionProxy): Promise<{ id: number; writes: string | undefined }> =>
      db.octopus.scope(async () => {
        const row = message()
        await db.getRepository(Message).insert(row)
        return { id: row.id, writes: db.octopus.exportWrites() }
      })

    before(async () => {
      cluster = await clusters.start({ shards: 1, replicas: 1 })
      one = await open()
      await one.synchronize()
      await cluster.waitUntilCaughtUp(cluster.shard(0))
      await cluster.freezeReplication(cluster.node('s0r1'))
      other = await open()
    })
    after(async () => {
      for (const db of opened) {
        expect(db.octopus.pools().filter(({ active }) => active > 0)).to.deep.equal([])
        await db.destroy()
      }
      await cluster?.stop()
    })

    it('are seen there with the token, and not without it', async () => {
      const { id, writes } = await write(one)
      expect(writes).to.be.a('string').with.length.below(200)
      const events: RouteEvent[] = []
      const stop = other.octopus.onRoute((event) => events.push(event))
      expect(await other.octopus.scope(() => sees(other, id), { writes })).to.equal(true)
      expect(await other.octopus.scope(() => sees(other, id))).to.equal(false)
      expect(await sees(other, id)).to.equal(false)
      stop()
      expect(events.map(({ role, reason }) => [role, reason])).to.deep.equal([
        ['primary', 'read your writes'],
        ['replica', 'read outside a transaction'],
        ['replica', 'read outside a transaction'],
      ])
    })

    it('are seen by a job that was queued as JSON', async () => {
      const { id, job } = await one.octopus.scope(async () => {
        const row = message()
        await one.getRepository(Message).save(row)
        return {
          id: row.id,
          job: JSON.stringify({ id: row.id, writes: one.octopus.exportWrites() }),
        }
      })
      const { writes } = JSON.parse(job) as { writes?: string }
      expect(await other.octopus.scope(() => sees(other, id), { writes })).to.equal(true)
      const none = one.octopus.scope(() => JSON.stringify({ writes: one.octopus.exportWrites() }))
      expect(none).to.equal('{}')
    })

    it('are told from the commit of a transaction on', async () => {
      const { octopus: control } = one
      const row = message()
      const [inside, after] = await control.scope(async () => {
        const open = await one.transaction(async (manager) => {
          await manager.insert(Message, row)
          return control.exportWrites()
        })
        return [open, control.exportWrites()]
      })
      expect(inside).to.equal(undefined)
      expect(await other.octopus.scope(() => sees(other, row.id), { writes: after })).to.equal(true)
      const rolledBack = await control.scope(async () => {
        const failure = new Error('no')
        const work = one.transaction(async (manager) => {
          await manager.insert(Message, message())
          throw failure
        })
        expect(await work.catch((error: unknown) => error)).to.equal(failure)
        return control.exportWrites()
      })
      expect(rolledBack).to.equal(undefined)
    })

    it('are forgotten there after the window', async () => {
      const settings = { secret, windowMs: 1000 }
      const [first, second] = [await open(settings), await open(settings)]
      const { id, writes } = await write(first)
      await second.octopus.scope(
        async () => {
          expect(await sees(second, id)).to.equal(true)
          await until(async () => !(await sees(second, id)), {
            what: 'the replica, which lacks the row, to be read',
          })
        },
        { writes },
      )
      await until(() => Date.now() - 1000 > tellsOf(writes), { what: 'the window to end' })
      expect(() => second.octopus.scope(() => 1, { writes }))
        .to.throw(WritesTokenError)
        .with.property('failure', 'expired')
    })
  })

describe('the secret that signs writes', () => {
  it('is shown by nothing that hangs on the data source, nor by the trace', async () => {
    const source = new DataSource({ type: 'sqljs', entities: [Message], synchronize: true })
    const db = octopus(source, { readYourWrites: { secret, windowMs: 4321 } })
    await db.initialize()
    const { events } = await db.octopus.withTrace(
      () =>
        db.octopus.scope(async () => {
          await db.getRepository(Message).insert(message())
          return db.octopus.scope(() => 1, { writes: db.octopus.exportWrites() })
        }),
      { sql: true, parameters: true },
    )
    await db.destroy()
    const all = inspect([db, db.octopus, events], { depth: 6, showHidden: true })
    expect(all).to.contain('readYourWritesMs: 4321').and.to.contain('INSERT INTO')
    expect(all).to.not.contain(secret)
  })
})

/** When the one write that a token tells of was. */
const tellsOf = (token = ''): number => {
  const text = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()
  const { w } = JSON.parse(text) as { w: Record<string, number> }
  return Math.max(...Object.values(w))
}

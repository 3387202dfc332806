import { expect } from 'chai'
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
import { type ConnectionProxy, ReadOnlyScopeError, octopus } from '../../lib/index.js'
import { type Cluster, MariadbCluster, PostgresCluster } from '../support/cluster/index.js'

@Entity()
class Remark {
  @PrimaryGeneratedColumn() id!: number
  @Column() text!: string
}

for (const [type, Servers] of [
  ['mariadb', MariadbCluster],
  ['postgres', PostgresCluster],
] as const)
  describe(`comments in statements on ${type}`, function () {
    this.timeout(60_000)
    let cluster: Cluster
    let db: ConnectionProxy

    before(async () => {
      cluster = await Servers.start({ shards: 1, replicas: 1 })
      const { primary, replicas } = cluster.shard(0)
      const source = new DataSource({
        type,
        ...primary.connectionOptions(),
        entities: [Remark],
        synchronize: true,
        cache: { duration: 60_000 },
      })
      db = octopus(source, {
        defaultShard: 'brazil:são',
        replicas: replicas.map((node) => node.connectionOptions()),
        sqlComments: ['shard', 'role', 'reason', 'routeId'],
      })
      await db.initialize()
      await cluster.waitUntilCaughtUp(cluster.shard(0))
      await db.octopus.warm(['brazil:são'])
    })
    after(async () => {
      await db?.destroy()
      await cluster?.stop()
    })

    const logged = async (node: 'primary' | 'replica', work: () => unknown): Promise<string[]> => {
      const server = node === 'primary' ? cluster.shard(0).primary : cluster.shard(0).replicas[0]!
      const mark = server.mark()
      await work()
      return (await server.statementsSince(mark)).map(({ sql }) => sql)
    }
    const tags = (sql: string) =>
      / \/\*(.*)\*\/$/.exec(sql)?.[1]?.replace(/routeId='[^']*'/, "routeId='…'")
    const remarks = () => db.getRepository(Remark)
    const shard = "shard='brazil%3As%C3%A3o'"

    it('are in the log of the server that was read', async () => {
      const read = await logged('replica', () => remarks().findBy({ text: "it's ? :x $1" }))
      expect(read.map(tags)).to.deep.equal([
        `reason='read%20outside%20a%20transaction',role='replica',routeId='…',${shard}`,
      ])
    })

    it('leave a save, its transaction and its generated id as they are', async () => {
      let saved: Remark | undefined
      const sent = await logged('primary', async () => {
        saved = await remarks().save({ text: 'what? :not $1 a -- placeholder' })
      })
      expect(saved?.id).to.be.a('number')
      expect(sent.map((sql) => sql.split(' ')[0])).to.deep.equal(['START', 'INSERT', 'COMMIT'])
      for (const sql of sent)
        expect(tags(sql)).to.equal(`reason='write',role='primary',routeId='…',${shard}`)
      const found = await db.usingPrimary(() => remarks().findOneByOrFail({ id: saved!.id }))
      expect(found.text).to.equal('what? :not $1 a -- placeholder')
    })

    it('leave the proof that SQL reads only, and the transaction of a replica', async () => {
      const sent = await logged('replica', () =>
        db.usingReplica(async () => {
          await db.query('SELECT 1 AS one;')
          await db.transaction((manager) => manager.query('SELECT 2 AS two -- why'))
          const refused = await db.query('DELETE FROM remark').catch((error: unknown) => error)
          expect(refused).to.be.instanceOf(ReadOnlyScopeError)
        }),
      )
      expect(sent.map((sql) => sql.replace(/\s*\/\*.*\*\//s, '').replace(/;$/, ''))).to.deep.equal([
        'SELECT 1 AS one',
        'START TRANSACTION READ ONLY',
        'SELECT 2 AS two -- why',
        'COMMIT',
      ])
      for (const sql of sent) expect(sql).to.contain("role='replica'")
    })

    it('are no part of a key of the result cache', async () => {
      const read = () => remarks().find({ where: { text: 'cached' }, cache: true })
      await read()
      // The cache's table is in the database, and this is read on the replica.
      await cluster.waitUntilCaughtUp(cluster.shard(0))
      const { events } = await db.octopus.withTrace(read)
      expect(events.some(({ cached }) => cached)).to.equal(true)
    })

    it('are in streams, which yield what they would', async () => {
      const sent = await logged('replica', async () => {
        const stream = await remarks().createQueryBuilder('r').select('COUNT(*)', 'n').stream()
        expect(await stream.toArray()).to.have.length(1)
      })
      expect(tags(sent[0]!)).to.contain("role='replica'")
    })
  })

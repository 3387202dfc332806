import { expect } from 'chai'
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm'
import { type ConnectionProxy, octopus } from '../../lib/index.js'
import {
  type Cluster,
  type ClusterShard,
  MariadbCluster,
  statementsDuring,
} from '../support/cluster/index.js'
import { ServerEndpoint } from '../support/engines/server-endpoint.js'
import { EventAudit } from '../support/event-audit.js'
import { until } from '../support/until.js'

@Entity()
class Mark {
  @PrimaryColumn() id!: number
  @Column() shard!: string
}

const names = ['master', 'brazil', 'canada'] as const
const tasks = 10_000
const inFlight = 240
const poolSize = 8

/** A small generator of its own, so that a run can be repeated (mulberry32). */
const randomFrom = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

describe('10,000 interleaved tasks over three shards with two replicas each', () => {
  let cluster: Cluster
  let db: ConnectionProxy
  let audit: EventAudit

  before(async function () {
    this.timeout(60_000)
    cluster = await MariadbCluster.start({ shards: 3, replicas: 2 })
    const server = ({ primary, replicas }: ClusterShard) => ({
      ...primary.connectionOptions(),
      replicas: replicas.map((replica) => ({
        name: replica.name,
        host: replica.host,
        port: replica.port,
      })),
    })
    const [main, brazil, canada] = cluster.shards.map(server)
    const { replicas, ...connection } = main!
    db = octopus(new DataSource({ type: 'mariadb', ...connection, poolSize, entities: [Mark] }), {
      replicas,
      shards: { brazil: brazil!, canada: canada! },
    })
    const servers = cluster.nodes.map((node) => new ServerEndpoint(node.name, node))
    audit = new EventAudit(servers, ({ shard, node = '' }) =>
      cluster.nodes.some(({ name }) => name === node)
        ? node
        : cluster.shard(names.indexOf(shard as (typeof names)[number])).primary.name,
    )
    audit.follow(db)
    await db.initialize()
    await db.usingAll(() => db.synchronize())
    for (const shard of cluster.shards) await cluster.waitUntilCaughtUp(shard)
  })

  after(async function () {
    this.timeout(60_000)
    if (db?.isInitialized) {
      expect(db.octopus.pools().filter(({ active }) => active > 0)).to.deep.equal([])
      await db.destroy()
    }
    for (const node of cluster?.nodes ?? [])
      await until(async () => (await node.connections()) === 0, {
        what: `no socket at ${node.name}`,
      })
    if (audit !== undefined) expect(await audit.differences()).to.deep.equal([])
    await cluster?.stop()
  })

  it('never mixes shards, writes on no replica, and spreads the reads evenly', async function () {
    this.timeout(180_000)
    const seed = Number(process.env['OCTOPUS_SPEC_SEED'] ?? Date.now() % 2 ** 31)
    const random = randomFrom(seed)
    const marks = db.getRepository(Mark)
    const expected = new Map<string, number>(names.map((name) => [name, 0]))
    const faults: string[] = []
    let running = 0
    let most = 0

    const task = async (id: number): Promise<void> => {
      const shard = names[Math.floor(random() * names.length)]!
      expected.set(shard, expected.get(shard)! + 1)
      running += 1
      most = Math.max(most, running)
      await db.using(shard, async () => {
        const [seen] = await marks.find({ order: { id: 'DESC' }, take: 1 })
        if (seen !== undefined && seen.shard !== shard)
          faults.push(`${id}: ${shard} saw ${seen.shard}`)
        await marks.insert({ id, shard })
        const own = await marks.findOneBy({ id })
        if (own?.shard !== shard) faults.push(`${id}: ${shard} did not find its row`)
      })
      running -= 1
    }
    const run = async (): Promise<void> => {
      let next = 0
      const worker = async (): Promise<void> => {
        while (next < tasks) {
          next += 1
          await task(next)
        }
      }
      await Promise.all(Array.from({ length: inFlight }, worker))
    }

    const statements = await statementsDuring(cluster, run)
    const seeded = `seed ${seed}`
    expect(faults, seeded).to.deep.equal([])
    expect(most, seeded).to.be.at.least(200)

    for (const [index, name] of names.entries()) {
      const { primary, replicas } = cluster.shard(index)
      const rows = await primary.sql<{ shard: string; n: number }>(
        'SELECT shard, COUNT(*) AS n FROM app.mark GROUP BY shard',
      )
      expect(
        rows.map(({ shard, n }) => [shard, Number(n)]),
        seeded,
      ).to.deep.equal([[name, expected.get(name)]])

      const reads = replicas.map((replica) => {
        const log = statements[replica.name] ?? []
        expect(
          log.filter((sql) => !/^SELECT/i.test(sql)),
          `${seeded}: ${replica.name}`,
        ).to.deep.equal([])
        return log.filter((sql) => sql.includes('`mark`')).length
      })
      const share = expected.get(name)! / replicas.length
      expect(
        reads.reduce((sum, count) => sum + count, 0),
        seeded,
      ).to.equal(expected.get(name))
      for (const count of reads) expect(count, seeded).to.be.within(share * 0.9, share * 1.1)
    }
  })
})

// Five puzzles, each from its symptom to its answer; docs/debugging.md walks through them.
// Starts two real MariaDB shards (spec/support/cluster), one with two replicas, and stops them at the end.
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
// In a project of your own:  from 'typeorm-octopus'
import { AcquireTimeoutError, type RouteEvent, octopus } from '../../lib/index.js'
import { MariadbCluster } from '../../spec/support/cluster/index.js'
import { until } from '../../spec/support/until.js'

@Entity()
class Order {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) item!: string
}

const cluster = await MariadbCluster.start({ shards: 2, replicas: 2 })
const [main, brazil] = cluster.shards
if (main === undefined || brazil === undefined) throw new Error('The cluster has two shards.')
const place = ({ name, host, port }: (typeof cluster.nodes)[number]) => ({ name, host, port })

const db = octopus(
  new DataSource({
    type: 'mariadb',
    ...main.primary.connectionOptions(),
    poolSize: 1,
    entities: [Order],
  }),
  {
    shards: {
      brazil: {
        host: brazil.primary.host,
        port: brazil.primary.port,
        replicas: brazil.replicas.map(place),
      },
    },
    acquireTimeoutMs: 300,
    sqlComments: true,
    trace: { callSites: false },
  },
)

const print = (text: string): void => {
  for (const line of text.split('\n')) console.log(`   ${line}`)
}
const puzzle = (title: string): void => console.log(`\n${title}`)
const timeline = (events: readonly RouteEvent[]): string =>
  events
    .map(({ shard, role, node, statement, entity, reason, shardReason }) =>
      [`${shard}/${role} ${node}`, statement, entity, `${reason}, ${shardReason}`].join('  '),
    )
    .join('\n')

try {
  await db.initialize()
  await db.usingAll(() => db.synchronize())
  const orders = db.getRepository(Order)
  await db.using('brazil', () => orders.insert({ item: 'coffee' }))
  await cluster.waitUntilCaughtUp(brazil)

  puzzle('1. Why did my read go to the primary?')
  await db.using('brazil', async () => {
    await orders.insert({ item: 'sugar' })
    const { text, changes } = db.octopus.explain(Order, 'find')
    print(text)
    for (const { shard, role, when } of changes)
      if (shard === 'brazil') print(`would go to ${shard}/${role} if ${when}`)
  })

  puzzle('2. Why is this replica idle?')
  const [first, second] = brazil.replicas
  if (first === undefined || second === undefined) throw new Error('Brazil has two replicas.')
  const handle = db.shard('brazil')
  const { events } = await db.octopus.withTrace(() => handle.query('SELECT COUNT(*) FROM `order`'))
  print(timeline(events)) // no find: raw SQL goes to the primary
  await second.kill9()
  const isOut = (): boolean => db.octopus.pools().some((pool) => pool.outOfService !== undefined)
  await until(async () => (await handle.getRepository(Order).count()) > 0 && isOut(), {
    what: 'a read to find out that the replica is down',
    timeoutMs: 10_000,
  })
  const { events: reads } = await db.octopus.withTrace(() => handle.getRepository(Order).count())
  for (const { node, skipped } of reads)
    print(
      `${node} answered; skipped: ${skipped.map((one) => `${one.node}, ${one.why}`).join('; ')}`,
    )

  puzzle('3. Which shards did this request use, and why two of them?')
  const requests = new Map<string, RouteEvent[]>()
  const stop = db.octopus.onRoute((event) => {
    if (event.scopeId === undefined) return
    requests.set(event.scopeId, [...(requests.get(event.scopeId) ?? []), event])
  })
  const [order] = await handle.getRepository(Order).find({ take: 1 })
  if (order === undefined) throw new Error('Brazil has an order.')
  await db.octopus.scope(async () => {
    await orders.count()
    order.item = 'tea'
    await orders.save(order) // goes home
  })
  stop()
  for (const request of requests.values()) print(timeline(request))

  puzzle('4. Why did this statement take so long, or time out?')
  const waiting = await db.octopus
    .scope(() => handle.transaction(() => handle.query('SELECT 1'))) // beside its manager
    .catch((error: unknown) => error)
  if (!(waiting instanceof AcquireTimeoutError)) throw new Error('The pool has one connection.')
  print(`${waiting.name}: ${JSON.stringify(waiting.pool)}`)
  print(`connections that this scope holds itself: ${waiting.holders.heldByScope}`)
  const { events: waits } = await db.octopus.withTrace(() =>
    Promise.all([handle.query('SELECT SLEEP(0.1)'), handle.query('SELECT 1')]),
  )
  for (const { statement, waitedMs, durationMs } of waits)
    print(
      `${statement} waited for a connection ${waitedMs > durationMs / 2 ? 'most' : 'none'} of its time`,
    )

  puzzle('5. Who sends this statement, which I see in the log of a server?')
  const mark = brazil.primary.mark()
  const told: RouteEvent[] = []
  const leave = db.octopus.onRoute((event) => void told.push(event), { internal: true })
  await handle.getRepository(Order).insert({ item: 'milk' })
  const runner = handle.createQueryRunner()
  await runner.query('SHOW STATUS LIKE "Threads_connected"')
  await runner.release()
  leave()
  const logged = await brazil.primary.statementsSince(mark)
  for (const [at, { sql }] of logged.entries()) {
    const [statement = '', comment = ''] = sql.split(/ (?=\/\*)/)
    print(`in the log: ${statement.slice(0, 20)}… ${decodeURIComponent(comment)}`)
    print(
      `as traced:  ${told[at]?.kind}, ${told[at]?.operation} ${told[at]?.entity ?? ''}`.trimEnd(),
    )
  }
} finally {
  await db.destroy()
  await cluster.stop()
}

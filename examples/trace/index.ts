// Why did this query go there? Five ways to ask.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
// In a project of your own:  from 'typeorm-octopus'
import { type RouteEvent, consoleTrace, octopus, routeChannelName, using } from '../../lib/index.js'

@Entity()
class Invoice {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: Number }) amount!: number
}

// Databases in memory do not replicate: with collapseReplicas each primary also answers for its
// replicas, while routes are decided and traced as without it. Made for tests that roll back.
const db = octopus(new DataSource({ type: 'sqljs', entities: [Invoice] }), {
  shards: { brazil: { replicas: [{ name: 'br-2' }, { name: 'br-3' }] }, canada: {} },
  collapseReplicas: true,
})
await db.initialize()
await db.usingAll(() => db.synchronize())
const invoices = db.getRepository(Invoice)

console.log('1. consoleTrace: a line for each statement, while it is subscribed.')
const stop = db.octopus.onRoute(consoleTrace())
await using('brazil', () => invoices.insert({ amount: 10 }))
await using('brazil', () => invoices.find())
stop()

console.log('\n2. onRoute: each statement as an event; SQL and values only if asked for.')
const stopWatching = db.octopus.onRoute(
  (event: RouteEvent) => {
    const { shard, role, reason, scopes, operation, sql } = event
    console.log(
      `${operation} on ${shard}, ${role}, because "${reason}", in [${scopes.join(' > ')}]`,
    )
    console.log(`  ${sql}`)
  },
  { sql: true },
)
await using('brazil', () => db.usingPrimary(() => invoices.find()))
stopWatching()

console.log('\n3. withTrace: the events of one piece of work, as a value. Good for specs.')
const { value, events } = await db.octopus.withTrace(async () => {
  await using('canada', () => invoices.insert({ amount: 20 }))
  const counts = await db.usingAll(() => invoices.count())
  return counts.reduce((sum, { value: count }) => sum + count, 0)
})
console.log(`${value} invoices, by ${events.length} statements:`)
for (const { shard, role, statement } of events) console.log(`  ${statement} ${shard}/${role}`)

console.log('\n4. explain: the decision for an operation, here and now. Nothing is sent.')
console.log(db.octopus.explain(Invoice).text)
using('brazil', () => console.log(db.octopus.explain(Invoice, 'find').text))
using('brazil', () => console.log(db.octopus.explain(Invoice, 'save').text))
await using('brazil', async () => {
  await invoices.insert({ amount: 30 })
  console.log(
    db.octopus
      .explainScope()
      .scopes.map(({ label }) => label)
      .join(' > '),
  )
  const { reason, changes } = db.octopus.explain(Invoice)
  console.log(`  ${reason}`)
  for (const { when, shard, role } of changes) console.log(`  ${shard}/${role} if ${when}`)
})
using('brazil', () => {
  const locking = invoices.createQueryBuilder('i').setLock('pessimistic_write')
  const { text, passedOver } = db.octopus.explain(locking)
  console.log(text)
  console.log(`  rules asked before that one: ${passedOver.join(', ')}`)
})

console.log(
  `\n5. node:diagnostics_channel "${routeChannelName}": for tools that do not know your db.`,
)
const onMessage = (message: unknown): void => {
  // The library alone publishes on its channel.
  const { shard, role, statement, durationMs } = message as RouteEvent
  console.log(`${statement} ${shard}/${role}, took ${durationMs < 1000 ? 'less' : 'more'} than 1 s`)
}
subscribe(routeChannelName, onMessage)
await db.shard('canada').getRepository(Invoice).find()
unsubscribe(routeChannelName, onMessage)

await db.destroy()

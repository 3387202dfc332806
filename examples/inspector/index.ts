// A page with every route of this process: start it, and open the address that it prints.
import { setTimeout as delay } from 'node:timers/promises'
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
// In a project of your own:  from 'typeorm-octopus'
import { octopus } from '../../lib/index.js'

@Entity()
class Order {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: Number }) amount!: number
}

// Databases in memory do not replicate: with collapseReplicas each primary also answers for its
// replicas, while routes are decided and traced as without it.
const db = octopus(new DataSource({ type: 'sqljs', entities: [Order] }), {
  shards: {
    brazil: { replicas: [{ name: 'br-2' }, { name: 'br-3', group: 'reports' }] },
    canada: { replicas: [{ name: 'ca-2' }] },
  },
  groups: { americas: ['brazil', 'canada'] },
  collapseReplicas: true,
})
await db.initialize()
await db.usingAll(() => db.synchronize())
const orders = db.getRepository(Order)

/** What a web request might do: all of it in one scope, so that the page shows it on one line of time. */
const request = (country: string): Promise<void> =>
  db.octopus.scope(async () => {
    await db.using(country, () => orders.insert({ amount: 10 }))
    await db.using(country, () => orders.find({ take: 5 }))
    await db.usingGroup('americas', () => orders.count())
    await db.using('brazil', () =>
      db.usingReplica({ group: 'reports' }, () => orders.sum('amount')),
    )
    await db.using('canada', () => db.query('SELECT total FROM nowhere')).catch(() => undefined)
  })

// Off by default: the page is there from here on. It keeps 200 routes for when it is opened later.
const inspector = await db.octopus.inspector({
  port: Number(process.env['PORT'] ?? 0),
  sql: true,
  keep: 200,
})
console.log(`The inspector is at ${inspector.url}`)

if (process.env['CI'] === undefined) {
  console.log('Ctrl+C ends it.')
  for (;;) {
    await request(Math.random() < 0.5 ? 'brazil' : 'canada')
    await delay(500)
  }
}

// Nobody is there to look: the page is asked for once, and the stream that it would read.
await request('brazil')
const page = await fetch(inspector.url)
console.log(`the page: ${page.status} ${page.headers.get('content-type')}`)
const stream = await fetch(new URL('events', inspector.url))
let heard = ''
for await (const chunk of stream.body ?? []) {
  heard += Buffer.from(chunk).toString()
  if (heard.includes('event: routes')) break
}
const routes = JSON.parse(/^event: routes\ndata: (.*)$/m.exec(heard)?.[1] ?? '[]') as {
  shard: string
  reason: string
  error?: object
}[]
for (const { shard, reason, error } of routes)
  console.log(`${shard}: ${reason}${error === undefined ? '' : ' (failed)'}`)
await inspector.close()
await db.destroy()

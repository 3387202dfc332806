// Takes the pictures of docs/inspector: the page over three MariaDB shards, one replica of which is down,
// while requests come in. The cluster, the browser and the compiled library are those of the specs.
import 'reflect-metadata'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DataSource, EntitySchema } from 'typeorm'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiled = (file) => import(path.join(root, '.build', file))
const { octopus } = await compiled('lib/index.js')
const { openBrowser } = await compiled('spec/support/browser.js')
const { MariadbCluster } = await compiled('spec/support/cluster/index.js')

const Order = new EntitySchema({
  name: 'Order',
  tableName: 'orders',
  columns: {
    id: { type: Number, primary: true, generated: true },
    amount: { type: Number },
  },
})

const folder = path.join(root, 'docs/inspector')
mkdirSync(folder, { recursive: true })

const cluster = await MariadbCluster.start({ shards: 3, replicas: 1 })
const [main, brazil, canada] = cluster.shards
const shardOf = ({ primary, replicas: [replica] }, name) => ({
  ...primary.connectionOptions(),
  replicas: [{ name, host: replica.host, port: replica.port }],
})
const dataSource = new DataSource({
  type: 'mariadb',
  ...main.primary.connectionOptions(),
  entities: [Order],
  poolSize: 6,
})
const db = octopus(dataSource, {
  replicas: shardOf(main, 'main-2').replicas,
  shards: { brazil: shardOf(brazil, 'br-2'), canada: shardOf(canada, 'ca-2') },
  groups: { americas: ['brazil', 'canada'] },
})
await db.initialize()
await db.usingAll(() => db.synchronize())
await Promise.all(cluster.shards.map((shard) => cluster.waitUntilCaughtUp(shard)))

const orders = db.getRepository(Order)
const slowCount = (ms) =>
  orders
    .createQueryBuilder('o')
    .addSelect(`SLEEP(${ms / 1000})`, 'slept')
    .getMany()
const request = (country) =>
  db.octopus.scope(async () => {
    await db.using(country, () => orders.save({ amount: 12 }))
    await Promise.all([
      db.usingGroup('americas', () => slowCount(4)),
      orders.find({ where: { amount: 12 }, take: 20 }),
    ])
    await db.using('canada', () => db.usingReplica(() => orders.sum('amount')))
    if (country === 'canada')
      await db.using(country, () => db.query('SELECT total FROM invoices')).catch(() => undefined)
    await orders.count()
  })

const inspector = await db.octopus.inspector({ sql: true, keep: 500 })
const browser = await openBrowser()
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  await page.goto(inspector.url)
  await cluster.node('s2r1').kill9()
  const work = async (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      await request(round % 3 === 2 ? 'canada' : 'brazil')
      await delay(120)
    }
  }
  await work(40)
  await page.getByLabel('Ask servers').check()
  await Promise.all([work(30), page.locator('.badge', { hasText: 'lag' }).first().waitFor()])
  await page.getByRole('button', { name: 'Pause' }).click()
  await delay(4500) // until what the page has said is gone
  const picture = async (name, colorScheme) => {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: path.join(folder, `${name}-${colorScheme}.png`) })
  }
  await page.locator('.route', { hasText: 'no replica available' }).first().click()
  await page.mouse.move(0, 0)
  for (const scheme of ['light', 'dark']) await picture('routes', scheme)
  await page.getByRole('button', { name: 'Timeline of its request' }).first().click()
  await page.mouse.move(0, 0)
  for (const scheme of ['light', 'dark']) await picture('timeline', scheme)
} finally {
  await browser.close()
  await inspector.close()
  await db.destroy()
  await cluster.stop()
}

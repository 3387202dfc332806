import { expect } from 'chai'
import type { Browser } from 'playwright-core'
import { DataSource } from 'typeorm'
import { type ConnectionProxy, octopus } from '../../lib/index.js'
import { openBrowser } from '../support/browser.js'
import { type Cluster, MariadbCluster } from '../support/cluster/index.js'
import { until } from '../support/until.js'
import { Customer, withPage } from './stage.js'

describe("the inspector's page over real servers", function () {
  this.timeout(40_000)
  let browser: Browser
  let cluster: Cluster
  let db: ConnectionProxy

  before(async () => {
    cluster = await MariadbCluster.start({ shards: 1, replicas: 2 })
    const { primary, replicas } = cluster.shard(0)
    const dataSource = new DataSource({
      type: 'mariadb',
      ...primary.connectionOptions(),
      entities: [Customer],
      poolSize: 5,
    })
    const servers = replicas.map(({ name, host, port }) => ({ name, host, port }))
    db = octopus(dataSource, { replicas: servers, connect: 'eager' })
    await db.initialize()
    await db.synchronize()
    await cluster.waitUntilCaughtUp(cluster.shard(0))
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    await db?.destroy()
    await cluster?.stop()
  })

  const read = () => db.getRepository(Customer).count()

  it('shows how far replicas are behind, and how pools are used', () =>
    withPage(browser, db, {}, async (inspector) => {
      const { page } = inspector
      const server = page.locator('.server', { hasText: 's0r1' })
      expect(await server.locator('.badge').count()).to.equal(0)
      await page.getByLabel('Ask servers').check()
      await server.getByText(/^lag 0/).waitFor()
      expect(await server.locator('.server-name').getAttribute('title')).to.match(
        /^mariadb \d+\.\d+.*, 127\.0\.0\.1:\d+, app/,
      )

      const runner = db.createQueryRunner('master')
      await runner.query('SELECT 1')
      const primary = page.locator('.server').first()
      await primary.getByLabel(/^Connections: 1 active, \d idle, 0 waiting, at most 5$/).waitFor()
      await runner.release()
      await primary.getByLabel(/^Connections: 0 active/).waitFor()
    }))

  it('shows a replica that died as out of service, why, and who was skipped for it', () =>
    withPage(browser, db, {}, async (inspector) => {
      const { page } = inspector
      await cluster.node('s0r1').kill9()
      await until(
        async () => {
          await read()
          return db.octopus.pools().some(({ outOfService }) => outOfService !== undefined)
        },
        { what: 'the replica to be out of service' },
      )
      await page.locator('.server.out', { hasText: 's0r1' }).waitFor()
      expect(await page.locator('.server.out .why-out').innerText()).to.match(
        /^Out of service: .*(ECONN|closed|lost)/i,
      )
      await page.getByText('1 out of service', { exact: true }).waitFor()

      await read()
      await page.locator('.flags', { hasText: '1 skipped' }).first().waitFor()
      await page.locator('.route', { hasText: '1 skipped' }).first().click()
      expect(await page.locator('.details .skipped').innerText()).to.match(/^s0r1: /)

      await cluster.node('s0r1').restart()
      await page.locator('.server.out').waitFor({ state: 'detached', timeout: 15_000 })
    }))
})

import { expect } from 'chai'
import type { Browser } from 'playwright-core'
import type { ConnectionProxy, InspectorOptions } from '../../lib/index.js'
import { openBrowser } from '../support/browser.js'
import { until } from '../support/until.js'
import { Customer, InspectorPage, openShards, withPage } from './stage.js'

describe("the inspector's page", function () {
  this.timeout(20_000)
  let browser: Browser
  let db: ConnectionProxy

  before(async () => {
    browser = await openBrowser()
    db = await openShards()
  })
  after(async () => {
    await db.destroy()
    await browser.close()
  })

  const customers = () => db.getRepository(Customer)
  const inPage = (work: (page: InspectorPage) => Promise<void>, options: InspectorOptions = {}) =>
    withPage(browser, db, { sql: true, ...options }, work)

  /** One request: a write and a read of it on brazil, a read on each shard, one that fails. */
  const request = (): Promise<void> =>
    db.octopus.scope(async () => {
      await db.using('brazil', () => customers().insert({ name: 'Ana' }))
      await db.using('brazil', () => customers().count())
      await db.using('canada', () => customers().find())
      await db.using('canada', () => db.query('SELECT nothing FROM nowhere')).catch(() => undefined)
    })
  const statementsOfRequest = 4

  it('shows shards, groups, servers, and which is the default', () =>
    inPage(async ({ page }) => {
      await page.locator('.shard').nth(2).waitFor()
      const shards = await page.locator('.shard').allInnerTexts()
      expect(shards.map((text) => text.split('\n').slice(0, 2).join(' '))).to.deep.equal([
        'master default',
        'brazil americas',
        'canada americas',
      ])
      expect(await page.locator('.shard:nth-child(2) .server-name').allInnerTexts()).to.deep.equal([
        'primary',
        'br-2',
        'br-3',
      ])
      const replica = page.locator('.server', { hasText: 'br-3' })
      expect(await replica.innerText()).to.match(/^R\s+replica\s+br-3\s+reports/)
    }))

  it('shows routes as they come, the newest first', () =>
    inPage(async (inspector) => {
      await db.using('brazil', () => customers().find())
      await inspector.shows(1)
      await request()
      await inspector.shows(5)
      expect(await inspector.column('shard')).to.deep.equal([
        'canada',
        'canada',
        'brazil',
        'brazil',
        'brazil',
      ])
      expect(await inspector.column('reason')).to.deep.equal([
        'raw query',
        'no replicas',
        'read your writes',
        'write',
        'read outside a transaction',
      ])
      expect((await inspector.column('statement'))[3]).to.match(/^INSERT INTO "customer"/)
      const chart = inspector.page.locator('.shard', { hasText: 'brazil' }).locator('.chart rect')
      await chart.first().waitFor({ state: 'attached' }) // once the second is over
    }))

  it('shows neither SQL nor parameters unless asked for', async () => {
    const secret = "a secret's value"
    const work = (): Promise<unknown> =>
      db.query("SELECT ? AS parameter, 'a literal' AS literal", [secret])
    for (const [options, sees] of [
      [{ sql: false }, { literal: false, parameter: false }],
      [{ sql: true }, { literal: true, parameter: false }],
      [
        { sql: true, parameters: true },
        { literal: true, parameter: true },
      ],
    ] as const)
      await inPage(async (inspector) => {
        await work()
        await inspector.shows(1)
        await inspector.rows.click()
        await inspector.page.locator('.details').waitFor()
        const text = await inspector.page.content()
        expect(text.includes('a literal'), JSON.stringify(options)).to.equal(sees.literal)
        expect(text.includes(secret), JSON.stringify(options)).to.equal(sees.parameter)
      }, options)
  })

  it('opens a route to the chain of decisions that led it there', () =>
    inPage(async (inspector) => {
      const { page } = inspector
      await db.using('brazil', () =>
        db.usingReplica({ group: 'reports' }, () => customers().find()),
      )
      await inspector.shows(1)
      await inspector.rows.click()
      expect(await inspector.rows.getAttribute('aria-expanded')).to.equal('true')
      const steps = await page.locator('.details .step').allInnerTexts()
      const lines = steps.map((text) => text.replaceAll(/\s+/g, ' ').trim())
      expect(lines[0]).to.equal('Shard brazil by scope in using brazil › usingReplica reports')
      expect(lines[1]).to.match(/^Role replica disabled .* pinned to replica$/)
      expect(lines[3]).to.match(/^Connection free at once replica group reports$/)
      expect(lines[4]).to.match(/^Outcome done after [\d.]+ ms$/)
      expect(await page.locator('.details .passed').first().innerText()).to.match(/^disabled/)
      expect(await page.locator('.details [aria-current]').innerText()).to.equal(
        'pinned to replica',
      )
      expect(await page.locator('.details pre').innerText()).to.match(/^SELECT .* FROM "customer"/)
    }))

  it('tells at which stage a statement failed', () =>
    inPage(async (inspector) => {
      await request()
      await inspector.shows(statementsOfRequest)
      await inspector.rows.first().click()
      const last = inspector.page.locator('.details .step').last()
      expect((await last.innerText()).replaceAll(/\s+/g, ' ')).to.match(
        /Outcome QueryFailedError.* at the statement itself, after/,
      )
    }))

  it('filters by every part of a route', () =>
    inPage(async (inspector) => {
      const { page } = inspector
      await request()
      await db.transaction((manager) => manager.query('SELECT 1'))
      const runner = db.createQueryRunner()
      await runner.query('SELECT 2')
      await runner.release()
      const total = statementsOfRequest + 4
      await inspector.shows(total)

      const choose = (name: string, value: string) =>
        page.locator(`select[name=${name}]`).selectOption(value)
      const type = (name: string, value: string) => page.locator(`input[name=${name}]`).fill(value)
      const tries: readonly [string, () => Promise<unknown>, number][] = [
        ['shard', () => choose('shard', 'brazil'), 2],
        ['server', () => choose('node', 'primary'), total],
        ['role', () => choose('role', 'replica'), 0],
        ['reason', () => choose('reason', 'read your writes'), 1],
        ['operation', () => choose('operation', 'insert'), 1],
        ['entity', () => choose('entity', 'Customer'), 3],
        ['kind', () => choose('kind', 'bypass'), 1],
        ['slower than', () => type('slowerThanMs', '60000'), 0],
        ['errors only', () => page.locator('input[name=errorsOnly]').check(), 1],
        ['text', () => type('text', 'nowhere'), 1],
        ['words in any order and case', () => type('text', 'CANADA select'), 2],
      ]
      for (const [title, narrow, count] of tries) {
        await narrow()
        await inspector.shows(count).catch((error: unknown) => {
          throw new Error(`filtered by ${title}`, { cause: error })
        })
        await page.getByRole('button', { name: 'Show all' }).click()
        await inspector.shows(total)
      }
      await page.getByRole('button', { name: 'brazil', exact: true }).click() // in the topology
      await inspector.shows(2)
    }))

  it('holds what comes while it is paused, and counts it', () =>
    inPage(async (inspector) => {
      const { page } = inspector
      await request()
      await inspector.shows(statementsOfRequest)
      await page.getByRole('button', { name: 'Pause' }).click()
      await request()
      const resume = page.getByRole('button', { name: 'Resume (4 new)' })
      await resume.waitFor()
      await inspector.shows(statementsOfRequest)
      await resume.click()
      await inspector.shows(2 * statementsOfRequest)
      await page.getByRole('button', { name: 'Clear' }).click()
      await page.getByText('No statement yet.').waitFor()
    }))

  it('copies a route, or all that are shown, as JSON', () =>
    inPage(async (inspector) => {
      const { page } = inspector
      const clipboard = async (): Promise<unknown> =>
        JSON.parse(await page.evaluate<string>('navigator.clipboard.readText()'))
      await request()
      await inspector.shows(statementsOfRequest)
      await inspector.rows.nth(3).click()
      await page.getByRole('button', { name: 'Copy as JSON' }).click()
      await page.getByText('Copied 1 route as JSON.').waitFor()
      expect(await clipboard()).to.include({ shard: 'brazil', reason: 'write', version: 1 })
      await page.getByRole('button', { name: 'Copy shown' }).click()
      await page.getByText('Copied 4 routes as JSON.').waitFor()
      expect(await clipboard()).to.have.length(statementsOfRequest)
    }))

  it('copies where the browser has no clipboard for pages', async () => {
    const { startInspector } = await import('../../lib/inspector.js')
    const server = await startInspector(db)
    const inspector = await InspectorPage.open(browser, server.url, (context) =>
      context.addInitScript('Object.defineProperty(navigator, "clipboard", { value: undefined })'),
    )
    await request()
    await inspector.shows(statementsOfRequest)
    await inspector.rows.first().focus()
    await inspector.page.keyboard.press('c')
    await inspector.page.getByText('Copied 1 route as JSON.').waitFor()
    await inspector.page.keyboard.press('/')
    await inspector.page.keyboard.press('Control+V')
    expect(await inspector.page.locator('input[name=text]').inputValue()).to.include('"canada"')
    await inspector.close()
    await server.close()
  })

  it('draws a request over its shards on a line of time', () =>
    inPage(async (inspector) => {
      const { page } = inspector
      await request()
      await request()
      await customers().find() // outside every scope: of no request
      await inspector.shows(2 * statementsOfRequest + 1)
      await inspector.rows.last().click()
      await page.getByRole('button', { name: 'Timeline of its request' }).click()
      expect(await page.locator('.request').count()).to.equal(2)
      expect(await page.locator('.request').nth(1).getAttribute('aria-current')).to.equal('true')
      const lanes = await page.locator('.lane-name').allInnerTexts()
      expect(lanes.map((text) => text.replaceAll(/\s+/g, ' '))).to.deep.equal([
        'P brazil primary',
        'P canada primary',
      ])
      expect(await page.locator('.lane .span').count()).to.equal(statementsOfRequest)
      expect(await page.locator('.lane .span.failed').count()).to.equal(1)
      const sent = await page.locator('.sent li').allInnerTexts()
      expect(sent[0]).to.match(/^\+0\.0 ms\s+brazil\s+INSERT/)
      // Of a filtered list, requests are shown whole.
      await page.locator('select[name=reason]').selectOption('write')
      expect(await page.locator('.lane .span').count()).to.equal(statementsOfRequest)
    }))

  it('can be used with the keyboard alone', () =>
    inPage(async (inspector) => {
      const { page } = inspector
      const focused = (): Promise<string> =>
        page.evaluate<string>(
          `document.activeElement.getAttribute('name') ?? document.activeElement.getAttribute('data-number') ?? document.activeElement.innerText`,
        )
      const press = (key: string) => page.keyboard.press(key)
      await request()
      await inspector.shows(statementsOfRequest)

      const reached: string[] = []
      for (let tries = 0; tries < 60 && !reached.includes('4'); tries += 1) {
        await press('Tab')
        reached.push(await focused())
      }
      const order = ['Pause', 'brazil', 'text', 'errorsOnly', 'shard', 'kind', 'Routes', '4']
      expect(reached.filter((name) => order.includes(name))).to.deep.equal(order)
      const outline = await page.evaluate<string>(
        'getComputedStyle(document.activeElement).outlineStyle',
      )
      expect(outline).to.equal('solid')

      await press('ArrowDown')
      expect(await focused()).to.equal('3')
      await press('End')
      expect(await focused()).to.equal('1')
      await press('Enter')
      await page.locator('.details').waitFor()
      await press('Enter')
      await page.locator('.details').waitFor({ state: 'detached' })
      await press('Home')
      expect(await focused()).to.equal('4')

      await press('/')
      expect(await focused()).to.equal('text')
      await page.keyboard.type('p /') // no keys of the page, while something is typed
      expect(await page.locator('input[name=text]').inputValue()).to.equal('p /')
      await press('Escape')
      await inspector.shows(statementsOfRequest)
      await page.evaluate('document.activeElement.blur()')
      await press(' ')
      await page.getByRole('button', { name: 'Resume' }).waitFor()
      await press('p')
      await page.getByRole('button', { name: 'Pause' }).waitFor()

      await page.getByRole('tab', { name: 'Routes' }).focus()
      await press('ArrowRight')
      expect(
        await page.getByRole('tab', { name: 'Timeline' }).getAttribute('aria-selected'),
      ).to.equal('true')
    }))

  it('is dark or light as the system is, or as was chosen', () =>
    inPage(async ({ page }) => {
      const ground = (): Promise<string> =>
        page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor')
      await page.emulateMedia({ colorScheme: 'light' })
      const light = await ground()
      await page.emulateMedia({ colorScheme: 'dark' })
      const dark = await ground()
      expect(dark).not.to.equal(light)
      const toggle = page.getByRole('button', { name: 'Colours' })
      await toggle.click()
      await until(async () => (await ground()) === light, { what: 'light colours' })
      await toggle.click()
      await page.emulateMedia({ colorScheme: 'light' })
      expect(await ground()).to.equal(dark)
      await page.reload()
      expect(await ground()).to.equal(dark)
    }))

  it('says how many routes it was too slow for', () =>
    inPage(async (inspector) => {
      // All within one turn of the event loop: more than wait for a page.
      await Promise.all(Array.from({ length: 1200 }, () => db.query('SELECT 1')))
      await inspector.page.getByText('200 routes dropped').waitFor()
      await inspector.page.getByText('1,000 routes').first().waitFor()
    }))

  it('says that it has lost the inspector, and goes on when that is back', async () => {
    const { startInspector } = await import('../../lib/inspector.js')
    const first = await startInspector(db)
    const inspector = await InspectorPage.open(browser, first.url)
    inspector.expect(/net::ERR_/)
    await first.close()
    await inspector.page.getByText('Not connected').waitFor()
    const second = await startInspector(db, { port: Number(new URL(first.url).port) })
    await inspector.page.locator('.connection.good').waitFor()
    await request()
    await inspector.shows(statementsOfRequest)
    await inspector.close()
    await second.close()
  })

  it('shows what was kept to a page that is opened later', async () => {
    const { startInspector } = await import('../../lib/inspector.js')
    const server = await startInspector(db, { keep: 3 })
    await request()
    const inspector = await InspectorPage.open(browser, server.url)
    await inspector.shows(3)
    await inspector.close()
    await server.close()
  })
})

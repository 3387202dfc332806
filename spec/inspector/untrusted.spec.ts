import { expect } from 'chai'
import type { Browser } from 'playwright-core'
import { DataSource, EntitySchema } from 'typeorm'
import { type ConnectionProxy, octopus } from '../../lib/index.js'
import { openBrowser } from '../support/browser.js'
import { withPage } from './stage.js'

/** Each would run its own script, were it taken for markup. */
const plant = (number: number): string =>
  `</script><img src=x onerror="window.planted=${number}"><script>window.planted=${number}</script>`

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const Planted = new EntitySchema<{ id: number; name: string }>({
  name: plant(1),
  tableName: 'planted',
  columns: { id: { type: Number, primary: true, generated: true }, name: { type: String } },
})

describe('what the inspector shows', function () {
  this.timeout(20_000)
  let browser: Browser
  let db: ConnectionProxy

  before(async () => {
    browser = await openBrowser()
    db = octopus(new DataSource({ type: 'sqljs', entities: [Planted] }), {
      // Never connected. Names that are given are checked, but this one comes from the host.
      shards: { other: { type: 'mariadb', host: plant(2), database: plant(3) } },
    })
    await db.initialize()
    await db.synchronize()
  })
  after(async () => {
    await db.destroy()
    await browser.close()
  })

  it('is text, whatever is in it', () =>
    withPage(browser, db, { sql: true, parameters: true }, async (inspector) => {
      const { page } = inspector
      await db.octopus.scope(async () => {
        await db.getRepository(Planted).insert({ name: plant(4) })
        await db.query(`SELECT '${plant(5)}' AS ${quoted(plant(6))}`)
        await db.query(`SELECT ${quoted(plant(7))} FROM nowhere`).catch(() => undefined)
      })
      await inspector.shows(3)
      for (const row of await inspector.rows.all()) await row.click()
      const shown = await page.locator('body').innerText()
      // The name of the entity, of a server, and what is in SQL and parameters.
      for (const number of [1, 2, 4, 5, 6, 7])
        expect(shown, `plant ${number}`).to.include(`window.planted=${number}`)
      expect(await page.locator(`.server-name[title*="planted=3"]`).count()).to.equal(1)
      await page.getByRole('button', { name: 'Timeline of its request' }).first().click()
      await page.locator('.lane').first().waitFor()
      await page.locator('select[name=entity]').selectOption(plant(1))
      await page.locator('.sent').waitFor()

      expect(await page.locator('#page img, #page script').count()).to.equal(0)
      expect(await page.evaluate('window.planted')).to.equal(undefined)
    }))

  it('would not run if it were markup', () =>
    withPage(browser, db, {}, async (inspector) => {
      // The second line of defence: the browser refuses to make markup of any text here …
      const refusal = await inspector.page.evaluate<string>(
        `(() => { try { document.body.innerHTML = '<img src=x>' } catch (error) { return error.name } })()`,
      )
      expect(refusal).to.equal('TypeError')
      // … and to run a script that is not one of the page's files.
      await inspector.page.evaluate(
        `(() => { const script = document.createElement('script'); script.append('window.planted = 10'); document.body.append(script) })()`,
      )
      expect(await inspector.page.evaluate('window.planted')).to.equal(undefined)
      inspector.expect(/Trusted|Content Security Policy/)
    }))
})

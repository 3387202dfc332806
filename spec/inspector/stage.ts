import { expect } from 'chai'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { DataSource, EntitySchema } from 'typeorm'
import {
  type ConnectionProxy,
  type InspectorOptions,
  type OctopusOptions,
  octopus,
} from '../../lib/index.js'
import { startInspector } from '../../lib/inspector.js'

export const Customer = new EntitySchema<{ id: number; name: string }>({
  name: 'Customer',
  columns: { id: { type: Number, primary: true, generated: true }, name: { type: String } },
})

/** A wrapped data source over databases in memory, whose primaries also answer for their replicas. */
export const openShards = async (options: OctopusOptions = {}): Promise<ConnectionProxy> => {
  const db = octopus(new DataSource({ type: 'sqljs', entities: [Customer] }), {
    shards: {
      brazil: { replicas: [{ name: 'br-2' }, { name: 'br-3', group: 'reports' }] },
      canada: {},
    },
    groups: { americas: ['brazil', 'canada'] },
    collapseReplicas: true,
    ...options,
  })
  await db.initialize()
  await db.usingAll(() => db.synchronize())
  return db
}

/** A page of the inspector, watched for what it must never do. */
export class InspectorPage {
  readonly page: Page
  readonly #context: BrowserContext
  readonly #origin: string
  readonly #complaints: string[] = []
  /** What the browser says when the inspector goes away under it. */
  readonly #expected: RegExp[] = []

  private constructor(context: BrowserContext, page: Page, origin: string) {
    this.#context = context
    this.page = page
    this.#origin = origin
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.#complain(message.text())
    })
    page.on('pageerror', (error) => this.#complain(`exception: ${error.message}`))
    page.on('dialog', (dialog) => {
      this.#complain(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(this.#origin)) this.#complain(`request: ${request.url()}`)
    })
  }

  /** Opens an inspector's page, and waits until it hears from it. */
  static async open(
    browser: Browser,
    url: string,
    prepare: (context: BrowserContext) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<InspectorPage> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    await prepare(context)
    context.setDefaultTimeout(8000)
    const opened = new InspectorPage(context, await context.newPage(), new URL(url).origin)
    await opened.page.goto(url)
    await opened.page.locator('.connection.good').waitFor()
    return opened
  }

  #complain(text: string): void {
    this.#complaints.push(text)
  }

  /** From now on the browser may say this. */
  expect(complaint: RegExp): void {
    this.#expected.push(complaint)
  }

  /** The rows of routes that are shown, newest first. */
  get rows(): Locator {
    return this.page.locator('.route')
  }

  /** Waits until so many routes are shown. */
  async shows(count: number): Promise<void> {
    if (count > 0) await this.rows.nth(count - 1).waitFor()
    await this.page.locator(`.summary:has-text("${count} route")`).waitFor()
    expect(await this.rows.count()).to.equal(count)
  }

  /** Text of a cell of each row. */
  column(name: 'shard' | 'server' | 'statement' | 'reason'): Promise<string[]> {
    return this.page.locator(`.route .${name}-cell`).allInnerTexts()
  }

  /** Closes it; throws if it has done what it must not. */
  async close(): Promise<void> {
    await this.#context.close()
    const unexpected = this.#complaints.filter(
      (text) => !this.#expected.some((pattern) => pattern.test(text)),
    )
    expect(unexpected).to.deep.equal([])
  }
}

/** Runs work with an inspector and a page of it. */
export const withPage = async (
  browser: Browser,
  db: ConnectionProxy,
  options: InspectorOptions,
  work: (page: InspectorPage) => Promise<void>,
): Promise<void> => {
  const inspector = await startInspector(db, options)
  try {
    const page = await InspectorPage.open(browser, inspector.url)
    await work(page)
    await page.close()
  } finally {
    await inspector.close()
  }
}

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { Registry } from 'prom-client'
import { type PoolEvent, OctopusError, consoleTrace, routeChannelName } from '../../lib/index.js'
import { startInspector } from '../../lib/inspector.js'
import { instrumentOctopus } from '../../lib/opentelemetry.js'
import { octopusMetrics } from '../../lib/prometheus.js'
import { Entry } from '../connections/own-support.js'
import { describeOnFrailServers } from '../connections/support.js'
import { Metering, Tracing } from '../telemetry/support.js'
import { until } from '../support/until.js'
import { PageReader } from './page-reader.js'

/** Texts that must not be seen, by where they were planted. */
const secrets = (count: number, where: string): string[] =>
  Array.from({ length: count }, (_, number) => `s3cret-${where}-${number}-${'x'.repeat(8)}`)

const settled = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)

describeOnFrailServers('secrets', { shards: 1, replicas: 0 }, (servers, engine) => {
  let ends: (() => unknown)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
  })

  it('are in no event, log, span, metric, page or message of the library', async () => {
    const passwords = secrets(20, 'password')
    const tokens = secrets(20, 'token').map((token) => token.padEnd(32, 'x'))
    const values = secrets(60, 'value')
    const literals = secrets(60, 'literal')
    const words = secrets(40, 'word')
    expect([passwords, tokens, values, literals, words].flat()).to.have.length(200)

    const { host, port } = servers().node()
    const scheme = engine === 'mariadb' ? 'mysql' : 'postgres'
    const shards = Object.fromEntries(
      passwords.map((password, number) => [
        `ghost${number}`,
        number % 2 === 0
          ? { host, port: number % 4 === 0 ? port : 1, password, database: `d${number}` }
          : { url: `${scheme}://app:${password}@${host}:${port}/d${number}` },
      ]),
    )
    const db = await servers().open({
      shards,
      acquireTimeoutMs: 1000,
      readYourWrites: { secret: tokens.slice(1) },
      sqlComments: true,
      trace: { callSites: true },
    })

    // Everybody who looks at statements and pools, as he is by default.
    const tracing = new Tracing()
    const metering = new Metering()
    const registry = new Registry()
    const events: unknown[] = []
    const lines: string[] = []
    const published: unknown[] = []
    const happened: PoolEvent[] = []
    const processWarnings: Error[] = []
    const onMessage = (message: unknown): void => void published.push(message)
    const onWarning = (warning: Error): void => void processWarnings.push(warning)
    subscribe(routeChannelName, onMessage)
    process.on('warning', onWarning)
    ends = [
      instrumentOctopus(db, { meterProvider: metering.provider, internal: true }),
      octopusMetrics(db, { registry }),
      db.octopus.onRoute((event) => void events.push(event), { internal: true }),
      db.octopus.onRoute(consoleTrace({ write: (line) => void lines.push(line) })),
      db.octopus.onPool((event) => void happened.push(event)),
    ]
    const [token = ''] = tokens
    const inspector = await startInspector(db, { token, keep: 10_000 })
    const page = await PageReader.open(inspector.url, token)
    ends.push(
      () => page.close(),
      () => inspector.close(),
      () => tracing.stop(),
      () => metering.stop(),
      () => unsubscribe(routeChannelName, onMessage),
      () => process.off('warning', onWarning),
    )

    const failures: unknown[] = []
    for (const shard of Object.keys(shards))
      failures.push(await settled(db.using(shard, () => db.getRepository(Entry).find())))
    await db.query('CREATE TABLE vault (text VARCHAR(200) PRIMARY KEY)')
    const mark = engine === 'mariadb' ? '?' : '$1'
    for (const value of values)
      for (let time = 0; time < 2; time += 1)
        failures.push(await settled(db.query(`INSERT INTO vault VALUES (${mark})`, [value])))
    for (const literal of literals)
      failures.push(await settled(db.query(`SELECT * FROM nowhere WHERE text = '${literal}'`)))
    // Raw SQL can begin with anything.
    for (const word of words) failures.push(await settled(db.query(`secretly ${word}`)))
    await db.query('DROP TABLE vault')
    // A token of another secret, and one that is none.
    for (const writes of ['nonsense', tokens[0]])
      failures.push(
        await settled(Promise.resolve().then(() => db.octopus.scope(() => 1, { writes }))),
      )
    const checked = await db.octopus.checkNodes({ timeoutMs: 2000 })

    // What TypeORM and the drivers threw has the values, literals and words: the plants were in its way.
    const thrown = JSON.stringify(failures)
    for (const secret of [...values, ...literals, ...words]) expect(thrown).to.include(secret)

    const own = failures.filter((error) => error instanceof OctopusError)
    expect(own.length).to.be.at.least(passwords.length / 2)
    await until(() => page.text.includes('DROP'), { what: 'the page to be told of the last route' })
    const told = {
      events: JSON.stringify(events),
      published: JSON.stringify(published),
      lines: lines.join('\n'),
      happened: JSON.stringify(happened),
      warnings: [...servers().warnings.texts, ...servers().warnings.news].join('\n'),
      processWarnings: processWarnings.map((warning) => inspect(warning)).join('\n'),
      errors: own
        .map((error) => `${inspect(error, { depth: 6 })} ${JSON.stringify(error)}`)
        .join('\n'),
      spans: JSON.stringify(
        tracing.spans.map(({ name, attributes, events: own, status, links, resource }) => [
          name,
          attributes,
          own,
          status,
          links,
          resource.attributes,
        ]),
      ),
      metrics: JSON.stringify([...(await metering.read())]),
      scrape: await registry.metrics(),
      page: page.text,
      pools: JSON.stringify(db.octopus.pools()),
      topology: JSON.stringify(db.octopus.topology()),
      checked: inspect(checked, { depth: 8 }),
      budget: JSON.stringify(db.octopus.connectionBudget()),
      scope: db.using('ghost0', () => db.octopus.explainScope().text),
      explained: db.octopus.explain(Entry, 'find').report,
    }
    for (const [where, text] of Object.entries(told))
      expect(/s.?cret-/i.exec(text)?.[0], where).to.equal(undefined)
    for (const where of ['events', 'published', 'spans', 'metrics', 'scrape', 'page'] as const)
      expect(told[where].length, where).to.be.above(1000)
    // Telemetry goes far: not even a first word that is no keyword of SQL.
    for (const where of ['spans', 'metrics', 'scrape'] as const)
      expect(/s.?cret/i.exec(told[where])?.[0], where).to.equal(undefined)
  })
})

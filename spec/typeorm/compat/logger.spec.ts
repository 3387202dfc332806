import { expect } from 'chai'
import type { DataSource, Logger, QueryRunner } from 'typeorm'
import type { OctopusOptions } from '../../../lib/index.js'
import { Item, failureOf, memory, proxies } from './support.js'

/** A logger that keeps what it is told: the method, and the text. */
class Notes implements Logger {
  readonly lines: [method: keyof Logger, text: string][] = []
  readonly runners: (QueryRunner | undefined)[] = []

  logQuery(sql: string, _parameters?: unknown[], runner?: QueryRunner): void {
    this.#note('logQuery', sql, runner)
  }
  logQueryError(_error: unknown, sql: string, _parameters?: unknown[], runner?: QueryRunner): void {
    this.#note('logQueryError', sql, runner)
  }
  logQuerySlow(_ms: number, sql: string, _parameters?: unknown[], runner?: QueryRunner): void {
    this.#note('logQuerySlow', sql, runner)
  }
  logSchemaBuild(message: string, runner?: QueryRunner): void {
    this.#note('logSchemaBuild', message, runner)
  }
  logMigration(message: string, runner?: QueryRunner): void {
    this.#note('logMigration', message, runner)
  }
  log(_level: string, message: unknown, runner?: QueryRunner): void {
    this.#note('log', String(message), runner)
  }
  /** The prefixes of what was logged by `method`, or all there were. */
  prefixes(method?: keyof Logger): string[] {
    const lines = this.lines.filter(([name]) => method === undefined || name === method)
    return [...new Set(lines.map(([, text]) => /^\[[^\]]*\] /.exec(text)?.[0] ?? ''))]
  }
  #note(method: keyof Logger, text: string, runner: QueryRunner | undefined): void {
    this.lines.push([method, text])
    this.runners.push(runner)
  }
}

class Seed1700000000000 {
  up = (runner: QueryRunner) => runner.query(`INSERT INTO item (name) VALUES ('seeded')`)
  down = (runner: QueryRunner) => runner.query('DELETE FROM item')
}

const brazilWithReplica = {
  shards: { brazil: { synchronize: true, replicas: [{ name: 'br-2' }] } },
  collapseReplicas: true,
} as const satisfies OctopusOptions

describe('the logger of each shard', () => {
  const { start } = proxies()
  let notes: Notes
  const logging = (options: object = {}): DataSource =>
    memory({ logger: (notes = new Notes()), logging: true, ...options })

  it('puts the shard, the default one too, role and server before every query', async () => {
    const db = await start(
      { shards: { brazil: { synchronize: true, replicas: [{ name: 'br-2' }] } } },
      logging(),
    )
    notes.lines.length = 0
    await db.getRepository(Item).find()
    expect(notes.prefixes()).to.deep.equal(['[Shard: master, primary primary] '])
    notes.lines.length = 0
    await db.using('brazil', () => db.getRepository(Item).save({ name: 'Ana' }))
    expect(notes.prefixes()).to.deep.equal([
      '[Shard: brazil, primary primary] ',
      '[Shard: brazil] ', // sql.js's driver asks for the generated id past its query runner
    ])
    expect(notes.lines.at(-1)).to.deep.equal([
      'logQuery',
      '[Shard: brazil, primary primary] COMMIT',
    ])
    notes.lines.length = 0
    await failureOf(() =>
      db.using('brazil', () => db.usingReplica(() => db.query('SELECT * FROM nowhere'))),
    )
    expect(notes.lines).to.deep.equal([
      ['logQuery', '[Shard: brazil, replica br-2] SELECT * FROM nowhere'],
      ['logQueryError', '[Shard: brazil, replica br-2] SELECT * FROM nowhere'],
    ])
  })

  it('hands on the runner, so that a logger can tell the shard by itself', async () => {
    const db = await start(brazilWithReplica, logging())
    notes.runners.length = 0
    await db.using('brazil', () => db.getRepository(Item).find())
    expect(notes.runners.map((runner) => runner?.dataSource)).to.deep.equal([db.shard('brazil')])
  })

  it('names the shard of schema work, migrations and slow queries', async () => {
    const db = await start(
      { shards: { brazil: {} } },
      logging({ migrations: [Seed1700000000000], synchronize: false, maxQueryExecutionTime: -1 }),
    )
    await db.using('brazil', () => db.synchronize())
    await db.shard('brazil').runMigrations()
    await db.using('brazil', () => db.undoLastMigration())
    await db.shard('brazil').query('DROP TABLE item')
    await failureOf(() => db.using('brazil', () => db.runMigrations()))
    for (const method of ['logQuery', 'logQuerySlow'] as const)
      expect(notes.prefixes(method), method).to.deep.equal(['[Shard: brazil, primary primary] '])
    // TypeORM tells these of no query runner.
    for (const method of ['logSchemaBuild', 'logMigration'] as const)
      expect(notes.prefixes(method), method).to.deep.equal(['[Shard: brazil] '])
    notes.lines.length = 0
    await db.synchronize()
    expect(notes.prefixes()).to.deep.equal([
      '[Shard: master, primary primary] ',
      '[Shard: master] ',
    ])
  })

  it('builds no text while logging is off', async () => {
    for (const off of [undefined, false] as const) {
      const db = await start(brazilWithReplica, memory(off === undefined ? {} : { logging: off }))
      const spy = new Notes()
      Object.assign(db, { logger: spy })
      await db.using('brazil', () => db.query('SELECT 1'))
      expect(spy.lines, 'TypeORM’s own loggers drop it').to.deep.equal([['logQuery', 'SELECT 1']])
      await failureOf(() => db.using('brazil', () => db.query('SELECT * FROM nowhere')))
      expect(spy.lines.at(-1)).to.deep.equal([
        'logQueryError',
        '[Shard: brazil, primary primary] SELECT * FROM nowhere',
      ])
    }
  })

  it('follows setOptions() and a logger that is replaced', async () => {
    const db = await start(brazilWithReplica)
    const later = new Notes()
    db.setOptions({ logger: later, logging: true })
    await db.using('brazil', () => db.query('SELECT 1'))
    expect(later.lines).to.deep.equal([['logQuery', '[Shard: brazil, primary primary] SELECT 1']])
  })

  it('is the user’s own on the data source itself', async () => {
    const db = await start(brazilWithReplica, logging())
    expect(db.logger).to.equal(notes)
    db.shard('brazil').logger.log('info', 'hello')
    expect(notes.lines.at(-1)).to.deep.equal(['log', '[Shard: brazil] hello'])
  })
})

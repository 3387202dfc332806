import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { expect } from 'chai'
import pino from 'pino'
import {
  AbstractLogger,
  FileLogger,
  type DataSource,
  type LogLevel,
  type LogMessage,
} from 'typeorm'
import winston from 'winston'
import { memory, proxies } from './support.js'

const prefix = '[Shard: brazil, replica br-2]'

/** What is written to the console while `work` runs. */
const printed = async (work: () => Promise<unknown>): Promise<string> => {
  const names = ['log', 'info', 'warn', 'error'] as const
  const original = names.map((name) => console[name])
  const lines: unknown[] = []
  for (const name of names)
    console[name] = (...parts: unknown[]) => void lines.push(parts.join(' '))
  try {
    await work()
  } finally {
    names.forEach((name, index) => (console[name] = original[index]!))
  }
  return stripVTControlCharacters(lines.join('\n'))
}

/** Lines as a stream gets them. */
const collecting = (): { stream: Writable; lines: string[] } => {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  return { stream, lines }
}

/** How a logger of one's own is made of TypeORM's base class. */
class Structured extends AbstractLogger {
  readonly #write: (level: LogLevel, text: string) => void

  constructor(write: (level: LogLevel, text: string) => void) {
    super('all')
    this.#write = write
  }

  protected override writeLog(level: LogLevel, message: LogMessage | LogMessage[]): void {
    for (const one of this.prepareLogMessages(message, { highlightSql: false }))
      this.#write(level, `${one.prefix ?? ''} ${String(one.message)}`)
  }
}

describe('shard, role and server in', () => {
  const { start } = proxies()

  /** One read of a replica, and messages that are no texts. */
  const work = async (source: DataSource): Promise<void> => {
    const db = await start(
      {
        shards: { brazil: { synchronize: true, replicas: [{ name: 'br-2' }] } },
        collapseReplicas: false,
      },
      source,
    )
    const replica = () =>
      db.using('brazil', () => db.usingReplica(() => db.query('SELECT 1 AS one')))
    await replica()
    const { logger } = db.shard('brazil')
    logger.log('warn', 7)
    logger.log('warn', ['a list', 'of texts'])
    logger.logQueryError(new Error('broken'), 'SELECT 2')
    logger.logQuerySlow(1200, 'SELECT 3')
  }

  for (const logger of ['advanced-console', 'simple-console', 'formatted-console'] as const)
    it(`TypeORM's ${logger} logger`, async () => {
      const text = await printed(() => work(memory({ logger, logging: 'all' })))
      expect(text.replace(/\s+/g, ' ')).to.contain(`query: ${prefix} SELECT 1 AS one`)
      expect(text)
        .to.match(/7/)
        .and.match(/a list[\s\S]*of texts/)
      expect(text.replace(/\s+/g, ' ')).to.contain('query failed: [Shard: brazil] SELECT 2')
      expect(text).to.contain('1200')
    })

  it("TypeORM's file logger", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'octopus-log-'))
    const logPath = join(folder, 'ormlogs.log')
    await work(memory({ logger: new FileLogger('all', { logPath }), logging: 'all' }))
    expect(await readFile(logPath, 'utf8')).to.contain(`${prefix} SELECT 1 AS one`)
    await rm(folder, { recursive: true })
  })

  it("TypeORM's debug logger, which needs no logging option", async () => {
    const { default: debug } = (await import(
      createRequire(import.meta.resolve('typeorm')).resolve('debug')
    )) as { default: { enable(names: string): string; disable(): string; log: unknown } }
    const lines: string[] = []
    const { log } = debug
    debug.log = (...parts: unknown[]) => void lines.push(parts.join(' '))
    debug.enable('typeorm:query:*')
    try {
      await work(memory({ logger: 'debug' }))
    } finally {
      debug.disable()
      debug.log = log
    }
    expect(stripVTControlCharacters(lines.join('\n'))).to.contain(`${prefix} SELECT 1 AS one`)
  })

  it('a logger over pino', async () => {
    const { stream, lines } = collecting()
    const log = pino({ level: 'debug' }, stream)
    await work(
      memory({
        logger: new Structured((level, text) => log[level === 'warn' ? 'warn' : 'info'](text)),
        logging: true,
      }),
    )
    const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
    expect(messages).to.include(`query: ${prefix} SELECT 1 AS one`)
  })

  it('a logger over winston', async () => {
    const { stream, lines } = collecting()
    const log = winston.createLogger({
      level: 'debug',
      format: winston.format.json(),
      transports: [new winston.transports.Stream({ stream })],
    })
    await work(
      memory({ logger: new Structured((_level, text) => void log.info(text)), logging: true }),
    )
    const messages = lines.map((line) => (JSON.parse(line) as { message: string }).message)
    expect(messages).to.include(`query: ${prefix} SELECT 1 AS one`)
  })
})

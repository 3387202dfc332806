import { expect } from 'chai'
import {
  type StatementObserver,
  type StatementStart,
  StatementObservers,
} from '../../lib/trace/observers.js'
import { routeEvent } from './support.js'

const start = (change: Partial<StatementStart> = {}): StatementStart => ({
  routeId: 'process-1',
  scopeId: undefined,
  kind: 'statement',
  at: 1_700_000_000_000,
  shard: 'brazil',
  role: 'primary',
  reason: 'write',
  shardReason: 'scope',
  operation: 'insert',
  entity: 'User',
  statement: 'INSERT',
  inTransaction: false,
  sql: 'INSERT INTO user VALUES (?)',
  ...change,
})

const quiet: StatementObserver = { settled: () => undefined }

/** What becomes a process warning while `work` runs, and a turn of the loop after it. */
const warningsOf = async (work: () => unknown): Promise<string[]> => {
  const warnings: string[] = []
  const note = (warning: Error): void => void warnings.push(warning.message)
  process.on('warning', note)
  try {
    await work()
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('warning', note)
  }
  return warnings
}

describe('StatementObservers', () => {
  let observers: StatementObservers
  beforeEach(() => {
    observers = new StatementObservers()
  })

  const observe = (observer: StatementObserver, internal = false) =>
    observers.add(() => observer, { internal })

  it('follows a statement for those only that return something', () => {
    observers.add(() => undefined, {})
    expect(observers.begin(start())).to.equal(undefined)
    observe(quiet)
    expect(observers.begin(start())).not.to.equal(undefined)
  })

  it('asks nobody who has left', () => {
    const leave = observe(quiet)
    expect(observers.size).to.equal(1)
    leave()
    expect(observers.size).to.equal(0)
    expect(observers.begin(start())).to.equal(undefined)
  })

  it('keeps internal statements for those who asked', () => {
    observe(quiet)
    expect(observers.begin(start({ kind: 'internal' }))).to.equal(undefined)
    observe(quiet, true)
    expect(observers.begin(start({ kind: 'internal' }))).not.to.equal(undefined)
  })

  it('nests their contexts, the first outermost, and hands on the value', () => {
    const order: string[] = []
    for (const name of ['first', 'second'])
      observe({
        run(send) {
          order.push(`${name} in`)
          const value = send()
          order.push(`${name} out`)
          return value
        },
        settled: () => void order.push(`${name} settled`),
      })
    const observation = observers.begin(start())
    const value = observation?.send(() => {
      order.push('sent')
      return 7
    })
    expect(value).to.equal(7)
    observation?.settled(routeEvent({}))
    expect(order.join(', ')).to.equal(
      'first in, second in, sent, second out, first out, first settled, second settled',
    )
  })

  const wrong: Record<string, NonNullable<StatementObserver['run']>> = {
    'throws before it sends': () => {
      throw new Error('observer')
    },
    'throws after it has sent': (send) => {
      send()
      throw new Error('observer')
    },
    'never sends': () => 'mine' as never,
    'sends twice': (send) => {
      send()
      return send()
    },
    'returns something else': (send) => {
      send()
      return 'mine' as never
    },
    'fails later': (async (send: () => unknown) => {
      send()
      throw new Error('observer')
    }) as never,
  }
  for (const [title, run] of Object.entries(wrong))
    it(`sends once and returns the statement's own value where an observer ${title}`, async () => {
      observe({ run, settled: () => undefined })
      let sent = 0
      let value: unknown
      const warnings = await warningsOf(() => {
        value = observers.begin(start())?.send(() => (sent += 1))
      })
      expect([value, sent]).to.deep.equal([1, 1])
      const isThrown = /throws|fails/.test(title)
      expect(warnings).to.deep.equal(isThrown ? ['observer'] : [])
    })

  it("throws the statement's own error, without a warning", async () => {
    observe({ run: (send) => send(), settled: () => undefined })
    const warnings = await warningsOf(() =>
      expect(() =>
        observers.begin(start())?.send(() => {
          throw new Error('statement')
        }),
      ).to.throw('statement'),
    )
    expect(warnings).to.deep.equal([])
  })

  it('warns of what throws at the start or the end, and tells the others', async () => {
    const told: string[] = []
    observers.add(() => {
      throw new Error('start')
    }, {})
    observe({
      settled() {
        throw new Error('end')
      },
    })
    observe({ settled: () => void told.push('settled') })
    const warnings = await warningsOf(() => observers.begin(start())?.settled(routeEvent({})))
    expect(told).to.deep.equal(['settled'])
    expect(warnings).to.deep.equal(['start', 'end'])
  })
})

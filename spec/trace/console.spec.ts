import { expect } from 'chai'
import { consoleTrace, formatRouteEvent } from '../../lib/trace/console.js'
import type { RouteEvent } from '../../lib/trace/event.js'
import { routeEvent } from './support.js'

const line = (change: Partial<RouteEvent>): string => formatRouteEvent(routeEvent(change), 0)

describe('formatRouteEvent', () => {
  it('writes server, statement, time and reason in one aligned line', () => {
    expect(formatRouteEvent(routeEvent({}))).to.equal(
      '[brazil/replica br-2]      SELECT User 1.2 ms — read outside a transaction',
    )
    expect(formatRouteEvent(routeEvent({}), 30)).to.match(/^.{30} SELECT User/)
  })

  for (const [title, change, expected] of [
    [
      'a statement of no entity',
      { entity: undefined, statement: 'COMMIT' },
      '[brazil/replica br-2] COMMIT 1.2 ms — read outside a transaction',
    ],
    [
      'the SQL where the listener asked for it',
      { sql: 'SELECT 1' },
      '[brazil/replica br-2] SELECT 1 1.2 ms — read outside a transaction',
    ],
    [
      'a hit of the result cache',
      { cached: true, node: undefined },
      '[brazil/replica result cache] SELECT User 1.2 ms — read outside a transaction',
    ],
    [
      'a bypass in a transaction',
      { kind: 'bypass', inTransaction: true },
      '[brazil/replica br-2] SELECT User 1.2 ms — read outside a transaction (bypass, in transaction)',
    ],
    [
      'a second try',
      { retried: true },
      '[brazil/replica br-2] SELECT User 1.2 ms — read outside a transaction (retried)',
    ],
    [
      'a failure with its code',
      { error: { stage: 'query', name: 'QueryFailedError', code: 'ER_DUP_ENTRY' } },
      '[brazil/replica br-2] SELECT User 1.2 ms — read outside a transaction (failed at query: ER_DUP_ENTRY)',
    ],
    [
      'a failure before any server was reached',
      {
        node: undefined,
        error: { stage: 'acquire', name: 'AcquireTimeoutError', code: undefined },
      },
      '[brazil/replica no server] SELECT User 1.2 ms — read outside a transaction (failed at acquire: AcquireTimeoutError)',
    ],
  ] as const)
    it(`tells ${title}`, () => expect(line(change)).to.equal(expected))
})

describe('consoleTrace', () => {
  it('writes one line for each event', () => {
    const lines: string[] = []
    const listener = consoleTrace({ write: (text) => lines.push(text), columnWidth: 24 })
    listener(routeEvent({}))
    listener(routeEvent({ statement: 'COUNT' }))
    expect(lines).to.have.length(2)
    expect(lines[0]).to.match(/^\[brazil\/replica br-2\] {4}SELECT/)
  })
})

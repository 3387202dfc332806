import { expect } from 'chai'
import type { ConnectionProxy, RouteListener } from '../../lib/index.js'
import { EventAudit } from '../support/event-audit.js'
import { routeEvent } from './support.js'

const log: string[] = []
const server = (engine: string) => ({
  name: 'br-2',
  engine,
  mark: () => 0,
  since: () => Promise.resolve(log),
})

/** What a data source tells, and nothing else of it. */
const telling = () => {
  const listeners: RouteListener[] = []
  const db = { octopus: { onRoute: (listener: RouteListener) => listeners.push(listener) } }
  return {
    db: db as unknown as ConnectionProxy,
    tell: (...events: Parameters<typeof routeEvent>[0][]) => {
      for (const event of events) for (const listener of listeners) listener(routeEvent(event))
    },
  }
}

describe('the audit of events', () => {
  beforeEach(() => {
    log.length = 0
  })

  const audited = (engine = 'mariadb') => {
    const { db, tell } = telling()
    const audit = new EventAudit([server(engine)], ({ node }) => node ?? '')
    audit.follow(db)
    return { audit, tell }
  }

  it('finds nothing where every statement has its event', async () => {
    const { audit, tell } = audited()
    log.push('SELECT 1', 'SELECT 2', 'COMMIT')
    tell({}, {}, { statement: 'COMMIT' }, { node: undefined, cached: true })
    expect(await audit.differences()).to.deep.equal([])
    expect(audit.heard).to.equal(3)
  })

  it('finds statements without an event, and events without a statement', async () => {
    const { audit, tell } = audited()
    log.push('SELECT 1', 'SELECT 2')
    tell({}, { statement: 'COMMIT' }, { node: 'br-3' })
    expect(await audit.differences()).to.deep.equal([
      'br-2 SELECT: 2 sent, 1 told',
      'br-2 COMMIT: 0 sent, 1 told',
    ])
  })

  it('misses no statement of PostgreSQL that failed before it was logged, and only those', async () => {
    const { audit, tell } = audited('postgres')
    tell({ error: { stage: 'query', name: 'QueryFailedError', code: '42P01' } })
    expect(await audit.differences()).to.deep.equal([])
    tell({})
    expect(await audit.differences()).to.deep.equal(['br-2 SELECT: 0 sent, 2 told'])
  })
})

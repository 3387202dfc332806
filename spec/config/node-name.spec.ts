import { expect } from 'chai'
import { main, resolved } from './support.js'

const names = (options: unknown, defaults: Readonly<Record<string, unknown>> = main): string[] => {
  const [{ primary, replicas }] = resolved(
    { allowSharedServer: true, ...(options as object) },
    defaults,
  ).shards
  return [primary, ...replicas].map(({ name }) => name)
}

describe('a node is named', () => {
  it('as it is given, else by its host', () =>
    expect(names({ replicas: [{ name: 'fast', host: 'r' }, { host: 's' }] })).to.deep.equal([
      'main',
      'fast',
      's',
    ]))

  it('by host and port where several are on one host, and by database after that', () => {
    const replicas = [
      { host: 'r', port: 1 },
      { host: 'r', port: 2 },
      { host: 's', port: 1, database: 'x' },
      { host: 's', port: 1, database: 'y' },
    ]
    expect(names({ replicas })).to.deep.equal(['main', 'r:1', 'r:2', 's:1/x', 's:1/y'])
  })

  it('by its file or socket', () => {
    const replicas = [{ database: 'b/x.db' }, { database: 'c/y.db' }]
    expect(names({ replicas }, { type: 'better-sqlite3', database: 'a/x.db' })).to.deep.equal([
      'a/x.db',
      'b/x.db',
      'y.db',
    ])
    expect(names({}, { type: 'mysql', socketPath: '/run/db.sock' })).to.deep.equal(['db.sock'])
  })

  it('by its role when there is nothing else, or it is the same', () => {
    expect(names({ replicas: [{}, {}] }, { type: 'sqljs' })).to.deep.equal([
      'primary',
      'replica-1',
      'replica-2',
    ])
    expect(names({ replicas: [{ host: 'r' }, { host: 'r' }] })).to.deep.equal([
      'main',
      'replica-1',
      'replica-2',
    ])
    const replicas = [
      { name: 'replica-2', host: 'r' },
      { host: 'main' },
      { name: 'primary', host: 's' },
    ]
    expect(names({ replicas })).to.deep.equal(['primary-2', 'replica-2', 'replica-2-2', 'primary'])
  })

  it('with names that others may have in other shards', () => {
    const { shards } = resolved({ shards: { a: { host: 'main', database: 'x' } } })
    expect(shards.map(({ primary }) => primary.name)).to.deep.equal(['main', 'main'])
  })
})

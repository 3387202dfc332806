import { expect } from 'chai'
import { resolveConfig } from '../../lib/config/resolve.js'
import { ConfigError } from '../../lib/errors.js'

const resolved = (options: object) => resolveConfig(options, { type: 'sqljs' })

describe('the configuration of the trace', () => {
  it('puts no comment into statements unless it is asked to', () => {
    expect(resolved({}).sqlComments).to.deep.equal([])
    expect(resolved({ sqlComments: false }).sqlComments).to.deep.equal([])
  })

  it('tells in comments, by default, nothing that is different each time', () => {
    expect(resolved({ sqlComments: true }).sqlComments).to.deep.equal(['shard', 'role', 'reason'])
  })

  it('tells what is listed, once', () => {
    const sqlComments = ['shard', 'routeId', 'shard']
    expect(resolved({ sqlComments }).sqlComments).to.have.members(['routeId', 'shard'])
  })

  for (const [options, message] of [
    [{ sqlComments: ['password'] }, 'sqlComments'],
    [{ sqlComments: 'shard' }, 'expected true, false or a list of shard, role, reason, routeId'],
    [{ trace: { callSites: 1 } }, 'trace.callSites'],
    [{ trace: { sql: true } }, 'trace.sql'],
    [{ shards: { a: { sqlComments: true } } }, 'shards.a.sqlComments'],
  ] as const)
    it(`refuses ${JSON.stringify(options)}`, () =>
      expect(() => resolved(options)).to.throw(ConfigError, message))

  it('takes down call-sites in development, unless it is told otherwise', () => {
    const { NODE_ENV } = process.env
    try {
      process.env['NODE_ENV'] = 'development'
      expect(resolved({}).traceCallSites).to.equal(true)
      expect(resolved({ trace: { callSites: false } }).traceCallSites).to.equal(false)
      process.env['NODE_ENV'] = 'production'
      expect(resolved({}).traceCallSites).to.equal(false)
      expect(resolved({ trace: { callSites: true } }).traceCallSites).to.equal(true)
    } finally {
      if (NODE_ENV === undefined) Reflect.deleteProperty(process.env, 'NODE_ENV')
      else process.env['NODE_ENV'] = NODE_ENV
    }
  })
})

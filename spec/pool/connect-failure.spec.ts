import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'chai'
import { ConnectError, type ConnectFailure, connectFailures } from '../../lib/errors.js'
import { connectErrorOf, isUnreachable, reasonOf } from '../../lib/pool/connect-failure.js'
import { brazil } from './stub-connector.js'

/** What mysql2 and pg were seen to throw where a connection could not be made. */
const seen: readonly (readonly [ConnectFailure, boolean, object, string?])[] = [
  ['host-unreachable', true, { code: 'ECONNREFUSED', errno: -111, syscall: 'connect' }],
  ['host-unreachable', true, { code: 'EHOSTUNREACH', errno: -113 }],
  ['host-unreachable', true, { code: 'ETIMEDOUT', errno: -110, syscall: 'connect' }],
  ['host-unreachable', true, { code: 'ECONNRESET', errno: -104 }],
  ['host-unreachable', true, { code: 'PROTOCOL_CONNECTION_LOST', fatal: true }],
  ['host-unreachable', true, { code: '57P03' }],
  ['host-unreachable', true, { code: '57P01' }],
  ['host-unreachable', true, {}, 'timeout expired'],
  ['host-unreachable', true, {}, 'Connection terminated unexpectedly'],
  ['dns', true, { code: 'ENOTFOUND', errno: -3008, syscall: 'getaddrinfo' }],
  ['dns', true, { code: 'EAI_AGAIN', errno: -3001, syscall: 'getaddrinfo' }],
  ['access-denied', false, { code: 'ER_ACCESS_DENIED_ERROR', errno: 1045, sqlState: '28000' }],
  ['access-denied', false, { errno: 1044 }],
  ['access-denied', false, { code: '28P01' }],
  ['access-denied', false, { code: '28000' }],
  ['unknown-database', false, { code: 'ER_BAD_DB_ERROR', errno: 1049, sqlState: '42000' }],
  ['unknown-database', false, { code: '3D000' }],
  ['too-many-connections', false, { code: 'ER_CON_COUNT_ERROR', errno: 1040 }],
  ['too-many-connections', false, { errno: 1203 }],
  ['too-many-connections', false, { code: '53300' }],
  ['tls', false, { code: 'HANDSHAKE_SSL_ERROR', fatal: true }],
  ['tls', false, { code: 'HANDSHAKE_NO_SSL_SUPPORT', fatal: true }],
  ['tls', false, { code: 'SELF_SIGNED_CERT_IN_CHAIN' }],
  ['tls', false, { code: 'CERT_HAS_EXPIRED' }],
  ['tls', false, { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }],
  ['tls', false, {}, 'The server does not support SSL connections'],
  ['other', false, {}, 'a bug of the driver'],
]

describe('why a connection could not be made', () => {
  for (const [failure, isGone, fields, message = 'x'] of seen)
    it(`is ${failure} for ${JSON.stringify(fields)} "${message}"`, () => {
      const cause = Object.assign(new Error(message), fields)
      const error = connectErrorOf(brazil.primary, cause)
      expect(error).to.be.instanceOf(ConnectError)
      expect(error).to.include({ failure, cause, endpoint: 'brazil/primary brazil-primary' })
      expect(error).to.include({ stage: 'connect', code: 'connect', ...fields })
      expect(error.message).to.equal(`brazil/primary brazil-primary: ${message}`)
      expect([isUnreachable(cause), isUnreachable(error)]).to.deep.equal([isGone, isGone])
      expect(reasonOf(error)).to.equal(message)
    })

  it('is kept where it is known already', () => {
    const error = new ConnectError('x', 'wrong-role', 'demoted')
    expect(connectErrorOf(brazil.primary, error)).to.equal(error)
    expect([isUnreachable(error), reasonOf(error)]).to.deep.equal([false, 'x: demoted'])
  })

  it('is shown, and told on the page of errors, for every failure', () => {
    const own: readonly ConnectFailure[] = ['wrong-role', 'version-mismatch']
    expect(new Set([...seen.map(([failure]) => failure), ...own])).to.deep.equal(
      new Set(connectFailures),
    )
    const page = readFileSync(path.resolve('docs/errors.md'), 'utf8')
    const [, entry = ''] = /^## `connect`([\s\S]*?)^## /m.exec(page) ?? []
    for (const failure of connectFailures) expect(entry).to.include(`\`${failure}\``)
  })
})

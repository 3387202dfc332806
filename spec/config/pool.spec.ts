import { expect } from 'chai'
import { problemsOf, resolved } from './support.js'

const settings = {
  acquireTimeoutMs: 1,
  verify: ['always'],
  verifyIdleMs: 2,
  verifyTimeoutMs: 3,
  verifiers: ['ping', { replicaLagMs: 4 }],
  idleTimeoutMs: 5,
  maxLifetimeMs: 6,
  queryTimeoutMs: 7,
  connections: 'throwaway',
  drainMs: 8,
  fallbackLimit: 9,
}

describe('settings of connections', () => {
  it('hold for every shard, and each shard may say them for itself', () => {
    const config = resolved({
      ...settings,
      shards: {
        a: { host: 'a' },
        b: { host: 'b', verify: 'never', queryTimeoutMs: 70, drainMs: 0 },
      },
    })
    const [master, a, b] = config.shards.map(({ pool }) => pool)
    expect([master, a]).to.deep.equal([settings, settings])
    expect(b).to.deep.equal({ ...settings, verify: ['never'], queryTimeoutMs: 70, drainMs: 0 })
  })

  it('take one word or a list for verify, each word once', () => {
    const verify = (value: unknown): unknown => resolved({ verify: value }).shards[0].pool.verify
    expect(verify('idle')).to.deep.equal(['idle'])
    expect(verify(['idle', 'always', 'idle'])).to.deep.equal(['idle', 'always'])
  })

  it('refuse what contradicts itself', () => {
    expect(problemsOf({ verify: ['never', 'idle'] })).to.deep.equal([
      'verify: has "never" and "idle"; keep one of them',
    ])
    expect(
      problemsOf({ shards: { a: { host: 'a', verify: 'never', verifiers: ['ping'] } } }),
    ).to.deep.equal([
      'shards.a.verifiers: would never run, since "verify" is "never"; remove one of them',
    ])
  })

  it('refuse values that cannot be', () => {
    for (const wrong of [
      { verify: [] },
      { verify: 'sometimes' },
      { verifyIdleMs: -1 },
      { verifyTimeoutMs: 0 },
      { verifiers: ['mysql'] },
      { verifiers: [{ replicaLagMs: 0 }] },
      { verifiers: [{ name: 'no verify' }] },
      { idleTimeoutMs: 0 },
      { connections: 'none' },
      { fallbackLimit: 0 },
      { maxConnections: 0 },
      { checkoutCallSites: 1 },
    ]) {
      const [key] = Object.keys(wrong)
      expect(problemsOf(wrong).join(), JSON.stringify(wrong)).to.match(new RegExp(`^${key}`))
    }
  })

  it('take a verifier of one’s own in code', () => {
    const own = { name: 'own', verify: () => true }
    expect(resolved({ verifiers: [own] }).shards[0].pool.verifiers).to.deep.equal([own])
  })

  it('know which verifiers are for which engine', () => {
    expect(problemsOf({ shards: { a: { host: 'a', verifiers: ['pg-writer'] } } })).to.deep.equal([
      'shards.a.verifiers[0]: "pg-writer" is not for mysql; known here: ping, mysql-writer, aurora-writer, or { replicaLagMs: … }',
    ])
    const mixed = {
      verifiers: ['pg-writer', 'mysql-writer'],
      shards: { a: { type: 'postgres', host: 'a' } },
    }
    expect(resolved(mixed).shards).to.have.length(2)
  })

  it('are not for files, which have no pool', () => {
    expect(
      problemsOf({
        shards: { a: { type: 'sqljs', queryTimeoutMs: 1, verify: 'always', drainMs: 1 } },
      }),
    ).to.deep.equal([
      'shards.a.verify: sqljs has one connection to a file, and no pool; remove it',
      'shards.a.queryTimeoutMs: sqljs has one connection to a file, and no pool; remove it',
    ])
    expect(resolved({ queryTimeoutMs: 1, shards: { a: { type: 'sqljs' } } }).shards).to.have.length(
      2,
    )
  })
})

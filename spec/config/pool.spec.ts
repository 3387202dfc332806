import { expect } from 'chai'
import { problemsOf, resolved, withFile, withVariables } from './support.js'

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

  it('refuse verifiers of a shard that verifies never because the top level says so', () => {
    const a = { host: 'a', verifiers: ['ping'] }
    expect(problemsOf({ verify: 'never', shards: { a } })).to.deep.equal([
      'shards.a.verifiers: would never run, since "verify" is "never" at the top level; remove them, or give the shard a "verify" of its own',
    ])
    const own = { verify: 'never', shards: { a: { ...a, verify: 'idle' } } }
    expect(resolved(own).shards[1]?.pool.verify).to.deep.equal(['idle'])
    expect(
      problemsOf({ verify: 'never', shards: { a: { ...a, verify: 'sometimes' } } }),
    ).to.deep.equal([
      'shards.a.verify: expected one of never, idle, after-error, always, or a list of them',
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
      { verifiers: [{ name: 1, verify: () => true }] },
      { idleTimeoutMs: 0 },
      { maxLifetimeMs: -1 },
      { queryTimeoutMs: 1.5 },
      { drainMs: '5' },
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

  for (const type of ['sqljs', 'better-sqlite3'])
    it(`are not for the files of ${type}, which have no pool`, () => {
      const a = { type, database: type === 'sqljs' ? undefined : ':memory:' }
      const { acquireTimeoutMs, drainMs, ...poolOnly } = settings
      expect(problemsOf({ shards: { a: { ...a, ...settings } } })).to.deep.equal(
        Object.keys(poolOnly).map(
          (key) => `shards.a.${key}: ${type} has one connection to a file, and no pool; remove it`,
        ),
      )
      expect(
        resolved({ shards: { a: { ...a, acquireTimeoutMs, drainMs } } }).shards[1]?.pool,
      ).to.include({ acquireTimeoutMs, drainMs })
      expect(resolved({ ...settings, shards: { a } }).shards).to.have.length(2)
      expect(resolved(settings, { type, database: ':memory:' }).shards).to.have.length(1)
    })

  it('are of the shard, not of a replica, and limits of the process of neither', () => {
    expect(
      problemsOf({
        shards: { a: { host: 'a', maxConnections: 9, checkoutCallSites: true } },
        replicas: [{ host: 'r', verify: 'idle' }],
      }).map((problem) => problem.replace(/ \(does .*$/, '')),
    ).to.have.members([
      'shards.a.maxConnections: belongs to the top level, not to a shard',
      'shards.a.checkoutCallSites: belongs to the top level, not to a shard',
      'replicas[0].verify: belongs to the shard, not to a replica',
    ])
  })

  it('remember call sites in development, unless it is said', () => {
    const isKept = (NODE_ENV: string, options: object): boolean =>
      withVariables({ NODE_ENV }, () => resolved(options).checkoutCallSites)
    expect(isKept('development', {})).to.equal(true)
    expect(isKept('production', {})).to.equal(false)
    expect(isKept('development', { checkoutCallSites: false })).to.equal(false)
    expect(isKept('production', { checkoutCallSites: true })).to.equal(true)
  })

  it('take variables of a file where they stand', () => {
    const text = `
verify: ['\${WHEN}', after-error]
verifiers: [{ replicaLagMs: '\${LAG}' }, '\${CHECK}']
maxConnections: \${MAX}`
    const variables = { WHEN: 'always', LAG: '500', CHECK: 'mysql-writer', MAX: '40' }
    const config = withVariables(variables, () => withFile(text, resolved))
    expect(config.maxConnections).to.equal(40)
    expect(config.shards[0].pool).to.deep.include({
      verify: ['always', 'after-error'],
      verifiers: [{ replicaLagMs: 500 }, 'mysql-writer'],
    })
  })

  it('are frozen when resolved, without freezing the lists of the user', () => {
    const own = { name: 'own', verify: () => true }
    const given = { verify: ['idle'], verifiers: [own] }
    const { pool } = resolved(given).shards[0]
    for (const frozen of [pool, pool.verify, pool.verifiers])
      expect(Object.isFrozen(frozen)).to.equal(true)
    expect(pool.verifiers?.[0]).to.equal(own)
    for (const theirs of [given.verify, given.verifiers, own])
      expect(Object.isFrozen(theirs)).to.equal(false)
  })
})

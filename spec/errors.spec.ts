import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { expect } from 'chai'
import * as errors from '../lib/errors.js'
import { type ErrorCode, OctopusError, errorCodes } from '../lib/errors.js'
import { MigrationRunError } from '../lib/migrations/report.js'

/** One error of each code, with the message that the page shows. */
const samples: Readonly<Record<ErrorCode, OctopusError>> = {
  'invalid-config': new errors.ConfigError(
    [{ path: 'shards.brazil.hots', message: 'is not an option; did you mean "host"?' }],
    { file: 'ormconfig.yml' },
  ),
  'unknown-shard': new errors.UnknownShardError('brasil', ['master', 'brazil', 'canada']),
  'unknown-group': new errors.UnknownGroupError('europe', ['americas']),
  'unknown-replica-group': new errors.UnknownReplicaGroupError('brazil', 'archive', ['reports']),
  'unknown-node': new errors.UnknownNodeError('brazil', 'br-9', 'replica', ['br-2', 'br-3']),
  'invalid-scope': new errors.InvalidScopeError(
    'A scope names one shard by a string, not an array; for several shards use usingGroup or usingAll.',
  ),
  'writes-token': new errors.WritesTokenError('expired'),
  'no-data-source': new errors.NoDataSourceError('using', 2),
  'already-wrapped': new errors.AlreadyWrappedError('The DataSource'),
  'carrier-conflict': new errors.CarrierConflictError('AsyncLocalStorage', 'cls-hooked'),
  'invalid-decorator': new errors.InvalidDecoratorError(
    "@Shard on byCountry(): the function must return a shard's name at once, and returned a promise.",
  ),
  'no-replica': new errors.NoReplicaError('brazil', 'reports'),
  'read-only-scope': new errors.ReadOnlyScopeError('brazil', 'insert'),
  'cross-shard': new errors.CrossShardError(
    'save got a User and a Order that come from different shards',
    ['brazil', 'canada'],
    'Group them by shardOf(entity) and handle each group on its own.',
  ),
  'engine-mismatch': new errors.EngineMismatchError(
    'mysql (shard "master")',
    'postgres (shard "brazil")',
  ),
  'destructive-schema': new errors.DestructiveSchemaError('dropDatabase()', ['master', 'brazil']),
  'fan-out': new errors.FanOutError(
    [{ shard: 'canada', error: new Error("Table 'shop.user' doesn't exist") }],
    ['master', 'brazil'],
  ),
  'migration-plan': new errors.MigrationPlanError([
    {
      migration: 'AddVisits1700000000000',
      shard: undefined,
      message:
        'unknown shard group "americsa"; did you mean "americas"? configured groups: americas, europe',
    },
  ]),
  'migration-lock': new errors.MigrationLockError('brazil', 'timeout', {
    lock: 'run',
    waitedMs: 60_000,
    holder:
      'connection 812, user deploy at 10.0.3.7:51422 (lock octopus.migrations.shop.migrations)',
  }),
  'migration-run': new MigrationRunError({
    direction: 'up',
    outcome: 'failed',
    durationMs: 1840,
    shards: [
      {
        shard: 'brazil',
        outcome: 'done',
        finished: [{ migration: 'AddVisits1700000000000', durationMs: 210, effects: [] }],
        left: [],
        failure: undefined,
        waitedMs: 0,
      },
      {
        shard: 'canada',
        outcome: 'failed',
        finished: [],
        left: ['AddVisits1700000000000'],
        failure: {
          migration: 'AddVisits1700000000000',
          error: new Error("Table 'visits' already exists"),
          leftBehind: [{ shard: 'canada', statements: ['CREATE TABLE stays'] }],
        },
        waitedMs: 0,
      },
    ],
  }),
  'schema-drops': new errors.SchemaDropsError([
    { shard: 'brazil', statements: ['ALTER TABLE `user` DROP COLUMN `nickname`'] },
  ]),
  'shard-not-empty': new errors.ShardNotEmptyError('peru', ['table user', 'table order']),
  bootstrap: new errors.BootstrapError(
    'peru',
    ['"brazil" has a view open_orders'],
    'These cannot be copied. Make the shard with its migrations, or with the tools of the database.',
  ),
  'schema-differs': new errors.SchemaDiffersError('peru', 'brazil', [
    'user.name: the type is varchar(40), in the reference varchar(80)',
  ]),
  'pending-migrations': new errors.PendingMigrationsError([
    { shard: 'brazil', migrations: ['AddNickname1700000000000'] },
  ]),
  'acquire-timeout': new errors.AcquireTimeoutError(
    'brazil/primary br-1',
    10_000,
    { max: 10, active: 10, idle: 0, waiting: 4 },
    { oldestLeaseMs: 31_204, heldByScope: 0, takenAt: undefined },
  ),
  'pool-closed': new errors.PoolClosedError('brazil/primary br-1'),
  'scope-ended': new errors.ScopeEndedError('brazil/primary br-1'),
  'query-timeout': new errors.QueryTimeoutError('brazil/primary br-1', 30_000),
  connect: new errors.ConnectError(
    'brazil/replica br-2',
    'version-mismatch',
    "version 5.7.44 lacks common table expressions of its primary's 8.4.2; upgrade the replica, or take it out of the shard.",
  ),
}

/** The page's entries: code, class and example message. */
const entries = (): { code: string; className: string; text: string; example: string }[] => {
  const page = readFileSync(path.resolve('docs/errors.md'), 'utf8')
  return page
    .split(/^## /m)
    .slice(1)
    .map((text) => ({
      text,
      code: /^`([a-z-]+)`/.exec(text)?.[1] ?? '',
      className: /— `(\w+)`/.exec(text)?.[1] ?? '',
      example: /```text\n([\s\S]*?)\n```/.exec(text)?.[1] ?? '',
    }))
}

describe('docs/errors.md', () => {
  it('has one entry for each error code, in the order of the code, and no other', () => {
    expect(entries().map(({ code }) => code)).to.deep.equal([...errorCodes])
  })

  for (const { code, className, example, text } of entries())
    it(`tells class, cause, remedy and the real message of ${code}`, () => {
      const sample = samples[code as ErrorCode]
      expect(className).to.equal(sample.name)
      expect(example).to.equal(sample.message)
      expect(text).to.match(/\*\*What happened\.\*\* .{40}/s)
      expect(text).to.match(/\*\*Why\.\*\* .{40}/s)
      expect(text).to.match(/\*\*What to do\.\*\* .{40}/s)
    })
})

describe('every error', () => {
  for (const [code, error] of Object.entries(samples)) {
    it(`${error.name} says its code, stage and class`, () => {
      expect(error).to.be.instanceOf(Error)
      expect(error).to.be.instanceOf(OctopusError)
      expect(error.code).to.equal(code)
      expect(error.stage).to.be.oneOf(['configure', 'route', 'acquire', 'connect', 'query'])
      expect(error.name).to.equal(error.constructor.name)
      expect(error.stack).to.contain(error.name)
    })

    it(`${error.name} ends its message as a sentence or a list`, () => {
      expect(error.message).to.match(/(\.|\n {2}- .+)$/)
    })
  }

  it('is an instance of its own class and the base only', () => {
    for (const one of Object.values(samples))
      for (const other of Object.values(samples))
        expect(
          one instanceof (other.constructor as typeof OctopusError),
          `${one.name} ${other.name}`,
        ).to.equal(one === other)
    for (const value of [new Error('x'), undefined, null, 'x', {}])
      expect(value instanceof OctopusError).to.equal(false)
  })

  it('is recognised when it comes from a second copy of the package', () => {
    // A class of the same name, made elsewhere, with the brand that both copies share.
    const context = createContext({ brand: Symbol.for('typeorm-octopus.error') })
    const foreign: unknown = runInContext(
      `new (class UnknownShardError extends Error {
        get [brand]() { return ['UnknownShardError', 'OctopusError'] }
      })('Unknown shard')`,
      context,
    )
    expect(foreign instanceof errors.UnknownShardError).to.equal(true)
    expect(foreign instanceof OctopusError).to.equal(true)
    expect(foreign instanceof errors.UnknownGroupError).to.equal(false)
  })

  it('keeps the facts as fields', () => {
    expect(samples['unknown-shard']).to.deep.include({
      shard: 'brasil',
      known: ['master', 'brazil', 'canada'],
    })
    expect(samples['acquire-timeout']).to.deep.include({
      endpoint: 'brazil/primary br-1',
      pool: { max: 10, active: 10, idle: 0, waiting: 4 },
    })
    expect(samples['cross-shard']).to.have.deep.property('shards', ['brazil', 'canada'])
  })

  it('lists none where there is nothing to choose', () => {
    expect(new errors.UnknownGroupError('x', []).message).to.equal(
      'Unknown shard group "x"; configured groups: none.',
    )
  })

  it('keeps the cause', () => {
    const cause = new Error('refused')
    expect(new errors.ConnectError('x', 'version-mismatch', 'refused.', { cause }).cause).to.equal(
      cause,
    )
  })
})

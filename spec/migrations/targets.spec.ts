import { expect } from 'chai'
import { InvalidDecoratorError, MigrationPlanError } from '../../lib/errors.js'
import {
  type KnownMigration,
  type ShardChoice,
  assignShards,
  choiceOf,
} from '../../lib/migrations/assignment.js'
import { MigrateOn, type MigrationTargets, declaredTargets } from '../../lib/migrations/targets.js'
import { topologyWith } from '../support/topology.js'
import { failureOf } from '../typeorm/compat/support.js'

const topology = topologyWith(
  { main: {}, brazil: { replicas: [{ name: 'br-2' }] }, canada: {}, spain: {} },
  { americas: ['canada', 'brazil'], europe: ['spain'] },
)
const everywhere: ShardChoice = { kind: 'all' }

const migration = (targets?: unknown, name = 'First1700000000000'): KnownMigration => ({
  name,
  timestamp: 1_700_000_000_000,
  targets,
})

/** The shards of one migration. */
const shardsOf = (
  targets: MigrationTargets | undefined,
  choice: ShardChoice = everywhere,
  byDefault?: readonly string[],
): string[] => {
  const [only] = assignShards([migration(targets)], choice, topology, byDefault).migrations
  return [...(only?.shards ?? [])]
}

const problemsOf = async (...targets: unknown[]): Promise<string[]> => {
  const error = await failureOf(() =>
    assignShards(
      targets.map((each) => migration(each)),
      everywhere,
      topology,
      undefined,
    ),
  )
  expect(error).to.be.instanceOf(MigrationPlanError)
  return (error as MigrationPlanError).problems.map(({ message }) => message)
}

describe('the shards of a migration', () => {
  it('are those that it names, one by one or by groups, in the order of the topology', () => {
    for (const [targets, shards] of [
      [{ shard: 'canada' }, ['canada']],
      [{ shards: ['canada', 'main'] }, ['main', 'canada']],
      [{ shards: 'canada' }, ['canada']],
      [{ group: 'americas' }, ['brazil', 'canada']],
      [{ groups: ['europe', 'americas'] }, ['brazil', 'canada', 'spain']],
      [{ shards: 'all' }, ['main', 'brazil', 'canada', 'spain']],
      [{ shards: 'default' }, ['main']],
    ] as const)
      expect(shardsOf(targets), JSON.stringify(targets)).to.deep.equal(shards)
  })

  it('are each one once, by however many ways it is named', () => {
    expect(
      shardsOf({ shards: ['brazil', 'brazil'], shard: 'brazil', groups: ['americas'] }),
    ).to.deep.equal(['brazil', 'canada'])
  })

  it('are those of migrations.default where it names none, and its own where it does', () => {
    expect(shardsOf(undefined, everywhere, ['americas'])).to.deep.equal(['brazil', 'canada'])
    expect(shardsOf(undefined, everywhere, ['default', 'spain'])).to.deep.equal(['main', 'spain'])
    expect(shardsOf(undefined, everywhere, ['all'])).to.have.length(4)
    expect(shardsOf({ shard: 'spain' }, everywhere, ['americas'])).to.deep.equal(['spain'])
  })

  it('follow a group or shard that is called all or default', () => {
    const named = topologyWith({ main: {}, default: {}, canada: {} }, { all: ['canada'] })
    const of = (byDefault: string) =>
      assignShards([migration()], everywhere, named, [byDefault]).shards
    expect(of('all')).to.deep.equal(['canada'])
    expect(of('default')).to.deep.equal(['default'])
  })

  it('are the one shard of a topology that has one', () => {
    const single = topologyWith({ main: {} })
    expect(assignShards([migration()], everywhere, single, undefined).shards).to.deep.equal([
      'main',
    ])
  })

  it('are the one that a scope or handle names, but not of one that names others', () => {
    const named: ShardChoice = { kind: 'named', shard: 'spain' }
    expect(shardsOf(undefined, named)).to.deep.equal(['spain'])
    expect(shardsOf(undefined, named, ['americas'])).to.deep.equal(['spain'])
    expect(shardsOf({ group: 'americas' }, named)).to.deep.equal([])
    expect(shardsOf({ group: 'europe' }, named)).to.deep.equal(['spain'])
  })

  it('are at most those that options list', () => {
    const choice = choiceOf({ shards: ['main'], groups: ['americas'] }, topology)
    expect(choice).to.deep.equal({ kind: 'restricted', shards: ['main', 'brazil', 'canada'] })
    expect(shardsOf({ groups: ['europe', 'americas'] }, choice)).to.deep.equal(['brazil', 'canada'])
    expect(shardsOf(undefined, choice, ['europe', 'main'])).to.deep.equal(['main'])
    expect(shardsOf(undefined, choice)).to.deep.equal(['main', 'brazil', 'canada'])
  })

  it('must exist, each of them, before any migration runs', async () => {
    expect(
      await problemsOf(
        { groups: ['americsa'] },
        { shards: ['brasil', 'spain'] },
        { shard: 'br-2' },
      ),
    ).to.deep.equal([
      'unknown shard group "americsa"; did you mean "americas"? configured groups: americas, europe',
      'unknown shard "brasil"; did you mean "brazil"? configured shards: main, brazil, canada, spain',
      '"br-2" is a replica of shard "brazil", and migrations run on primaries; name the shard',
    ])
  })

  it('are named under what they are', async () => {
    expect(await problemsOf({ shard: 'americas' }, { groups: 'brazil' })).to.deep.equal([
      '"americas" is a shard group; name it under "groups"',
      '"brazil" is a shard; name it under "shards"',
    ])
  })

  it('are to be said where there are several and nothing says them', async () => {
    const [problem] = await problemsOf(undefined)
    expect(problem).to.match(
      /^says nowhere on which shards it runs, and there are 4\. Say @MigrateOn/,
    )
    expect(problem).to.include('shards: main, brazil, canada, spain; groups: americas, europe')
  })

  it('refuses what is no target', async () => {
    expect(
      await problemsOf('brazil', {}, { shards: [] }, { shrads: 'brazil' }, { shards: 1 }),
    ).to.deep.equal([
      'migrateOn takes an object, such as { shards: ["brazil"] } or { groups: ["americas"] }',
      'migrateOn names no shard and no group',
      'migrateOn names no shard and no group',
      'migrateOn does not know "shrads"; did you mean "shards"?',
      'migrateOn takes a name or a list of names as "shards"',
    ])
  })
})

describe('@MigrateOn', () => {
  @MigrateOn({ shard: 'brazil' })
  class Decorated {}
  class Heir extends Decorated {}
  class Static {
    static readonly migrateOn = { group: 'europe' }
  }
  class Own extends Decorated {
    static readonly migrateOn = { shard: 'spain' }
  }

  it('says the same as a static property, and both are inherited, the nearest first', () => {
    expect(declaredTargets(new Decorated())).to.deep.equal({ shard: 'brazil' })
    expect(declaredTargets(new Heir())).to.deep.equal({ shard: 'brazil' })
    expect(declaredTargets(new Static())).to.deep.equal({ group: 'europe' })
    expect(declaredTargets(new Own())).to.deep.equal({ shard: 'spain' })
    expect(declaredTargets(new (class {})())).to.equal(undefined)
  })

  it('refuses at once what names nothing', () => {
    expect(() => MigrateOn({})).to.throw(InvalidDecoratorError, 'names no shard and no group')
  })
})

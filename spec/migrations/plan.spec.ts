import { expect } from 'chai'
import { MigrationPlanError } from '../../lib/errors.js'
import type { Assignment, KnownMigration } from '../../lib/migrations/assignment.js'
import { type ShardPlan, pendingOn, planOf, planShard } from '../../lib/migrations/plan.js'
import { lastDone, revertedOn } from '../../lib/migrations/reverting.js'
import { statusOf } from '../../lib/migrations/status.js'

const known = (name: string, timestamp: number): KnownMigration => ({
  name,
  timestamp,
  targets: undefined,
})

const both = new Set(['brazil', 'canada'])
const assignment: Assignment<KnownMigration> = {
  shards: ['brazil', 'canada'],
  migrations: [
    { migration: known('One', 1), shards: both },
    { migration: known('Two', 2), shards: new Set(['brazil']) },
    { migration: known('Three', 3), shards: both },
  ],
}

const planned = (done: Readonly<Record<string, readonly string[]>>) =>
  planOf(
    assignment,
    Object.entries(done).map(([shard, names]) => planShard(shard, assignment, names)),
  )

const cells = (plan: ShardPlan | undefined) =>
  plan?.kind === 'read'
    ? plan.migrations.map(({ state, drift }) =>
        drift === undefined ? state : `${state}, ${drift}`,
      )
    : []

describe('a plan of migrations', () => {
  it('says of each migration on each shard whether it is done, pending or not for it', () => {
    const plan = planned({ brazil: ['One'], canada: [] })
    expect(cells(plan.shards[0])).to.deep.equal(['done', 'pending', 'pending'])
    expect(cells(plan.shards[1])).to.deep.equal(['pending', 'not targeted', 'pending'])
    expect(plan.pending).to.equal(4)
    expect(plan.isUpToDate).to.equal(false)
    expect(plan.migrations[1]).to.deep.equal({ migration: 'Two', timestamp: 2, shards: ['brazil'] })
  })

  it('is up to date when nothing is pending and every shard was read', () => {
    const done = { brazil: ['One', 'Two', 'Three'], canada: ['One', 'Three'] }
    expect(planned(done).isUpToDate).to.equal(true)
    const silent: ShardPlan = { shard: 'peru', kind: 'unreadable', error: new Error('down') }
    const partly = planOf(assignment, [...planned(done).shards, silent])
    expect(partly).to.include({ pending: 0, isUpToDate: false })
    expect(pendingOn(silent)).to.deep.equal([])
  })

  it('tells what is done and in no code, what is older than what is done, and what is misplaced', () => {
    const plan = planned({ brazil: ['Gone', 'Three'], canada: ['One', 'Two', 'Three'] })
    expect(cells(plan.shards[0])).to.deep.equal([
      'pending, out of order',
      'pending, out of order',
      'done',
    ])
    expect(plan.shards[0]).to.deep.include({ unknown: ['Gone'], last: 'Three' })
    expect(cells(plan.shards[1])).to.deep.equal(['done', 'done, misplaced', 'done'])
  })

  it('comes to a line for each shard', () => {
    const plan = planOf(assignment, [
      ...planned({ brazil: ['Gone', 'Three'], canada: ['One', 'Two', 'Three'] }).shards,
      { shard: 'peru', kind: 'unreadable', error: new Error('down') },
    ])
    const lines = statusOf(plan).shards.map(({ shard, state, done, pending, last }) => [
      shard,
      state,
      done,
      pending.length,
      last,
    ])
    expect(lines).to.deep.equal([
      ['brazil', 'pending', 1, 2, 'Three'],
      ['canada', 'drifted', 3, 0, 'Three'],
      ['peru', 'unreadable', 0, 0, undefined],
    ])
  })
})

describe('the migration that a revert is about', () => {
  it('is the latest of what was done last, on each shard where nothing was done after it', () => {
    const plan = planned({ brazil: ['One', 'Two', 'Three'], canada: ['One', 'Three'] })
    expect(lastDone(plan)).to.equal('Three')
    expect(revertedOn(plan, 'Three')).to.deep.equal(['brazil', 'canada'])
  })

  it('brings shards together that are not at the same one', () => {
    const plan = planned({ brazil: ['One', 'Two'], canada: ['One'] })
    expect(lastDone(plan)).to.equal('Two')
    expect(revertedOn(plan, 'Two')).to.deep.equal(['brazil'])
  })

  it('is none where nothing is done', () => {
    expect(lastDone(planned({ brazil: [], canada: [] }))).to.equal(undefined)
  })

  it('must be in the code, and for the shard', () => {
    expect(() => lastDone(planned({ brazil: ['One', 'Gone'], canada: ['One', 'Two'] })))
      .to.throw(MigrationPlanError)
      .with.deep.property('problems', [
        {
          shard: 'brazil',
          migration: 'Gone',
          message:
            'was done last there, and was not found in the source code. Bring it back, or leave the shard out',
        },
        {
          shard: 'canada',
          migration: 'Two',
          message:
            'was done last there, and does not run on that shard. Correct its targets, or leave the shard out',
        },
      ])
  })
})

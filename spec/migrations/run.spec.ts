import { expect } from 'chai'
import { UnknownShardError } from '../../lib/errors.js'
import type { MigrationReport, ShardReport } from '../../lib/migrations/report.js'
import { type RunPolicy, type ShardWork, runOverShards } from '../../lib/migrations/run.js'
import { failureOf } from '../typeorm/compat/support.js'

const shards = ['brazil', 'canada', 'peru', 'spain']

const report = (shard: string, outcome: ShardReport['outcome']): ShardReport => ({
  shard,
  outcome,
  finished: [],
  left: [],
  failure:
    outcome === 'failed'
      ? { migration: undefined, error: new Error(shard), leftBehind: [] }
      : undefined,
  waitedMs: 0,
})

const policy: RunPolicy = {
  concurrency: 2,
  onError: 'stop',
  first: undefined,
  confirm: undefined,
  signal: undefined,
}

/** Runs a stand-in for the work on a shard; tells which were visited. */
const run = async (
  given: Partial<RunPolicy>,
  work: ShardWork = (shard) => Promise.resolve(report(shard, 'done')),
): Promise<{ visited: string[]; report: MigrationReport; events: string[] }> => {
  const visited: string[] = []
  const events: string[] = []
  const ended = await runOverShards(
    'up',
    shards,
    (shard, gate) => {
      visited.push(shard)
      return work(shard, gate)
    },
    { ...policy, ...given },
    ({ type }) => events.push(type),
    () => 0,
  )
  return { visited, report: ended, events }
}

const outcomes = ({ shards: all }: MigrationReport): string[] =>
  all.map(({ shard, outcome }) => `${shard}: ${outcome}`)

describe('a run over several shards', () => {
  it('visits each once, no more at a time than is allowed', async () => {
    let running = 0
    let most = 0
    const { visited, report: ended } = await run({}, async (shard) => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return report(shard, 'done')
    })
    expect(visited).to.deep.equal(shards)
    expect(most).to.equal(2)
    expect(ended.outcome).to.equal('done')
  })

  const failsOnCanada: ShardWork = (shard) =>
    Promise.resolve(report(shard, shard === 'canada' ? 'failed' : 'done'))

  it('begins nothing more after a failure, or goes on, as is wanted', async () => {
    const stopped = await run({ concurrency: 1 }, failsOnCanada)
    expect(outcomes(stopped.report)).to.deep.equal([
      'brazil: done',
      'canada: failed',
      'peru: not begun',
      'spain: not begun',
    ])
    const went = await run({ concurrency: 1, onError: 'continue' }, failsOnCanada)
    expect(went.visited).to.deep.equal(shards)
    expect(went.report.outcome).to.equal('failed')
  })

  it('closes the gate of the shards that are at work when one fails', async () => {
    const { report: ended } = await run({ concurrency: 4 }, async (shard, gate) => {
      if (shard === 'canada') return report(shard, 'failed')
      await new Promise((resolve) => setImmediate(resolve))
      return report(shard, gate.isOpen ? 'done' : 'stopped')
    })
    expect(outcomes(ended)).to.deep.equal([
      'brazil: stopped',
      'canada: failed',
      'peru: stopped',
      'spain: stopped',
    ])
  })

  it('does one shard first, and asks before the others', async () => {
    const asked: string[] = []
    const confirm = (answer: boolean) => (first: ShardReport) => {
      asked.push(first.shard)
      return answer
    }
    const yes = await run({ first: 'peru', confirm: confirm(true), concurrency: 1 })
    expect(yes.visited).to.deep.equal(['peru', 'brazil', 'canada', 'spain'])
    expect(
      yes.report.shards.map(({ shard }) => shard),
      'in the order given',
    ).to.deep.equal(shards)
    const no = await run({ first: 'peru', confirm: confirm(false) })
    expect(no.visited).to.deep.equal(['peru'])
    expect(no.report.outcome).to.equal('declined')
    expect(asked).to.deep.equal(['peru', 'peru'])
  })

  it('goes no further than a first shard that failed, whatever the policy', async () => {
    const { visited, report: ended } = await run(
      {
        first: 'canada',
        onError: 'continue',
        confirm: () => {
          throw new Error('Nobody is to be asked.')
        },
      },
      failsOnCanada,
    )
    expect(visited).to.deep.equal(['canada'])
    expect(ended.outcome).to.equal('failed')
  })

  it('refuses a first shard that is none of its shards', async () => {
    expect(await failureOf(() => run({ first: 'main' }))).to.be.instanceOf(UnknownShardError)
  })

  it('is interrupted by its signal, and finishes what is under way', async () => {
    const controller = new AbortController()
    const { visited, report: ended } = await run(
      { concurrency: 1, signal: controller.signal },
      (shard) => {
        if (shard === 'canada') controller.abort()
        return Promise.resolve(report(shard, 'done'))
      },
    )
    expect(visited).to.deep.equal(['brazil', 'canada'])
    expect(ended.outcome).to.equal('interrupted')
    expect(outcomes(ended).slice(2)).to.deep.equal(['peru: not begun', 'spain: not begun'])
  })

  it('is done when its signal comes too late to keep anything from being done', async () => {
    const controller = new AbortController()
    const { report: ended } = await run({ signal: controller.signal }, (shard) => {
      if (shard === 'spain') controller.abort()
      return Promise.resolve(report(shard, 'done'))
    })
    expect(ended.outcome).to.equal('done')
  })

  it('begins nothing with a signal that has come already', async () => {
    const { visited, report: ended } = await run({ signal: AbortSignal.abort() })
    expect(visited).to.deep.equal([])
    expect(ended.outcome).to.equal('interrupted')
  })

  it('tells its beginning and its end', async () => {
    const { events } = await run({})
    expect(events).to.deep.equal(['run-started', 'run-finished'])
  })
})

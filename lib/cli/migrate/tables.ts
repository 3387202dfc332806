import type { MigrationPlan, MigrationReport, MigrationStatus, ShardPlan } from '../../index.js'
import { errorFacts } from '../exit.js'
import type { Cell, Paper } from '../frame.js'

/** With more shards than these the plan has a line for each migration only. */
const widest = 6
/** So many names are told where there may be hundreds. */
const namesShown = 5

/** The first of many names, and how many more there are. */
export const someOf = (names: readonly string[]): string => {
  const shown = names.slice(0, namesShown).join(', ')
  return names.length > namesShown ? `${shown} and ${names.length - namesShown} more` : shown
}

const tones = { done: 'good', pending: 'warning', 'not targeted': 'quiet' } as const

const cellOf = (plan: ShardPlan, at: number): Cell => {
  if (plan.kind === 'unreadable') return { text: '?', tone: 'bad' }
  const { state, drift } = plan.migrations[at] ?? { state: 'not targeted', drift: undefined }
  if (state === 'not targeted') return { text: '-', tone: 'quiet' }
  const text = drift === undefined ? state : `${state}, ${drift}`
  return { text, tone: drift === undefined ? tones[state] : 'warning' }
}

const matrix = ({ migrations, shards }: MigrationPlan, paper: Paper): void =>
  paper.table(
    ['migration', ...shards.map(({ shard }) => shard)],
    migrations.map(({ migration }, at) => [migration, ...shards.map((plan) => cellOf(plan, at))]),
  )

const summary = ({ migrations, shards }: MigrationPlan, paper: Paper): void => {
  const shardsWith = (at: number, state: string): string[] =>
    shards
      .filter((plan) => plan.kind === 'read' && plan.migrations[at]?.state === state)
      .map(({ shard }) => shard)
  paper.table(
    ['migration', 'done', 'pending', 'pending on'],
    migrations.map(({ migration }, at) => {
      const pending = shardsWith(at, 'pending')
      return [migration, shardsWith(at, 'done').length, pending.length, someOf(pending)]
    }),
  )
}

/** Migrations × shards. */
export const writePlan = (paper: Paper, plan: MigrationPlan): void => {
  if (plan.migrations.length === 0) return paper.line('There are no migrations.')
  if (plan.shards.length <= widest) matrix(plan, paper)
  else summary(plan, paper)
  for (const each of plan.shards)
    if (each.kind === 'unreadable')
      paper.line(`${each.shard} cannot be read: ${errorFacts(each.error).message}`, 'bad')
    else if (each.unknown.length > 0)
      paper.line(
        `${each.shard} has done what is not in the code: ${someOf(each.unknown)}`,
        'warning',
      )
  const open = plan.shards.filter(
    (each) => each.kind === 'read' && each.migrations.some(({ state }) => state === 'pending'),
  )
  paper.line(
    plan.pending === 0
      ? 'Nothing is pending.'
      : `${plan.pending} pending on ${open.length} of ${plan.shards.length} shards.`,
    plan.isUpToDate ? 'good' : 'warning',
  )
}

/** What is to be reverted, and where. */
export const writeReverted = (paper: Paper, { shards }: MigrationReport): void => {
  const reverted = shards.filter(({ left }) => left !== undefined && left.length > 0)
  const [migration] = reverted[0]?.left ?? []
  paper.line(
    migration === undefined
      ? 'Nothing is done that could be reverted.'
      : `${migration} is to be reverted on ${someOf(reverted.map(({ shard }) => shard))}.`,
    'warning',
  )
}

const stateTones = {
  'up to date': 'good',
  pending: 'warning',
  drifted: 'warning',
  unreadable: 'bad',
} as const

/** A line for each shard. */
export const writeStatus = (paper: Paper, { shards }: MigrationStatus): void => {
  paper.table(
    ['shard', 'state', 'done', 'pending', 'last', 'drift'],
    shards.map(({ shard, state, done, pending, last, unknown, misplaced, outOfOrder, error }) => [
      shard,
      { text: state, tone: stateTones[state] },
      done,
      pending.length,
      last,
      error === undefined
        ? [
            ...unknown.map((name) => `unknown: ${name}`),
            ...misplaced.map((name) => `misplaced: ${name}`),
            ...outOfOrder.map((name) => `out of order: ${name}`),
          ].join('\n')
        : errorFacts(error).message,
    ]),
  )
}

const outcomeTones = {
  done: 'good',
  'up to date': 'quiet',
  failed: 'bad',
  stopped: 'warning',
  'not begun': 'warning',
} as const

/** What a run came to, shard by shard. */
export const writeReport = (paper: Paper, report: MigrationReport): void => {
  if (report.shards.length === 0) return paper.line('There was nothing to do.')
  paper.table(
    ['shard', 'outcome', 'done', 'left', 'waited'],
    report.shards.map(({ shard, outcome, finished, left, waitedMs }) => [
      shard,
      { text: outcome, tone: outcomeTones[outcome] },
      finished.length,
      left === undefined ? '?' : left.length,
      waitedMs > 0 ? `${waitedMs} ms` : '',
    ]),
  )
  for (const { shard, finished, failure } of report.shards) {
    for (const { migration, effects } of finished)
      for (const each of effects)
        if (each.shard !== shard)
          paper.line(`${migration} on ${shard} sent ${each.statements} statements to ${each.shard}`)
    if (failure === undefined) continue
    const at = failure.migration === undefined ? '' : ` in ${failure.migration}`
    paper.line(`${shard} failed${at}: ${errorFacts(failure.error).message}`, 'bad')
    for (const each of failure.leftBehind)
      paper.line(`  not rolled back on ${each.shard}: ${each.statements.join(', ')}`, 'bad')
  }
}

import { type Command, Option } from 'commander'
import {
  type ConnectionProxy,
  type MigrationDirection,
  type MigrationReport,
  MigrationRunError,
  type MigrationRevertOptions,
  type MigrationRunOptions,
  pendingOn,
} from '../../index.js'
import { type AddCommand, type ExitCode, type Session, UsageError, exitCodes } from '../frame.js'
import { type CreateOptions, createMigration } from '../migrate/create.js'
import { planData, reportData, statusData } from '../migrate/data.js'
import { type Workload, followRun } from '../migrate/follow.js'
import { writePlan, writeReport, writeReverted, writeStatus } from '../migrate/tables.js'
import { collected, milliseconds, wholeNumber } from '../options.js'

interface WhereOptions {
  readonly shard?: readonly string[]
  readonly group?: readonly string[]
  readonly concurrency?: number
}

interface CheckOptions extends WhereOptions {
  readonly check?: boolean
}

interface RunOptions extends WhereOptions {
  readonly dryRun?: boolean
  readonly transaction?: 'all' | 'each' | 'none'
  readonly onError?: 'stop' | 'continue'
  readonly lockTimeout?: number
  readonly first?: string
  readonly yes?: boolean
}

type RunDirection = Exclude<MigrationDirection, 'forget'>

const where = ({ shard, group, concurrency }: WhereOptions) => ({
  shards: shard,
  groups: group,
  concurrency,
})

/** Runs, reverts or marks, by the method that does it. */
const doer = {
  up: (db: ConnectionProxy, options: MigrationRunOptions) => db.octopus.migrations.run(options),
  down: (db: ConnectionProxy, options: MigrationRevertOptions) =>
    db.octopus.migrations.revert(options),
  baseline: (db: ConnectionProxy, options: MigrationRunOptions) =>
    db.octopus.migrations.baseline(options),
} as const satisfies Record<RunDirection, unknown>

/** The report of a run, also of one that failed. */
const reportOf = async (run: Promise<MigrationReport>): Promise<MigrationReport> => {
  try {
    return await run
  } catch (error) {
    if (error instanceof MigrationRunError) return error.report
    throw error
  }
}

/** What was shown before a run. */
interface Announced {
  readonly workload: Workload
  /** What is to be reverted, and nothing else, whatever others do meanwhile. */
  readonly migration?: string | undefined
}

/** Shows what is to be done, and yields how much that is on each shard. */
const announce = async (
  { output }: Session,
  db: ConnectionProxy,
  direction: RunDirection,
  options: RunOptions,
): Promise<Announced> => {
  if (direction === 'down') {
    const dry = await db.octopus.migrations.revert({ ...where(options), dryRun: true })
    output.event({ type: 'plan', ...reportData(dry) }, (paper) => writeReverted(paper, dry))
    return {
      workload: new Map(dry.shards.map(({ shard, left }) => [shard, left?.length ?? 0])),
      migration: dry.shards.flatMap(({ left = [] }) => left).at(0),
    }
  }
  const plan = await db.octopus.migrations.plan(where(options))
  output.event({ type: 'plan', ...planData(plan) }, (paper) => writePlan(paper, plan))
  return { workload: new Map(plan.shards.map((each) => [each.shard, pendingOn(each).length])) }
}

const confirmedBy =
  (session: Session, { yes = false }: RunOptions) =>
  async ({ shard, finished }: { shard: string; finished: readonly unknown[] }) =>
    yes || session.confirm(`${shard}: ${finished.length} done. Go on with the other shards?`)

const migrate = async (
  session: Session,
  direction: RunDirection,
  options: RunOptions,
): Promise<ExitCode> => {
  const { output, signal, isInteractive } = session
  const { first, yes, dryRun, transaction, onError, lockTimeout } = options
  if (first !== undefined && yes !== true && !isInteractive)
    throw new UsageError('--first asks before it goes on, and nobody is there: add --yes.')
  const db = await session.openDataSource()
  const { workload, migration } = await announce(session, db, direction, options)
  if (dryRun === true) return exitCodes.ok
  const { onEvent, stop } = followRun(output, workload, db.octopus.groups)
  const report = await reportOf(
    doer[direction](db, {
      ...where(options),
      migration,
      transaction,
      onError,
      lockTimeoutMs: lockTimeout,
      first,
      confirm: first === undefined ? undefined : confirmedBy(session, options),
      signal,
      onEvent,
    }),
  )
  stop()
  output.event({ type: 'report', ...reportData(report) }, (paper) => writeReport(paper, report))
  return report.outcome === 'done' ? exitCodes.ok : exitCodes.failed
}

const showPlan = async (session: Session, options: CheckOptions): Promise<ExitCode> => {
  const db = await session.openDataSource()
  const plan = await db.octopus.migrations.plan(where(options))
  session.output.show(planData(plan), (paper) => writePlan(paper, plan))
  return options.check === true && !plan.isUpToDate ? exitCodes.failed : exitCodes.ok
}

const showStatus = async (session: Session, options: CheckOptions): Promise<ExitCode> => {
  const db = await session.openDataSource()
  const status = await db.octopus.migrations.status(where(options))
  session.output.show(statusData(status), (paper) => writeStatus(paper, status))
  return options.check === true && !status.isUpToDate ? exitCodes.failed : exitCodes.ok
}

/** A command about shards, with the options that name them. */
const onShards = (parent: Command, name: string, description: string): Command =>
  parent
    .command(name)
    .description(description)
    .option('--shard <name>', 'only this shard; can be given several times', collected)
    .option(
      '--group <name>',
      'only the shards of this group; can be given several times',
      collected,
    )
    .option('--concurrency <shards>', 'so many shards at a time', wholeNumber(1))

const withCheck = (command: Command): Command =>
  command.option('--check', 'exit with 1 if anything is pending, or a shard cannot be read')

/** A command that changes shards. */
const changing = (command: Command): Command =>
  command
    .option('--dry-run', 'show what would be done, and do nothing')
    .addOption(
      new Option('--transaction <mode>', 'migrations of a shard that share one').choices([
        'all',
        'each',
        'none',
      ]),
    )
    .addOption(
      new Option('--on-error <policy>', 'for the other shards, where one fails').choices([
        'stop',
        'continue',
      ]),
    )
    .option('--lock-timeout <ms>', "how long another runner's lock is waited for", milliseconds)
    .option('--first <shard>', 'do this shard first, then ask before the others')
    .option('--yes', 'do not ask')

/** `octopus migrate …`: migrations across the shards. */
export const addMigrate: AddCommand = (program, frame) => {
  const group = program.command('migrate').description('migrations across the shards')
  const run = (direction: RunDirection) =>
    frame.finishingAction((session: Session, options: RunOptions) =>
      migrate(session, direction, options),
    )
  changing(onShards(group, 'up', 'run what is pending')).action(run('up'))
  changing(onShards(group, 'down', 'revert what was done last')).action(run('down'))
  withCheck(onShards(group, 'status', 'a line for each shard')).action(frame.action(showStatus))
  withCheck(onShards(group, 'plan', 'what is done and pending where')).action(
    frame.action(showPlan),
  )
  changing(onShards(group, 'baseline', 'mark what is pending as done, without running it')).action(
    run('baseline'),
  )
  group
    .command('create')
    .description('write the file of a new migration')
    .argument('<name>', 'such as AddVisits')
    .option('--shard <name>', 'it runs on this shard; can be given several times', collected)
    .option('--group <name>', 'it runs on this group; can be given several times', collected)
    .option('--dir <folder>', 'where to', 'migrations')
    .option('--js', 'in JavaScript')
    .action(
      frame.action(async (session, name: string, options: CreateOptions) => {
        const file = await createMigration(session, name, options)
        session.output.show({ file }, (paper) => paper.line(`${file} is written.`, 'good'))
      }),
    )
}

import { Option } from 'commander'
import type { SchemaDiff, SchemaSync, ShardSchemaDiff, ShardSchemaSync } from '../../index.js'
import { counted } from '../counted.js'
import { errorFacts } from '../exit.js'
import {
  type AddCommand,
  type ExitCode,
  type Frame,
  type Paper,
  UsageError,
  exitCodes,
} from '../frame.js'
import { type ShardChoice, targetsOf, withShardOptions } from '../shard-options.js'

interface DiffOptions extends ShardChoice {
  readonly reference?: string
  readonly entities?: boolean
}

interface SyncOptions extends ShardChoice {
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly allowDrops?: boolean
}

/** Errors as a program reads them. */
const withErrorFacts = <T extends ShardSchemaDiff | ShardSchemaSync>(shards: readonly T[]) =>
  shards.map((each) =>
    each.status === 'failed' ? { ...each, error: errorFacts(each.error) } : each,
  )

const writeShardDiff = (paper: Paper, each: ShardSchemaDiff): void => {
  switch (each.status) {
    case 'reference':
      return paper.line(`${each.shard}: the reference`)
    case 'same':
      return paper.line(`${each.shard}: as ${each.reference}`, 'good')
    case 'not comparable':
      return paper.line(`${each.shard}: not comparable, ${each.reason}`, 'warning')
    case 'failed':
      return paper.line(`${each.shard}: failed, ${errorFacts(each.error).message}`, 'bad')
    case 'different':
      paper.line(
        `${each.shard}: ${counted(each.differences.length, 'difference')} from ${each.reference}`,
        'bad',
      )
      return paper.table(
        ['kind', 'table', 'name', `in ${each.reference}`, `in ${each.shard}`, 'with it'],
        each.differences.map(({ kind, table, name, reference, actual, implied }) => [
          kind,
          table,
          name === table ? '' : name,
          reference,
          actual,
          implied.join('\n'),
        ]),
      )
    default:
      return each satisfies never
  }
}

const writeShardSync = (paper: Paper, each: ShardSchemaSync): void => {
  switch (each.status) {
    case 'same':
      return paper.line(`${each.shard}: as the entities say`, 'good')
    case 'failed':
      return paper.line(`${each.shard}: failed, ${errorFacts(each.error).message}`, 'bad')
    case 'planned':
    case 'changed': {
      const done = each.status === 'changed' ? 'done' : 'to be done'
      const tone = each.status === 'changed' ? 'good' : 'warning'
      paper.line(`${each.shard}: ${counted(each.statements.length, 'statement')} ${done}`, tone)
      for (const sql of each.statements)
        paper.line(`  ${sql};`, each.drops.includes(sql) ? 'bad' : undefined)
      return
    }
    default:
      return each satisfies never
  }
}

const showDiff = (diff: SchemaDiff) => (paper: Paper) => {
  for (const each of diff.shards) writeShardDiff(paper, each)
}

const showSync = (sync: SchemaSync) => (paper: Paper) => {
  for (const each of sync.shards) writeShardSync(paper, each)
}

const codeOf = (isWell: boolean): ExitCode => (isWell ? exitCodes.ok : exitCodes.failed)

const diffAction = (frame: Frame) =>
  frame.action(async (session, options: DiffOptions) => {
    const db = await session.openDataSource()
    const targets = targetsOf(options)
    if (options.entities === true) {
      const sync = await db.octopus.schema.diff({ ...targets, against: 'entities' })
      session.output.show({ ...sync, shards: withErrorFacts(sync.shards) }, showSync(sync))
      return codeOf(sync.isSame)
    }
    const { reference } = options
    const diff = await db.octopus.schema.diff({ ...targets, ...(reference && { reference }) })
    session.output.show({ ...diff, shards: withErrorFacts(diff.shards) }, showDiff(diff))
    return codeOf(diff.isSame)
  })

const syncAction = (frame: Frame) =>
  frame.finishingAction(async (session, options: SyncOptions) => {
    const { dryRun = false, yes = false, allowDrops = false } = options
    if (!dryRun && !yes)
      throw new UsageError('Say --dry-run to see the statements, or --yes to run them.')
    const db = await session.openDataSource()
    const sync = await db.octopus.schema.sync({ ...targetsOf(options), dryRun, allowDrops })
    session.output.show({ ...sync, shards: withErrorFacts(sync.shards) }, showSync(sync))
    return codeOf(sync.shards.every(({ status }) => status !== 'failed'))
  })

/** `octopus schema`: in what the schemas of shards differ, and what the entities want of them. */
export const addSchema: AddCommand = (program, frame) => {
  const schema = program
    .command('schema')
    .description('compare the schemas of shards, and bring them up to the entities')
  withShardOptions(
    schema
      .command('diff')
      .description('in what the schemas of shards differ; exit code 1 if they do')
      .addOption(
        new Option(
          '--reference <shard>',
          'the shard that is right; by default the first of the largest number that are the same',
        ).conflicts('entities'),
      )
      .option('--entities', 'compare with the entities, by what TypeORM would do'),
  ).action(diffAction(frame))
  withShardOptions(
    schema
      .command('sync')
      .description('make the schemas of shards as the entities say')
      .addOption(
        new Option('--dry-run', 'print the statements, and change nothing').conflicts('yes'),
      )
      .option('--yes', 'run the statements')
      .option('--allow-drops', 'also those that drop tables, columns, indexes and the like'),
  ).action(syncAction(frame))
}

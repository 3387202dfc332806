import { Option } from 'commander'
import type { ConnectionProxy, Role } from '../../index.js'
import { counted } from '../counted.js'
import { type ErrorFacts, errorFacts } from '../exit.js'
import { type AddCommand, type Paper, UsageError, exitCodes } from '../frame.js'
import { collected, wholeNumber } from '../options.js'
import { type Rows, cellsOf, columnsOf, parameterOf, plainRows, resultOf } from '../rows.js'

interface QueryOptions {
  readonly shard?: readonly string[]
  readonly group?: string
  readonly all?: boolean
  readonly param?: readonly string[]
  readonly limit: number
  readonly write?: boolean
}

/** What one shard answered. */
interface ShardResult {
  readonly shard: string
  readonly role: Role | undefined
  readonly node: string | undefined
  /** At most as many as `--limit`. */
  readonly rows: Rows
  /** How many there are. */
  readonly rowCount: number
  /** How many a write changed; undefined for a read. */
  readonly affected: number | undefined
  readonly error: ErrorFacts | undefined
}

const failed = (shard: string, error: unknown): ShardResult => ({
  shard,
  role: undefined,
  node: undefined,
  rows: [],
  rowCount: 0,
  affected: undefined,
  error: errorFacts(error),
})

/** The shards that the options name. */
const shardsOf = (
  { octopus }: ConnectionProxy,
  { shard, group, all = false }: QueryOptions,
): readonly string[] => {
  const { shardNames, groups } = octopus
  if (shard !== undefined) {
    const unknown = shard.find((name) => !shardNames.includes(name))
    if (unknown === undefined) return [...new Set(shard)]
    throw new UsageError(`Unknown shard "${unknown}"; configured shards: ${shardNames.join(', ')}.`)
  }
  if (group !== undefined) {
    const members = groups.get(group)
    if (members !== undefined) return members
    const known = [...groups.keys()].join(', ') || 'none'
    throw new UsageError(`Unknown shard group "${group}"; configured groups: ${known}.`)
  }
  if (all || shardNames.length === 1) return shardNames
  throw new UsageError('Say where: --shard <name>, --group <name> or --all.')
}

const headingOf = ({ shard, role, node }: ShardResult): string =>
  node === undefined ? shard : `${shard} (${role} ${node})`

const summaryOf = ({ rows, rowCount, affected }: ShardResult): string => {
  if (affected !== undefined) return `${counted(affected, 'row')} changed`
  const count = counted(rowCount, 'row')
  return rows.length < rowCount ? `${count}, the first ${rows.length} shown` : count
}

const write = (paper: Paper, results: readonly ShardResult[]): void => {
  for (const result of results) {
    const { error, rows } = result
    if (error !== undefined) {
      paper.line(`${headingOf(result)}: ${error.message}`, 'bad')
      continue
    }
    paper.line(`${headingOf(result)}: ${summaryOf(result)}`, 'strong')
    if (rows.length === 0) continue
    const columns = columnsOf(rows)
    paper.table(columns, cellsOf(rows, columns))
  }
}

/** Sends the statement on one shard: to a replica, where it may only read, or to the primary. */
const askShard = async (
  db: ConnectionProxy,
  shard: string,
  sql: string,
  { param = [], limit, write: isWrite = false }: QueryOptions,
): Promise<ShardResult> => {
  const parameters = param.map(parameterOf)
  const send = (): Promise<unknown> => db.query(sql, parameters)
  try {
    const { value, events } = await db.using(shard, () =>
      db.octopus.withTrace(() => (isWrite ? db.usingPrimary(send) : db.usingReplica(send))),
    )
    const { rows, affected } = resultOf(value)
    const { role, node } = events.at(-1) ?? {}
    const shown = plainRows(limit === 0 ? rows : rows.slice(0, limit))
    return { shard, role, node, rows: shown, rowCount: rows.length, affected, error: undefined }
  } catch (error) {
    return failed(shard, error)
  }
}

/** Does `work` for each shard, so many at a time as the configuration has it. */
const visit = async <T>(
  db: ConnectionProxy,
  { group, all = false }: QueryOptions,
  shards: readonly string[],
  work: (shard: string) => Promise<T>,
): Promise<readonly T[]> => {
  if (group === undefined && !all) return Promise.all(shards.map(work))
  const values = await (group === undefined ? db.usingAll(work) : db.usingGroup(group, work))
  return values.map(({ value }) => value)
}

/** `octopus query`: one statement on shards, with what each of them answers. */
export const addQuery: AddCommand = (program, frame) => {
  program
    .command('query')
    .description('run a statement on shards; on their replicas, and reading only, unless --write')
    .argument('<sql>', 'the statement, with the placeholders of its engine')
    .addOption(
      new Option('--shard <name>', 'on this shard; can be given several times')
        .argParser(collected)
        .conflicts(['group', 'all']),
    )
    .addOption(new Option('--group <name>', 'on the shards of a group').conflicts(['all']))
    .option('--all', 'on every shard')
    .option(
      '--param <value>',
      'a parameter, in order: a number, true, false, null or "text" in JSON, or else text as it is',
      collected,
    )
    .option('--limit <rows>', 'show so many rows of each shard; 0 for all', wholeNumber(0), 100)
    .option('--write', 'run it on the primaries, whatever it does')
    .action(
      frame.action(async (session, sql: string, options: QueryOptions) => {
        const { output } = session
        const shards = shardsOf(await session.loadDataSource(), options)
        const db = await session.openDataSource()
        const progress = output.progress(shards.length, 'asking')
        const results = await visit(db, options, shards, async (shard) => {
          const result = await askShard(db, shard, sql, options)
          progress.step(1, shard)
          return result
        })
        progress.stop()
        if (results.some(({ error }) => error?.code === 'read-only-scope'))
          throw new UsageError(
            'The statement is not known to only read: add --write to run it on the primaries.',
          )
        output.show(results, (paper) => write(paper, results))
        const isFailed = results.some(({ error }) => error !== undefined)
        return isFailed ? exitCodes.failed : exitCodes.ok
      }),
    )
}

import { Option } from 'commander'
import { FanOutError, type ShardValue } from '../../index.js'
import { type ErrorFacts, errorFacts } from '../exit.js'
import { type AddCommand, type Paper, exitCodes } from '../frame.js'
import { loadSeedFile } from '../seed-file.js'
import { type ShardChoice, targetsOf, withShardOptions } from '../shard-options.js'

interface SeedCommandOptions extends ShardChoice {
  readonly all?: boolean
  readonly allowPending?: boolean
}

/** What became of one shard. */
interface Seeded {
  readonly shard: string
  /** Why it failed, and was left as it had been. */
  readonly error: ErrorFacts | undefined
}

const settled = async (seeding: Promise<readonly ShardValue<number>[]>): Promise<Seeded[]> => {
  try {
    return (await seeding).map(({ shard }) => ({ shard, error: undefined }))
  } catch (error) {
    if (!(error instanceof FanOutError)) throw error
    return [
      ...error.succeeded.map((shard) => ({ shard, error: undefined })),
      ...error.failures.map((each) => ({ shard: each.shard, error: errorFacts(each.error) })),
    ]
  }
}

const write = (seeded: readonly Seeded[]) => (paper: Paper) => {
  for (const { shard, error } of seeded)
    if (error === undefined) paper.line(`${shard}: seeded`, 'good')
    else paper.line(`${shard}: failed and undone, ${error.message}`, 'bad')
}

/** `octopus seed`: runs the functions that a file exports, on shards. */
export const addSeed: AddCommand = (program, frame) => {
  withShardOptions(
    program
      .command('seed')
      .description('run the functions that a module exports, on each shard in a transaction')
      .argument('<file>', 'the module; it may say where by an export targets')
      .addOption(new Option('--all', 'on every shard').conflicts(['shard', 'group']))
      .option('--allow-pending', 'although migrations are pending'),
  ).action(
    frame.finishingAction(async (session, file: string, options: SeedCommandOptions) => {
      const { all, allowPending = false, shard, group } = options
      const { seeds, targets } = await loadSeedFile(file, session.cwd)
      const db = await session.openDataSource()
      const isNamed = all !== undefined || shard !== undefined || group !== undefined
      const where = isNamed ? { ...targetsOf(options), ...(all && { all }) } : targets
      const seeded = await settled(db.octopus.seed(seeds, { ...where, allowPending }))
      session.output.show(seeded, write(seeded))
      const isFailed = seeded.some(({ error }) => error !== undefined)
      return isFailed ? exitCodes.failed : exitCodes.ok
    }),
  )
}

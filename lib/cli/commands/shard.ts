import type { BootstrapReport } from '../../index.js'
import { counted } from '../counted.js'
import type { AddCommand, Paper } from '../frame.js'

interface BootstrapCommandOptions {
  readonly from?: string
  readonly copy?: boolean
}

const steps = {
  check: 'looking whether it is empty',
  migrations: 'running its migrations',
  copy: 'copying the schema',
  verify: 'comparing',
} as const

const write = (report: BootstrapReport) => (paper: Paper) => {
  const { shard, via, reference, tables, migrations } = report
  const made = via === 'copy' ? `copied from ${reference}` : 'made by its migrations'
  const has = `${counted(tables.length, 'table')}, ${counted(migrations.length, 'migration')}`
  paper.line(`${shard}: ${made}; ${has}`, 'good')
  paper.line(
    reference === undefined
      ? 'There is no other shard of its engine to compare it with.'
      : `Its schema is as ${reference}'s.`,
  )
}

/** `octopus shard`: makes shards. */
export const addShard: AddCommand = (program, frame) => {
  const shard = program.command('shard').description('make shards')
  shard
    .command('bootstrap')
    .description('bring the empty database of a shard to the version of its group, and verify it')
    .argument('<shard>', 'a configured shard')
    .option('--from <shard>', 'the shard that it is to be like')
    .option('--copy', 'copy the schema and the version table in the place of running migrations')
    .action(
      frame.finishingAction(async (session, name: string, options: BootstrapCommandOptions) => {
        const { from, copy = false } = options
        const db = await session.openDataSource()
        const progress = session.output.progress(3, name)
        const report = await db.octopus.schema.bootstrap(name, {
          ...(from && { from }),
          via: copy ? 'copy' : 'migrations',
          onStep: (step) => progress.step(step === 'check' ? 0 : 1, `${name}: ${steps[step]}`),
        })
        progress.stop()
        session.output.show(report, write(report))
      }),
    )
}

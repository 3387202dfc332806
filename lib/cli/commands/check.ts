import { resolve } from 'node:path'
import { type NodeFacts, type NodeFinding, type NodesCheck, loadConfig } from '../../index.js'
import { counted } from '../counted.js'
import {
  type AddCommand,
  type Cell,
  type ExitCode,
  type Paper,
  type Session,
  UsageError,
  exitCodes,
} from '../frame.js'
import { milliseconds } from '../options.js'
import { placeText } from '../places.js'

interface CheckOptions {
  readonly config?: string
  readonly timeout: number
  readonly maxLag: number
  readonly maxClockOffset: number
  readonly strict?: boolean
}

const tones = { ok: 'good', warning: 'warning', error: 'bad' } as const

const levels = ['error', 'warning', 'ok'] as const

/** The worst of what was found about a server. */
const levelOf = (facts: NodeFacts, findings: readonly NodeFinding[]): NodeFinding['level'] =>
  levels.find((level) =>
    findings.some(
      (finding) =>
        finding.shard === facts.shard && finding.node === facts.node && finding.level === level,
    ),
  ) ?? 'ok'

const millisecondsText = (value: number | undefined): Cell =>
  value === undefined ? '' : `${value} ms`

const rowOf = (facts: NodeFacts, findings: readonly NodeFinding[]): Cell[] => {
  const { shard, node, role, server, connectMs } = facts
  const level = levelOf(facts, findings)
  return [
    { text: level, tone: tones[level] },
    shard,
    role,
    node,
    placeText(facts),
    server?.version,
    millisecondsText(server?.replication?.lagMs),
    millisecondsText(server?.clockOffsetMs),
    millisecondsText(connectMs),
  ]
}

const write = (paper: Paper, { nodes, findings, isHealthy }: NodesCheck): void => {
  paper.table(
    ['', 'shard', 'role', 'node', 'server', 'version', 'lag', 'clock', 'connect'],
    nodes.map((facts) => rowOf(facts, findings)),
  )
  for (const { level, shard, node, what, remedy } of findings) {
    if (level === 'ok') continue
    paper.line(`${level}: ${shard}/${node} ${what}`, tones[level])
    if (remedy !== undefined) paper.line(`  ${remedy}`)
  }
  const of = (level: NodeFinding['level']): number =>
    findings.filter((finding) => finding.level === level).length
  paper.line(
    [
      counted(nodes.length, 'server'),
      counted(of('error'), 'error'),
      counted(of('warning'), 'warning'),
    ].join(', '),
    isHealthy ? 'good' : 'bad',
  )
}

const checkFile = ({ output, cwd }: Session, file: string): void => {
  // Throws what is wrong with it.
  loadConfig(resolve(cwd, file))
  output.show({ file, isValid: true }, (paper) =>
    paper.line(
      `${file}: its shape and its names are right; --data-source checks it with its data source, and the servers.`,
      'good',
    ),
  )
}

const checkServers = async (
  session: Session,
  { timeout, maxLag, maxClockOffset, strict = false }: CheckOptions,
): Promise<ExitCode> => {
  const { output } = session
  const db = await session.loadDataSource()
  const servers = db.octopus.topology().shards.flatMap(({ nodes }) => nodes)
  const progress = output.progress(servers.length, 'asking the servers')
  const checked = await db.octopus.checkNodes({
    timeoutMs: timeout,
    maxLagMs: maxLag,
    maxClockOffsetMs: maxClockOffset,
    onNode: ({ shard, node }) => progress.step(1, `${shard}/${node}`),
  })
  progress.stop()
  output.show(checked, (paper) => write(paper, checked))
  const isWrong = ({ level }: NodeFinding): boolean =>
    level === 'error' || (strict && level === 'warning')
  return checked.findings.some(isWrong) ? exitCodes.failed : exitCodes.ok
}

/** `octopus check`: whether the configuration is right, and every server what it should be. */
export const addCheck: AddCommand = (program, frame) => {
  program
    .command('check')
    .description(
      'whether the configuration is right, and every server reached, in its role, replicating and on time',
    )
    .option('--config <file>', 'check a YAML file only, without a data source')
    .option('--timeout <ms>', 'for each server', milliseconds, 5000)
    .option('--max-lag <ms>', 'how far a replica may be behind', milliseconds, 10_000)
    .option('--max-clock-offset <ms>', 'how far a clock may be off', milliseconds, 1000)
    .option('--strict', 'fail on warnings too')
    .action(
      frame.action(async (session, options: CheckOptions) => {
        if (options.config === undefined) return checkServers(session, options)
        if (program.opts<{ dataSource?: string }>().dataSource !== undefined)
          throw new UsageError(
            '--config is for a file alone; a data source has its configuration with it.',
          )
        checkFile(session, options.config)
        return exitCodes.ok
      }),
    )
}

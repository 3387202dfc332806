import type { Fault } from './fault.js'
import { faults } from './rows/index.js'
import type { Traffic } from './server-logs.js'
import type { Figures } from './stage.js'
import { type Engine, engineNames } from './world.js'

export const engineTitles: Readonly<Record<Engine, string>> = {
  mariadb: 'MariaDB',
  postgres: 'PostgreSQL',
}

/** Names the file to which a run appends what it measures. */
export const recordVariable = 'OCTOPUS_FAULTS_RECORD'

/** What a run measured of one fault. */
export interface Measured {
  readonly engine: Engine
  readonly title: string
  readonly figures: Figures
}

const columns = [
  'fault',
  'engine',
  'longest call',
  'errors seen by callers',
  'reads during the fault',
  'writes during the fault',
  'recovery',
  'writes on a replica',
  'statements on a wrong shard',
  'connections left',
] as const

const milliseconds = (time: number): string =>
  `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`

const counted = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} × ${what}`)
    .join(', ') || 'none'

const trafficOf = (figures: Figures, kind: keyof Traffic): string =>
  Object.entries(figures.traffic)
    .filter(([, traffic]) => traffic[kind] > 0)
    .map(([name, traffic]) => `${name}: ${traffic[kind]}`)
    .join(', ') || 'none'

const recoveryOf = ({ recoveryMs, returnMs }: Figures): string =>
  [
    recoveryMs === undefined ? '–' : milliseconds(recoveryMs),
    returnMs === undefined ? '' : `server used after ${milliseconds(returnMs)}`,
  ]
    .filter((part) => part !== '')
    .join('; ')

const cellsOf = (fault: Fault, engine: Engine, figures: Figures | undefined): readonly string[] => {
  const reason = fault.without?.[engine]
  if (reason !== undefined) return [reason]
  if (figures === undefined) return ['not run']
  return [
    `${milliseconds(figures.heldMs)} (bound ${fault.boundMs} ms)`,
    counted(figures.errors),
    trafficOf(figures, 'reads'),
    trafficOf(figures, 'writes'),
    recoveryOf(figures),
    String(figures.writesOnReplica),
    String(figures.wrongShard),
    String(figures.connectionsLeft),
  ]
}

const line = (cells: readonly string[]): string => {
  const filled = columns.map((_, index) => (cells[index] ?? '').replaceAll('|', '\\|'))
  return `| ${filled.join(' | ')} |`
}

/** The table of docs/faults.md: each fault on each engine. */
export const faultTable = (
  figuresOf: (title: string, engine: Engine) => Figures | undefined,
): readonly string[] => [
  line(columns),
  line(columns.map(() => '---')),
  ...faults.flatMap((fault) =>
    engineNames.map((engine) =>
      line([
        fault.title,
        engineTitles[engine],
        ...cellsOf(fault, engine, figuresOf(fault.title, engine)),
      ]),
    ),
  ),
]

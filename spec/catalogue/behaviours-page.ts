import { readFileSync } from 'node:fs'
import type { EngineName } from '../support/engines/endpoint.js'
import { bareNumber, behaviours } from './catalogue.js'
import { rowFiles } from './rows/index.js'

export const engineTitles = {
  sqljs: 'sql.js',
  mariadb: 'MariaDB',
  postgres: 'PostgreSQL',
} as const satisfies Record<EngineName, string>

const engineNames = Object.keys(engineTitles) as EngineName[]

/** Where the rows stand, from the root of the repository. */
export const rowsPath = 'spec/catalogue/rows/'

/** What a run said of a row on an engine. */
export type Outcome = 'pass' | 'FAIL' | 'not run'

const order = [...new Set(behaviours.map(({ number }) => bareNumber(number)))]
const placeOf = (number: string): number => order.indexOf(bareNumber(number))

const line = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

/** The table of docs/octopus-behaviours.md: all rows in the order of their numbers. */
export const behaviourTable = (
  outcomeOf: (number: string, engine: EngineName) => Outcome,
): readonly string[] => {
  const titles = ['number', 'behaviour', 'spec', ...engineNames.map((name) => engineTitles[name])]
  const rows = rowFiles
    .flatMap(({ file, rows: own }) => own.map((row) => ({ file, ...row })))
    .toSorted(({ number: one }, { number: other }) => placeOf(one) - placeOf(other))
  return [
    line(titles),
    line(titles.map(() => '---')),
    ...rows.map(({ number, title, file, engines = engineNames }) => {
      const outcomes = engineNames.map((name) =>
        engines.includes(name) ? outcomeOf(number, name) : '–',
      )
      return line([number, title, `[${file}](../${rowsPath}${file}.ts)`, ...outcomes])
    }),
  ]
}

/** The cells of a page's tables, without the blanks by which Prettier aligns them. */
export const tableCells = (lines: readonly string[]): readonly string[] =>
  lines
    .filter((each) => each.startsWith('|'))
    .map((each) => each.replaceAll(/\s*\|\s*/g, '|').replaceAll(/-{3,}/g, '---'))

/** The lines of a page of the documentation. */
export const linesOf = (page: string): readonly string[] => readFileSync(page, 'utf8').split('\n')

import { styleText } from 'node:util'
import CliTable from 'cli-table3'

const colours = {
  good: 'green',
  warning: 'yellow',
  bad: 'red',
  quiet: 'gray',
  strong: 'bold',
} as const

/** What a text means, which a terminal shows by its colour. */
export type Tone = keyof typeof colours

/** A text with a meaning. */
export interface Toned {
  readonly text: string
  readonly tone: Tone
}

/** What stands in a table. Nothing is shown as an empty cell. */
export type Cell = string | number | bigint | boolean | null | undefined | Toned

/** Texts as the terminal is to show them. */
export type Painter = (text: string, tone: Tone) => string

/** Shows each tone, or, where colours are off, none. */
export const painterOf =
  (hasColours: boolean): Painter =>
  (text, tone) =>
    // Whether there are colours is decided already, for the stream that is written to.
    hasColours ? styleText(colours[tone], text, { validateStream: false }) : text

const writtenOut = (character: string): string =>
  character === '\n' || character === '\t'
    ? character
    : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`

/** The text with its control characters written out: a database's values do not steer the terminal. */
export const printable = (text: string): string =>
  text.replaceAll('\r\n', '\n').replaceAll(/\p{Cc}/gu, writtenOut)

const shown = (cell: Cell, paint: Painter): string => {
  if (cell === undefined || cell === null) return ''
  if (typeof cell === 'object') return paint(printable(cell.text), cell.tone)
  return printable(String(cell))
}

const isNumber = (cell: Cell): boolean => typeof cell === 'number' || typeof cell === 'bigint'

/** A table with a line per row; numbers stand on the right. */
export const tableText = (
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  paint: Painter,
): string => {
  const table = new CliTable({
    head: columns.map((column) => paint(printable(column), 'strong')),
    style: { head: [], border: [], compact: true },
    colAligns: columns.map((_, at) =>
      rows.length > 0 && rows.every((row) => isNumber(row[at])) ? 'right' : 'left',
    ),
  })
  for (const row of rows) table.push(row.map((cell) => shown(cell, paint)))
  return table.toString()
}

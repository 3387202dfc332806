import type { Cell } from './table.js'

/** Rows as a driver gives them. */
export type Rows = readonly Readonly<Record<string, unknown>>[]

/** What a statement came to. */
export interface StatementResult {
  readonly rows: Rows
  /** How many rows a write changed; undefined where it is not told, or nothing was written. */
  readonly affected: number | undefined
}

const isRow = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What `DataSource.query` returned: each driver tells of a write in its own way. */
export const resultOf = (value: unknown): StatementResult => {
  if (!Array.isArray(value)) {
    // mysql2's header of a write
    const affected = isRow(value) ? value['affectedRows'] : undefined
    return { rows: [], affected: typeof affected === 'number' ? affected : undefined }
  }
  const [first, second] = value as unknown[]
  // PostgreSQL's UPDATE and DELETE: the rows of RETURNING, and how many were changed
  if (Array.isArray(first) && typeof second === 'number')
    return { rows: first.filter(isRow), affected: second }
  return { rows: value.filter(isRow), affected: undefined }
}

const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  return typeof value === 'bigint' ? String(value) : value
}

/** The rows with values that JSON has: bytes in hexadecimal digits, long numbers as text. */
export const plainRows = (rows: Rows): Rows =>
  rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([column, value]) => [column, plain(value)])),
  )

/** The columns of rows, in the order in which they come. */
export const columnsOf = (rows: Rows): readonly string[] => [
  ...new Set(rows.flatMap((row) => Object.keys(row))),
]

/** @param value - one of `plainRows` */
const cellOf = (value: unknown): Cell => {
  if (value === null || value === undefined) return { text: 'NULL', tone: 'quiet' }
  // MySQL's 0000-00-00 is a Date that is none.
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? String(value) : value.toISOString()
  if (typeof value === 'object') return JSON.stringify(value)
  return typeof value === 'number' || typeof value === 'boolean' ? value : (value as string)
}

/** Rows as a table shows them. */
export const cellsOf = (rows: Rows, columns: readonly string[]): readonly (readonly Cell[])[] =>
  rows.map((row) => columns.map((column) => cellOf(row[column])))

const isExact = (value: unknown): boolean =>
  typeof value !== 'number' || Number.isSafeInteger(value) || !Number.isInteger(value)

/** The value of a parameter as it was typed: JSON's numbers, texts, `true`, `false` and `null`, else text. */
export const parameterOf = (typed: string): unknown => {
  let value: unknown
  try {
    value = JSON.parse(typed)
  } catch {
    return typed
  }
  // A list or an object, and a number with more digits than a number has, are passed on as typed.
  return (typeof value === 'object' && value !== null) || !isExact(value) ? typed : value
}

/** A row of a server's answer. */
export type Row = Readonly<Record<string, unknown>>

/** What a cell says; undefined where it is empty. */
export const textOf = (cell: unknown): string | undefined => {
  if (typeof cell === 'number' || typeof cell === 'bigint') return String(cell)
  return typeof cell === 'string' && cell !== '' ? cell : undefined
}

import type { QueryRunner } from 'typeorm'

/** A row of a catalogue, whose columns the statement names. */
export type CatalogueRow = Readonly<Record<string, string | null>>

/** Reads rows of a catalogue. Each value is text: drivers give numbers and flags in different forms. */
export const readRows = async (
  runner: QueryRunner,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<CatalogueRow[]> => {
  const rows = (await runner.query(sql, [...parameters])) as Record<string, unknown>[]
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value === null ? null : asText(value)]),
    ),
  )
}

const asText = (value: unknown): string =>
  Buffer.isBuffer(value) ? value.toString('utf8') : String(value)

/** The rows of a table, in their order. */
export type RowsOf = (table: string) => readonly CatalogueRow[]

/** Sorts rows by their tables. */
export const byTable = (rows: readonly CatalogueRow[]): RowsOf => {
  const groups = groupedBy(rows, ({ table_name: table }) => table ?? '')
  return (table) => groups.get(table) ?? []
}

/** Values in groups, in the order in which each group and each value first came. */
export const groupedBy = <T>(
  values: readonly T[],
  keyFor: (value: T) => string,
): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const key = keyFor(value)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}

/** A text of the catalogue; undefined for NULL and for nothing. */
export const textOf = (value: string | null | undefined): string | undefined =>
  value === null || value === undefined || value === '' ? undefined : value

/** Literals, quoted names and comments, which may hold any word. */
const quoted = /'(?:[^'\\]|\\.|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\//g

/** Whether a statement drops something: a table, a column, an index, a constraint, a type, a view. A
 *  column's default or its NOT NULL may go without loss. */
export const doesDrop = (sql: string): boolean =>
  /\bDROP\b(?!\s+(?:DEFAULT|NOT\s+NULL)\b)/i.test(sql.replaceAll(quoted, ' x '))

/** An index that is dropped here and made again later. */
const isIndexMadeAnew = (sql: string, later: readonly string[]): boolean => {
  const [, name] = /^DROP INDEX (?:IF EXISTS )?(?:\S+\.)?(["`][^"`]+["`])/i.exec(sql) ?? []
  return (
    name !== undefined &&
    later.some((next) => /^CREATE (?:UNIQUE )?INDEX /i.test(next) && next.includes(` ${name} `))
  )
}

/** SQLite changes a table by a new one, which takes the rows and then the name. */
const isTableMadeAnew = (
  sql: string,
  statements: readonly string[],
  columnsOf: (table: string) => readonly string[],
): boolean => {
  const [, table] = /^DROP TABLE "([^"]+)"/i.exec(sql) ?? []
  if (table === undefined) return false
  const temporary = `"temporary_${table}"`
  const moved = statements.find((each) => each.startsWith(`INSERT INTO ${temporary}(`))
  const isRenamed = statements.some(
    (each) => each === `ALTER TABLE ${temporary} RENAME TO "${table}"`,
  )
  if (moved === undefined || !isRenamed) return false
  const [, kept = ''] = /\) SELECT (.*) FROM /is.exec(moved) ?? []
  return columnsOf(table).every((column) => kept.includes(`"${column}"`))
}

/**
 * The statements of a change after which something is missing, each once. What is dropped to be made
 * anew, and keeps all its columns, is not.
 *
 * @param columnsOf - the columns that a table has now
 */
export const dropsIn = (
  statements: readonly string[],
  columnsOf: (table: string) => readonly string[],
): string[] => {
  const drops = statements.filter(
    (sql, at) =>
      doesDrop(sql) &&
      !isIndexMadeAnew(sql, statements.slice(at + 1)) &&
      !isTableMadeAnew(sql, statements, columnsOf),
  )
  return [...new Set(drops)]
}

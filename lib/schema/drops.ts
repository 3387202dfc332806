/** Literals, quoted names and comments, which may hold any word. */
const quoted = /'(?:[^'\\]|\\.|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\//g

/** Whether a statement drops something: a table, a column, an index, a constraint, a type, a view. A
 *  column's default or its NOT NULL may go without loss. */
export const doesDrop = (sql: string): boolean =>
  /\bDROP\b(?!\s+(?:DEFAULT|NOT\s+NULL)\b)/i.test(sql.replaceAll(quoted, ' x '))

/** Literals, quoted names and comments. */
const quoted = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\//g

/** The text with what is quoted made unreadable, every character where it was. */
const masked = (sql: string): string => sql.replaceAll(quoted, (text) => '·'.repeat(text.length))

/** Where the bracket that opens at `from` closes. */
const closingOf = (mask: string, from: number): number => {
  let depth = 0
  for (let at = from; at < mask.length; at += 1) {
    if (mask[at] === '(') depth += 1
    if (mask[at] === ')') depth -= 1
    if (depth === 0) return at
  }
  return mask.length
}

/** What stands in brackets after each match. */
const bracketedAfter = (sql: string, pattern: RegExp): string[] => {
  const mask = masked(sql)
  return [...mask.matchAll(pattern)].map(({ index, 0: found }) => {
    const open = index + found.length - 1
    return sql.slice(open + 1, closingOf(mask, open)).trim()
  })
}

/** The definitions between the outer brackets of a CREATE TABLE: columns first, then constraints. */
export const definitionsIn = (createTable: string): string[] => {
  const mask = masked(createTable)
  const open = mask.indexOf('(')
  if (open === -1) return []
  const end = closingOf(mask, open)
  const definitions: string[] = []
  let start = open + 1
  for (let at = start; at <= end; at += 1) {
    if (mask[at] === '(') at = closingOf(mask, at)
    if (mask[at] !== ',' && at < end) continue
    definitions.push(createTable.slice(start, at).trim())
    start = at + 1
  }
  return definitions
}

/** What follows the outer brackets: `WITHOUT ROWID`, `STRICT`. */
export const tableOptionsIn = (createTable: string): string => {
  const mask = masked(createTable)
  const open = mask.indexOf('(')
  return open === -1 ? '' : createTable.slice(closingOf(mask, open) + 1).trim()
}

/** The definition of a column among those of its table. */
export const definitionOf = (definitions: readonly string[], column: string): string =>
  definitions.find((definition) => {
    const [, name = ''] = /^("(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[^\s(]+)/.exec(definition) ?? []
    const isQuoted = /^["`[]/.test(name)
    return (isQuoted ? name.slice(1, -1).replaceAll('""', '"') : name) === column
  }) ?? ''

/** The collation that a column's definition names. */
export const collationIn = (definition: string): string | undefined => {
  const [, name] = /\bCOLLATE\s+(\w+)/i.exec(masked(definition)) ?? []
  return name?.toUpperCase()
}

/** Whether a column counts up without reusing numbers. */
export const isAutoincrement = (definition: string): boolean =>
  /\bAUTOINCREMENT\b/i.test(masked(definition))

/** The expression that generates a column. */
export const generatedIn = (definition: string): string | undefined =>
  bracketedAfter(definition, /\bAS\s*\(/gi)[0]

/** The checks of a table or column, with their names. */
export const checksIn = (
  definition: string,
): { readonly name: string | undefined; readonly expression: string }[] => {
  const names = [
    ...masked(definition).matchAll(/(?:\bCONSTRAINT\s+([·\w]+)\s+)?\bCHECK\s*\(/gi),
  ].map(({ index, 1: name }) => {
    if (name === undefined) return undefined
    const at = definition.indexOf(' ', index) + 1
    return definition.slice(at, at + name.length).replaceAll(/^["`[]|["`\]]$/g, '')
  })
  return bracketedAfter(definition, /\bCHECK\s*\(/gi).map((expression, at) => ({
    name: names[at],
    expression,
  }))
}

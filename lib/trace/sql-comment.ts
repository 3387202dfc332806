/** As sqlcommenter wants it, and with all that could end a comment or a text, or stand for a value. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/**
 * A comment of these tags in sqlcommenter's format, its keys sorted. Whatever the values are, nothing in
 * it ends the comment, and no driver takes a part of it for a placeholder.
 */
export const sqlComment = (tags: Readonly<Record<string, string>>): string =>
  `/*${Object.entries(tags)
    .map(([key, value]) => `${encoded(key)}='${encoded(value)}'`)
    .sort()
    .join(',')}*/`

/** Servers keep the text of definitions: a comment would become a part of them. */
const definition = /^(?:\s|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:create|alter)\b/i
const end = /(?:\s*;)?\s*$/
const semicolon = 59

/** Where its last word ends. Nearly all end with it, and need no search. */
const endOf = (sql: string): number => {
  const last = sql.charCodeAt(sql.length - 1)
  return last > 32 && last !== semicolon ? sql.length : sql.search(end)
}

/** Whether it may end in a comment that goes to the end of its line. */
const endsInLineComment = (sql: string): boolean => {
  const line = sql.lastIndexOf('\n') + 1
  return sql.includes('--', line) || sql.includes('#', line)
}

/**
 * A statement that ends with a comment, before the semicolon if it has one. A definition is left as it
 * is, and so is what ends with a comment already, or has no statement in it.
 */
export const withComment = (sql: string, comment: string): string => {
  const at = endOf(sql)
  const body = sql.slice(0, at)
  if (body === '' || body.endsWith('*/') || definition.test(body)) return sql
  // A comment that ends with its line must not swallow this one.
  const gap = endsInLineComment(body) ? '\n' : ' '
  return body + gap + comment + sql.slice(at)
}

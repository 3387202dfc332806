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
const definition = /^\s*(?:create|alter)\b/i
const end = /(?:\s*;)?\s*$/
const lineComment = /(?:--|#)[^\n]*$/

/**
 * A statement that ends with a comment, before the semicolon if it has one. A definition is left as it
 * is, and so is what ends with a comment already, or has no statement in it.
 */
export const withComment = (sql: string, comment: string): string => {
  const at = sql.search(end)
  const body = sql.slice(0, at)
  if (body === '' || body.endsWith('*/') || definition.test(body)) return sql
  // A comment that ends with its line must not swallow this one.
  const gap = lineComment.test(body) ? '\n' : ' '
  return body + gap + comment + sql.slice(at)
}

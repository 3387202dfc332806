/** A type that PostgreSQL prints after a literal or a column. */
const cast =
  /::(?:"[^"]+"|[a-z_][\w.]*(?: (?:varying|precision|(?:with|without) time zone))?)(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])*/gi

/**
 * An expression without what follows from the types of its columns: casts, the brackets around them,
 * and the quotes of literals. For comparing expressions over columns whose types differ.
 */
export const loosely = (expression: string): string =>
  expression.replace(cast, '').replaceAll(/[\s()']/g, '')

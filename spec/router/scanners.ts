/** What an engine reads outside quotes and comments, by a scanner of one character at a time. */
const scanner =
  ({ backslash, brackets, nested, carriage, backtick }: Record<string, boolean>) =>
  (sql: string): string => {
    let out = ''
    let at = 0
    const closing = (quote: string): number => {
      let end = at + 1
      while (end < sql.length && sql[end] !== quote)
        end += backslash && quote !== '`' && sql[end] === '\\' ? 2 : 1
      return end + 1
    }
    while (at < sql.length) {
      const rest = sql.slice(at)
      const [first = ''] = rest
      if (first === "'" || first === '"' || (backtick && first === '`')) at = closing(first)
      else if (brackets && first === '[') at = closing(']')
      else if (/^--(?:\s|$)/.test(rest)) at += rest.search(carriage ? /[\r\n]|$/ : /\n|$/)
      else if (rest.startsWith('/*')) {
        let depth = 0
        do {
          if (sql.startsWith('/*', at) && (nested || depth === 0)) [depth, at] = [depth + 1, at + 2]
          else if (sql.startsWith('*/', at)) [depth, at] = [depth - 1, at + 2]
          else at += 1
        } while (depth > 0 && at < sql.length)
      } else {
        out += first
        at += 1
      }
    }
    return out
  }

const mysql = scanner({ backslash: true, backtick: true })
const mysqlWithoutEscapes = scanner({ backtick: true })
// A backtick quotes nothing in PostgreSQL; it would be an operator, and there is none of that name.
const postgres = scanner({ nested: true, carriage: true, backtick: true })
const sqlite = scanner({ brackets: true, backtick: true })
/** What each engine, or way to set one up, would run. */
export const engines = [mysql, mysqlWithoutEscapes, sqlite, postgres]

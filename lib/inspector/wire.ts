import type { RouteEvent } from '../index.js'

/** A route as it is sent to a page: numbered in the order in which routes were told of. */
export interface NumberedRoute {
  readonly number: number
  readonly event: RouteEvent
}

const longestText = 10_000
const longestList = 100

const cut = (text: string): string =>
  text.length <= longestText
    ? text
    : `${text.slice(0, longestText)} … ${text.length - longestText} more characters`

/** For JSON.stringify, which has called `toJSON` before: the value itself is still in its holder. */
function shown(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key]
  if (original instanceof Uint8Array) return `(${original.byteLength} bytes)`
  if (typeof value === 'string') return cut(value)
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value) && value.length > longestList)
    return [...value.slice(0, longestList), `… ${value.length - longestList} more`]
  return value
}

/**
 * A route as JSON. What is very long is cut: a bulk insert has megabytes of SQL. Parameters are
 * whatever the application gave to TypeORM, also what has no JSON.
 */
export const routeText = ({ number, event }: NumberedRoute): string => {
  try {
    return JSON.stringify({ ...event, number }, shown)
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
    return JSON.stringify({ ...event, number, parameters: `(cannot be shown: ${why})` }, shown)
  }
}

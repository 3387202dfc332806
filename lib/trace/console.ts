import type { RouteEvent } from './event.js'
import type { RouteListener } from './hub.js'

/** Settings of {@link consoleTrace}. */
export interface ConsoleTraceOptions {
  /** Where a line goes; `console.log` by default. */
  readonly write?: (line: string) => void
  /** Width of the server column, in characters; 26 by default. */
  readonly columnWidth?: number
}

const target = (event: RouteEvent): string => {
  const node = event.cached ? 'result cache' : (event.node ?? 'no server')
  return `[${event.shard}/${event.role} ${node}]`
}

const notes = (event: RouteEvent): string => {
  const list = [
    event.kind === 'statement' ? undefined : event.kind,
    event.inTransaction ? 'in transaction' : undefined,
    event.retried ? 'retried' : undefined,
    event.error === undefined
      ? undefined
      : `failed at ${event.error.stage}: ${event.error.code ?? event.error.name}`,
  ].filter((note) => note !== undefined)
  return list.length > 0 ? ` (${list.join(', ')})` : ''
}

/**
 * One event as one line: `[brazil/replica br-2] SELECT User 1.2 ms — read outside a transaction`.
 *
 * @param columnWidth - width of the server column, in characters
 */
export const formatRouteEvent = (event: RouteEvent, columnWidth = 26): string => {
  const what = event.sql ?? [event.statement, event.entity].filter(Boolean).join(' ')
  return `${target(event).padEnd(columnWidth)} ${what} ${event.durationMs.toFixed(1)} ms — ${event.reason}${notes(event)}`
}

/** A route listener that prints one aligned line per statement. */
export const consoleTrace = (options: ConsoleTraceOptions = {}): RouteListener => {
  const write = options.write ?? ((line: string) => console.log(line))
  return (event) => write(formatRouteEvent(event, options.columnWidth))
}

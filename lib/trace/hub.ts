import { channel } from 'node:diagnostics_channel'
import { deliver } from './deliver.js'
import type { RouteEvent } from './event.js'
import { type BeforeEvent, type RouteFilter, RouteSieve } from './filter.js'
import { StatementObservers } from './observers.js'

/** A function that is told of every routed statement. */
export type RouteListener = (event: RouteEvent) => void

/** Which events a listener wants, and what in them beyond the default. SQL and parameters may hold secrets. */
export interface RouteListenerOptions extends RouteFilter {
  /** Put the SQL text, with its placeholders, into `event.sql`. Literals in it are not removed. */
  readonly sql?: boolean
  /** Put the parameter values into `event.parameters`. */
  readonly parameters?: boolean
}

/** An event with the parts that only some listeners asked for. */
export interface RouteRecord {
  readonly event: RouteEvent
  readonly sql: string
  readonly parameters: unknown
}

/** Somebody who collects the records of one scope, see `withTrace`. */
export type RouteCollector = (record: RouteRecord) => void

/** Name of the `node:diagnostics_channel` on which every event is published. */
export const routeChannelName = 'typeorm-octopus:route'

const routeChannel = channel(routeChannelName)

/** Shapes a record for one listener: what it did not ask for is left out. */
export const eventFor = (
  { event, sql, parameters }: RouteRecord,
  options: RouteListenerOptions,
): RouteEvent =>
  options.sql || options.parameters
    ? Object.freeze({
        ...event,
        ...(options.sql ? { sql } : {}),
        ...(options.parameters ? { parameters } : {}),
      })
    : event

interface Entry {
  readonly listener: RouteListener
  readonly options: RouteListenerOptions
  readonly sieve: RouteSieve
}

/** The listeners of one data source. */
export class TraceHub {
  readonly observers = new StatementObservers()
  // One entry for each call of add(): the same function may listen twice.
  readonly #listeners = new Set<Entry>()

  /** Whether anybody listens: nothing is built for a statement while this is false. */
  get isOn(): boolean {
    return this.#listeners.size > 0 || this.observers.size > 0 || routeChannel.hasSubscribers
  }

  /** Whether anybody may want an event of this statement: asked before one is made. */
  mayWant(statement: BeforeEvent): boolean {
    if (this.observers.size > 0 || routeChannel.hasSubscribers) return true
    for (const { sieve } of this.#listeners) if (sieve.mayPass(statement)) return true
    return false
  }

  /**
   * Adds a listener and returns the function that removes it.
   *
   * @throws TypeError if a filter makes no sense
   */
  add(listener: RouteListener, options: RouteListenerOptions): () => void {
    const entry = { listener, options, sieve: new RouteSieve(options) }
    this.#listeners.add(entry)
    return () => {
      this.#listeners.delete(entry)
    }
  }

  /** Hands the record to every listener that wants it, and to the collector of its scope. */
  emit(record: RouteRecord, collector: RouteCollector | undefined): void {
    const { event } = record
    for (const { listener, options, sieve } of this.#listeners)
      if (sieve.passes(event)) deliver(() => listener(eventFor(record, options)))
    if (collector !== undefined) deliver(() => collector(record))
    if (event.kind !== 'internal' && routeChannel.hasSubscribers) routeChannel.publish(event)
  }
}

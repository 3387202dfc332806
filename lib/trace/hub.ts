import { channel } from 'node:diagnostics_channel'
import { deliver } from './deliver.js'
import type { RouteEvent } from './event.js'
import { StatementObservers } from './observers.js'

/** A function that is told of every routed statement. */
export type RouteListener = (event: RouteEvent) => void

/** What a listener wants to be told beyond the default. Both may hold secrets. */
export interface RouteListenerOptions {
  /** Put the SQL text, with its placeholders, into `event.sql`. Literals in it are not removed. */
  readonly sql?: boolean
  /** Put the parameter values into `event.parameters`. */
  readonly parameters?: boolean
  /** Also deliver the library's own set-up statements (`kind: 'internal'`). */
  readonly internal?: boolean
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

/** The listeners of one data source. */
export class TraceHub {
  readonly observers = new StatementObservers()
  // One entry for each call of add(): the same function may listen twice.
  readonly #listeners = new Set<
    Readonly<{ listener: RouteListener; options: RouteListenerOptions }>
  >()

  /** Whether anybody listens: nothing is built for a statement while this is false. */
  get isOn(): boolean {
    return this.#listeners.size > 0 || this.observers.size > 0 || routeChannel.hasSubscribers
  }

  /** Adds a listener and returns the function that removes it. */
  add(listener: RouteListener, options: RouteListenerOptions): () => void {
    const entry = { listener, options }
    this.#listeners.add(entry)
    return () => {
      this.#listeners.delete(entry)
    }
  }

  /** Hands the record to every listener, and to the collector of its scope. */
  emit(record: RouteRecord, collector: RouteCollector | undefined): void {
    for (const { listener, options } of this.#listeners)
      if (record.event.kind !== 'internal' || options.internal === true)
        deliver(() => listener(eventFor(record, options)))
    if (record.event.kind === 'internal') return
    if (routeChannel.hasSubscribers) routeChannel.publish(record.event)
    if (collector !== undefined) deliver(() => collector(record))
  }
}

import { deliver, warnOf } from './deliver.js'
import type { Role, RouteEvent } from './event.js'

/** What is known of a statement before it is sent. The server is not: it is chosen with the connection. */
export interface StatementStart extends Pick<
  RouteEvent,
  | 'at'
  | 'entity'
  | 'inTransaction'
  | 'kind'
  | 'operation'
  | 'reason'
  | 'routeId'
  | 'scopeId'
  | 'shard'
  | 'shardReason'
  | 'statement'
> {
  /** The role that was decided; the event tells the server's, should its primary have to serve. */
  readonly role: Role
  /** The SQL with its placeholders. Literals in it are not removed. */
  readonly sql: string
}

/** Follows one statement. */
export interface StatementObserver {
  /**
   * Sends the statement: has to call `send` once, at once, and return its value. What the driver does
   * for the statement happens in the async context of that call. Not called for what the result cache
   * answers.
   */
  run?<T>(send: () => T): T
  /** Is told how the statement ended. */
  settled(event: RouteEvent): void
}

/**
 * Is called right before each statement, in the async context of its caller.
 *
 * @returns who follows the statement; undefined for nobody
 */
export type StatementObserve = (start: StatementStart) => StatementObserver | undefined

/** What an observer wants to be told beyond the default. */
export interface StatementObserveOptions {
  /** Also the library's own set-up statements (`kind: 'internal'`). */
  readonly internal?: boolean
}

/** The way of a statement that somebody observes. */
export interface Observation {
  send<T>(work: () => T): T
  settled(event: RouteEvent): void
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

const outcomeOf = <T>(work: () => T): Outcome<T> => {
  try {
    return { value: work() }
  } catch (error) {
    return { error }
  }
}

const valueOf = <T>(outcome: Outcome<T>): T => {
  if ('error' in outcome) throw outcome.error
  return outcome.value
}

/** Lets an observer send the statement. It is sent once, whatever the observer does. */
const sendThrough = <T>(observer: StatementObserver, work: () => T): T => {
  let outcome: Outcome<T> | undefined
  const send = (): T => valueOf((outcome ??= outcomeOf(work)))
  deliver(() => {
    try {
      const returned: unknown = observer.run?.(send)
      // A promise of its own that nobody else would look after.
      if (returned instanceof Promise && returned !== send())
        returned.catch((error: unknown) => warnOf(error))
    } catch (error) {
      // The statement's own error is its caller's.
      if (outcome === undefined || !('error' in outcome) || outcome.error !== error) throw error
    }
  })
  return send()
}

class Observers implements Observation {
  readonly #observers: readonly StatementObserver[]

  constructor(observers: readonly StatementObserver[]) {
    this.#observers = observers
  }

  /** The first observer's context is the outermost. */
  send<T>(work: () => T): T {
    const way = this.#observers.reduceRight<() => T>(
      (inner, observer) =>
        observer.run === undefined ? inner : () => sendThrough(observer, inner),
      work,
    )
    return way()
  }

  settled(event: RouteEvent): void {
    for (const observer of this.#observers) deliver(() => observer.settled(event))
  }
}

interface Entry {
  readonly observe: StatementObserve
  readonly options: StatementObserveOptions
}

/** Those who observe the statements of one data source. */
export class StatementObservers {
  // One entry for each call of add(): the same function may observe twice.
  readonly #entries = new Set<Entry>()

  get size(): number {
    return this.#entries.size
  }

  /** Adds an observer and returns the function that removes it. */
  add(observe: StatementObserve, options: StatementObserveOptions): () => void {
    const entry = { observe, options }
    this.#entries.add(entry)
    return () => {
      this.#entries.delete(entry)
    }
  }

  /** Tells the observers of a statement that is about to be sent; undefined if none follows it. */
  begin(start: StatementStart): Observation | undefined {
    const following: StatementObserver[] = []
    for (const { observe, options } of this.#entries)
      if (start.kind !== 'internal' || options.internal === true)
        deliver(() => {
          const observer = observe(start)
          if (observer !== undefined) following.push(observer)
        })
    return following.length === 0 ? undefined : new Observers(following)
  }
}

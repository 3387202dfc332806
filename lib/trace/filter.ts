import type { RouteEvent, RouteEventKind, RouteReason } from './event.js'

/** Which events a listener is told of. What is left out lets all pass; of a list one has to match. */
export interface RouteFilter {
  readonly shard?: string | readonly string[]
  /** The entity's name, as in the events. */
  readonly entity?: string | readonly string[]
  readonly reason?: RouteReason | readonly RouteReason[]
  readonly kind?: RouteEventKind | readonly RouteEventKind[]
  /** Only statements that took so many milliseconds or more. */
  readonly slowerThanMs?: number
  /**
   * The share of requests to tell of, from 0 to 1. It is decided for each outermost scope, and outside
   * scopes for each route: a request is told of whole or not at all, by every listener with this share.
   */
  readonly sample?: number
  /** Also the library's own set-up statements (`kind: 'internal'`). */
  readonly internal?: boolean
}

/** What is known of a statement before an event is made of it. */
export interface BeforeEvent {
  readonly kind: RouteEventKind
  readonly reason: RouteReason
  readonly shard: string | { readonly name: string }
  readonly entity: string | undefined
}

const oneOf = <T>(wanted: T | readonly T[] | undefined): ReadonlySet<T> | undefined =>
  wanted === undefined ? undefined : new Set(Array.isArray(wanted) ? wanted : [wanted as T])

/** A number in [0, 1) that is the same for the same text, and spread evenly over texts that differ little. */
const shareOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/** A filter at work. */
export class RouteSieve {
  readonly #shards: ReadonlySet<string> | undefined
  readonly #entities: ReadonlySet<string> | undefined
  readonly #reasons: ReadonlySet<RouteReason> | undefined
  readonly #kinds: ReadonlySet<RouteEventKind> | undefined
  readonly #slowerThanMs: number
  readonly #sample: number

  /** @throws TypeError if `sample` is not a number from 0 to 1 */
  constructor({
    shard,
    entity,
    reason,
    kind,
    slowerThanMs = 0,
    sample = 1,
    internal,
  }: RouteFilter) {
    if (!(sample >= 0 && sample <= 1))
      throw new TypeError(`A listener's "sample" is a number from 0 to 1, not ${String(sample)}.`)
    this.#shards = oneOf(shard)
    this.#entities = oneOf(entity)
    this.#reasons = oneOf(reason)
    this.#kinds = oneOf(
      kind ?? (internal === true ? undefined : (['statement', 'bypass'] as const)),
    )
    this.#slowerThanMs = slowerThanMs
    this.#sample = sample
  }

  /** Whether an event of the statement may pass: asked before one is made. */
  mayPass({ shard, entity, reason, kind }: BeforeEvent): boolean {
    return (
      (this.#kinds?.has(kind) ?? true) &&
      (this.#shards?.has(typeof shard === 'string' ? shard : shard.name) ?? true) &&
      (this.#reasons?.has(reason) ?? true) &&
      (this.#entities === undefined || (entity !== undefined && this.#entities.has(entity)))
    )
  }

  passes(event: RouteEvent): boolean {
    return (
      this.mayPass(event) &&
      event.durationMs >= this.#slowerThanMs &&
      (this.#sample === 1 || shareOf(event.scopeId ?? event.routeId) < this.#sample)
    )
  }
}

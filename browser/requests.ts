import { answeredBy, type Route } from './route.js'

/** All that was sent in one outermost scope: what a web request, or a job, has done. */
export interface RequestView {
  readonly scopeId: string
  /** In the order in which they were sent. */
  readonly spans: readonly Span[]
  readonly startedAt: number
  /** From its first statement to the last result. */
  readonly spanMs: number
  readonly shards: readonly string[]
  readonly hasFailed: boolean
}

/** A statement on the line of time, in milliseconds from the start of its request. */
export interface Span {
  readonly route: Route
  readonly from: number
  readonly to: number
}

/**
 * Places statements on the line of time. They are told with the millisecond in which they were sent:
 * those of one runner, which it sends one after the other, are moved apart within it.
 */
const spansOf = (routes: readonly Route[]): readonly Span[] => {
  const startedAt = routes[0]?.at ?? 0
  const ends = new Map<string, number>()
  return routes.map((route) => {
    const earliest = route.at - startedAt
    const from = Math.max(earliest, Math.min(ends.get(route.routeId) ?? 0, earliest + 1))
    const to = from + route.durationMs
    ends.set(route.routeId, to)
    return { route, from, to }
  })
}

const requestOf = (scopeId: string, found: readonly Route[]): RequestView => {
  const routes = found.toSorted((one, other) => one.at - other.at || one.number - other.number)
  const spans = spansOf(routes)
  return {
    scopeId,
    spans,
    startedAt: routes[0]?.at ?? 0,
    spanMs: Math.max(...spans.map(({ to }) => to)),
    shards: [...new Set(routes.map(({ shard }) => shard))],
    hasFailed: routes.some(({ error }) => error !== undefined),
  }
}

/** The requests among the routes, the one with the newest route first. */
export const requestsOf = (routes: readonly Route[]): readonly RequestView[] => {
  const byScope = new Map<string, Route[]>()
  for (const route of routes.toReversed()) {
    const { scopeId } = route
    if (scopeId === undefined) continue
    const list = byScope.get(scopeId)
    if (list === undefined) byScope.set(scopeId, [route])
    else list.push(route)
  }
  return [...byScope].map(([scopeId, list]) => requestOf(scopeId, list))
}

/** The statements of a request on one server, in rows in which none overlaps another. */
export interface Lane {
  readonly shard: string
  readonly server: string
  readonly role: Route['role']
  readonly rows: readonly (readonly Span[])[]
}

const inRows = (spans: readonly Span[]): readonly (readonly Span[])[] => {
  const rows: Span[][] = []
  for (const span of spans) {
    const free = rows.find((row) => (row.at(-1)?.to ?? 0) <= span.from)
    if (free === undefined) rows.push([span])
    else free.push(span)
  }
  return rows
}

/** A lane for each server of a request, by shard, in the order of their first statements. */
export const lanesOf = ({ spans, shards }: RequestView): readonly Lane[] => {
  const lanes = new Map<string, Span[]>()
  for (const span of spans) {
    const { shard, role } = span.route
    const key = JSON.stringify([shard, role, answeredBy(span.route)])
    const lane = lanes.get(key)
    if (lane === undefined) lanes.set(key, [span])
    else lane.push(span)
  }
  const found = [...lanes.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return []
    const { shard, role } = first.route
    const server = answeredBy(first.route)
    return [{ shard, server, role, rows: inRows([first, ...others]) }]
  })
  return shards.flatMap((shard) => found.filter((lane) => lane.shard === shard))
}

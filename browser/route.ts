import type { RouteEvent } from '../lib/index.js'

/** A route as it came over the wire. */
export type Route = RouteEvent & { readonly number: number }

/** The most that the page remembers; older ones are forgotten. */
export const mostRoutes = 2000

/** What a route is about, in a few words: its SQL where that is shown. */
export const subjectOf = ({ sql, statement, entity }: Route): string =>
  sql ?? (entity === undefined ? statement : `${statement} ${entity}`)

/** The server that answered, or what did in its place. */
export const answeredBy = ({ cached, node }: Route): string =>
  cached ? 'result cache' : (node ?? 'no server')

import { randomBytes } from 'node:crypto'

/** Tells the ids of this process from those of others. */
const prefix = randomBytes(5).toString('hex')

let routes = 0
let scopes = 0

/** An id for a decision that no other decision has, in this process or another. */
export const nextRouteId = (): string => `${prefix}-${(routes += 1)}`

/** An id for a scope that no other scope has, in this process or another. */
export const nextScopeId = (): string => `${prefix}-s${(scopes += 1)}`

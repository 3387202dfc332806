import { mostRoutes, type Route } from './route.js'

const newest = (routes: readonly Route[]): readonly Route[] =>
  routes.length > mostRoutes ? routes.slice(-mostRoutes) : routes

/** The routes that a page has been told of. Immutable: a change makes a new one. */
export interface RouteLog {
  /** The last of them, oldest first. */
  readonly routes: readonly Route[]
  /** What came in while paused. */
  readonly held: readonly Route[]
  readonly isPaused: boolean
  /** How many came in since it was paused: more than are held, if it took long. */
  readonly heldCount: number
  /** How many this page was too slow for. */
  readonly droppedCount: number
}

export const emptyLog: RouteLog = {
  routes: [],
  held: [],
  isPaused: false,
  heldCount: 0,
  droppedCount: 0,
}

export const withRoutes = (log: RouteLog, more: readonly Route[]): RouteLog =>
  log.isPaused
    ? {
        ...log,
        held: newest([...log.held, ...more]),
        heldCount: log.heldCount + more.length,
      }
    : { ...log, routes: newest([...log.routes, ...more]) }

export const withDropped = (log: RouteLog, count: number): RouteLog => ({
  ...log,
  droppedCount: log.droppedCount + count,
})

export const pausedOrNot = (log: RouteLog): RouteLog =>
  log.isPaused
    ? {
        ...log,
        routes: newest([...log.routes, ...log.held]),
        held: [],
        heldCount: 0,
        isPaused: false,
      }
    : { ...log, isPaused: true }

/** Forgets everything; one that was paused stays so. */
export const cleared = ({ isPaused }: RouteLog): RouteLog => ({ ...emptyLog, isPaused })

import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { StateView } from '../lib/inspector/state.js'
import { connect, type Hello } from './connection.js'
import { cleared, emptyLog, pausedOrNot, type RouteLog, withDropped, withRoutes } from './log.js'
import { countedRates, noRates, type Rates } from './rates.js'

/** What the page knows of the data source. */
export interface Live {
  readonly log: RouteLog
  readonly rates: Rates
  readonly state: StateView
  readonly hello: Hello | undefined
  readonly isConnected: boolean
}

const nothingYet: Live = {
  log: emptyLog,
  rates: noRates,
  state: { isEnabled: true, collapsesReplicas: false, shards: [] },
  hello: undefined,
  isConnected: false,
}

/** What can be done with it. */
export interface LiveActions {
  readonly pauseOrResume: () => void
  readonly clear: () => void
}

/**
 * Follows the inspector for as long as the page is there. However much comes in, the page is drawn
 * once a frame, and not while nobody sees it.
 */
export const useLive = (asksForHealth: boolean): readonly [Live, LiveActions] => {
  const [shown, show] = useState(nothingYet)
  const latest = useRef(nothingYet)
  const frame = useRef(0)

  const change = useCallback((changed: (live: Live) => Partial<Live>): void => {
    latest.current = { ...latest.current, ...changed(latest.current) }
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0
      show(latest.current)
    })
  }, [])

  useEffect(() => {
    const end = connect(
      {
        hello: (hello) => change(() => ({ hello })),
        routes: (routes) =>
          change(({ log, rates }) => ({
            log: withRoutes(log, routes),
            rates: countedRates(rates, routes),
          })),
        dropped: (count) => change(({ log }) => ({ log: withDropped(log, count) })),
        state: (state) => change(() => ({ state })),
        isConnected: (isConnected) => change(() => ({ isConnected })),
      },
      asksForHealth,
    )
    return end
  }, [asksForHealth])

  const pauseOrResume = useCallback(() => change(({ log }) => ({ log: pausedOrNot(log) })), [])
  const clear = useCallback(() => change(({ log }) => ({ log: cleared(log) })), [])
  return [shown, { pauseOrResume, clear }]
}

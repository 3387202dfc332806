import { Fragment, h, type JSX } from 'preact'
import { count, duration, quantile } from './format.js'
import type { RouteLog } from './log.js'
import { mostRoutes, type Route } from './route.js'

interface SummaryProperties {
  readonly routes: readonly Route[]
  readonly log: RouteLog
}

/** The routes that are shown, in numbers. */
export const Summary = ({ routes, log }: SummaryProperties): JSX.Element => {
  const times = routes.map(({ durationMs }) => durationMs).sort((one, other) => one - other)
  const failed = routes.filter(({ error }) => error !== undefined).length
  const replicas = routes.filter(({ role, cached }) => role === 'replica' && !cached).length
  const { droppedCount } = log
  return (
    <p class="summary quiet">
      <span>
        {count(routes.length, 'route')}
        {log.routes.length >= mostRoutes && ` of the last ${count(mostRoutes, 'route')}`}
      </span>
      {routes.length > 0 && (
        <Fragment>
          <span>{Math.round((100 * replicas) / routes.length)} % on replicas</span>
          <span>median {duration(quantile(times, 0.5))}</span>
          <span>p95 {duration(quantile(times, 0.95))}</span>
        </Fragment>
      )}
      {failed > 0 && <span class="bad-text">{failed} failed</span>}
      {droppedCount > 0 && (
        <span class="bad-text" title="They came faster than this page could take them">
          {count(droppedCount, 'route')} dropped
        </span>
      )}
    </p>
  )
}

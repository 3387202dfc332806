import { h, type JSX, type TargetedKeyboardEvent } from 'preact'
import { clock, count, duration } from './format.js'
import { type Lane, lanesOf, type RequestView } from './requests.js'
import { type Route, subjectOf } from './route.js'

const mostListed = 100

interface TimelineProperties {
  readonly requests: readonly RequestView[]
  readonly chosen: string | undefined
  readonly choose: (scopeId: string) => void
  readonly copy: (routes: readonly Route[]) => void
}

/** What a request, or a job, has sent to which server, and when. */
export const Timeline = ({ requests, chosen, choose, copy }: TimelineProperties): JSX.Element => {
  const [newest] = requests
  if (newest === undefined)
    return (
      <p class="empty">
        No request yet. Statements in one outermost scope (<code>using</code>,{' '}
        <code>octopus.scope</code>, a middleware) are one request.
      </p>
    )
  const request = requests.find(({ scopeId }) => scopeId === chosen) ?? newest
  return (
    <div class="timeline">
      <ol class="requests" aria-label="Requests, newest first" onKeyDown={moveChoice}>
        {requests.slice(0, mostListed).map((each) => (
          <li key={each.scopeId}>
            <button
              class="request"
              aria-current={each.scopeId === request.scopeId ? 'true' : undefined}
              onClick={() => choose(each.scopeId)}
            >
              <span class="quiet time">{clock(each.startedAt)}</span>
              {each.hasFailed && <span class="badge bad">failed</span>}
              <span class="number">{duration(each.spanMs)}</span>
              <span class="ellipsis request-shards">
                <span class="quiet">{count(each.spans.length, 'statement')}</span>{' '}
                {each.shards.join(', ')}
              </span>
            </button>
          </li>
        ))}
      </ol>
      <Waterfall request={request} copy={copy} />
    </div>
  )
}

const moveChoice = (event: TargetedKeyboardEvent<HTMLOListElement>): void => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (step === undefined) return
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.request')]
  const target = rows[rows.indexOf(event.target as HTMLElement) + step]
  if (target === undefined) return
  event.preventDefault()
  target.focus()
  target.click()
}

/** Round marks for a scale: 0, 5, 10 … ms. */
const marksOf = (spanMs: number): readonly number[] => {
  const rough = spanMs / 5
  const unit = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((size) => size >= rough) ?? rough
  return Array.from({ length: Math.floor(spanMs / step) + 1 }, (_, at) => at * step)
}

interface WaterfallProperties {
  readonly request: RequestView
  readonly copy: (routes: readonly Route[]) => void
}

const Waterfall = ({ request, copy }: WaterfallProperties): JSX.Element => {
  const spanMs = Math.max(request.spanMs, 0.1)
  const share = (ms: number): string => `${(100 * ms) / spanMs}%`
  return (
    <section class="waterfall" aria-label="Timeline of the request">
      <header class="section-head">
        <h3>{count(request.spans.length, 'statement')}</h3>
        <span class="quiet">
          on {request.shards.join(', ')}, in {duration(request.spanMs)}, from{' '}
          {clock(request.startedAt)}
        </span>
        <button onClick={() => copy(request.spans.map(({ route }) => route))}>Copy as JSON</button>
      </header>
      <div class="lanes">
        <div class="scale" aria-hidden="true">
          {marksOf(spanMs)
            .filter((mark) => mark <= 0.92 * spanMs)
            .map((mark) => (
              <span key={mark} class="mark" style={{ left: share(mark) }}>
                {duration(mark)}
              </span>
            ))}
        </div>
        {lanesOf(request).map((lane) => (
          <LaneView key={`${lane.shard} ${lane.role} ${lane.server}`} lane={lane} share={share} />
        ))}
      </div>
      <ol class="sent" aria-label="Statements in the order in which they were sent">
        {request.spans.map(({ route, from }) => (
          <li key={route.number} class={route.error === undefined ? '' : 'failed'}>
            <span class="quiet number">+{duration(from)}</span>
            <span class="shard-cell">{route.shard}</span>
            <span class="ellipsis mono">{subjectOf(route)}</span>
            <span class="ellipsis reason-cell">{route.reason}</span>
            <span class="number">{duration(route.durationMs)}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}

const hintOf = (route: Route): string => {
  const { reason, durationMs, waitedMs } = route
  const wait = waitedMs > 0 ? `, ${duration(waitedMs)} of it waiting for a connection` : ''
  return `${subjectOf(route).slice(0, 200)}\n${reason}, ${duration(durationMs)}${wait}`
}

interface LaneProperties {
  readonly lane: Lane
  readonly share: (ms: number) => string
}

const LaneView = ({ lane, share }: LaneProperties): JSX.Element => (
  <div class="lane">
    <div class="lane-name">
      <span class={`role ${lane.role}`}>{lane.role === 'primary' ? 'P' : 'R'}</span>
      <span class="ellipsis">
        {lane.shard} <span class="quiet">{lane.server}</span>
      </span>
    </div>
    <div class="lane-rows">
      {lane.rows.map((row, at) => (
        <div key={at} class="lane-row">
          {row.map(({ route, from }) => (
            <span
              key={route.number}
              class={`span ${route.role}${route.error === undefined ? '' : ' failed'}`}
              style={{ left: share(from), width: share(route.durationMs) }}
              title={hintOf(route)}
            >
              {route.waitedMs > 0 && (
                <span
                  class="waiting"
                  style={{ width: `${(100 * route.waitedMs) / route.durationMs}%` }}
                />
              )}
            </span>
          ))}
        </div>
      ))}
    </div>
  </div>
)

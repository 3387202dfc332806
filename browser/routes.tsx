import { h, type JSX, type TargetedKeyboardEvent } from 'preact'
import { memo } from './memo.js'
import { useEffect, useRef, useState } from 'preact/hooks'
import { clock, count, duration } from './format.js'
import { answeredBy, type Route, subjectOf } from './route.js'
import { RouteDetails } from './route-details.js'

/** How many are drawn at first, and more at a time. */
const batch = 200

/** What can be done with a route. */
export interface RouteActions {
  readonly copy: (routes: readonly Route[]) => void
  readonly showRequest: (scopeId: string) => void
}

interface RoutesProperties extends RouteActions {
  /** Oldest first. */
  readonly routes: readonly Route[]
  readonly isEmptyBecause: string
}

/** The routes, newest first; each can be opened to see why it went there. */
export const Routes = ({
  routes,
  isEmptyBecause,
  copy,
  showRequest,
}: RoutesProperties): JSX.Element => {
  const [most, setMost] = useState(batch)
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const list = useRef<HTMLOListElement>(null)
  const actions = useStable({ copy, showRequest })
  const toggle = useStable({
    open: (number: number) =>
      setOpen((before) => {
        const after = new Set(before)
        if (!after.delete(number)) after.add(number)
        return after
      }),
  })
  if (routes.length === 0) return <p class="empty">{isEmptyBecause}</p>
  const shown = routes.slice(-most).toReversed()
  return (
    <div class="routes">
      <div class="route-head" aria-hidden="true">
        <span>Time</span>
        <span>Shard</span>
        <span>Server</span>
        <span>Statement</span>
        <span>Reason</span>
        <span class="number">Took</span>
      </div>
      <ol ref={list} class="route-list" aria-label="Routes, newest first" onKeyDown={moveFocus}>
        {shown.map((route) => (
          <RouteRow
            key={route.number}
            route={route}
            isOpen={open.has(route.number)}
            toggle={toggle.open}
            actions={actions}
          />
        ))}
      </ol>
      {routes.length > most && (
        <button class="more" onClick={() => setMost(most + batch)}>
          {count(routes.length - most, 'older route')}: show {Math.min(batch, routes.length - most)}{' '}
          more
        </button>
      )}
    </div>
  )
}

/** One object for the life of a component, whose functions are always the latest. */
const useStable = <T extends Record<string, (...values: never[]) => void>>(functions: T): T => {
  const latest = useRef(functions)
  useEffect(() => {
    latest.current = functions
  })
  const stable = useRef<T | undefined>(undefined)
  stable.current ??= Object.fromEntries(
    Object.keys(functions).map((name) => [
      name,
      (...values: never[]) => latest.current[name]?.(...values),
    ]),
  ) as T
  return stable.current
}

/** Arrows go through the rows, Home and End to the first and last. */
const moveFocus = (event: TargetedKeyboardEvent<HTMLOListElement>): void => {
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.route')]
  const at = rows.indexOf(event.target as HTMLElement)
  const targets: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: rows.length - 1,
  }
  const target = rows[targets[event.key] ?? -1]
  if (at === -1 || target === undefined) return
  event.preventDefault()
  target.focus()
}

interface RouteRowProperties {
  readonly route: Route
  readonly isOpen: boolean
  readonly toggle: (number: number) => void
  readonly actions: RouteActions
}

/** How full the bar of a duration is, in percent: 1 ms a fifth, 10 ms two fifths … */
const barLength = (ms: number): number => Math.min(100, 20 * Math.max(0, 1 + Math.log10(ms)))

const RouteRow = memo(({ route, isOpen, toggle, actions }: RouteRowProperties): JSX.Element => {
  const { number, at, shard, role, reason, durationMs, error } = route
  const details = `route-${number}`
  return (
    <li class={error === undefined ? 'route-item' : 'route-item failed'}>
      <button
        class="route"
        data-number={number}
        aria-expanded={isOpen}
        aria-controls={details}
        onClick={() => toggle(number)}
      >
        <span class="quiet time">{clock(at)}</span>
        <span class="shard-cell">{shard}</span>
        <span class="server-cell">
          <span class={`role ${role}`}>
            {role === 'primary' ? 'P' : 'R'}
            <span class="off-screen">{role}</span>
          </span>
          <span class="ellipsis">{answeredBy(route)}</span>
        </span>
        <span class="statement-cell">
          <span class="ellipsis mono">{subjectOf(route)}</span>
          <Flags route={route} />
        </span>
        <span class="reason-cell ellipsis">{reason}</span>
        <span class="number took">
          {duration(durationMs)}
          <span class="took-bar" style={{ width: `${barLength(durationMs)}%` }} />
        </span>
      </button>
      {isOpen && <RouteDetails id={details} route={route} {...actions} />}
    </li>
  )
})

/** What is out of the ordinary about a route. */
const Flags = ({ route }: { readonly route: Route }): JSX.Element => {
  const { kind, error, cached, retried, inTransaction, waitedMs, skipped } = route
  const flags = [
    error && ['bad', `failed: ${error.code ?? error.name}`],
    kind !== 'statement' && ['plain', kind],
    inTransaction && ['plain', 'transaction'],
    cached && ['good', 'cached'],
    retried && ['warn', 'retried'],
    waitedMs >= 1 && ['warn', `waited ${duration(waitedMs)}`],
    skipped.length > 0 && ['warn', `${skipped.length} skipped`],
  ].filter((flag) => Array.isArray(flag))
  return (
    <span class="flags">
      {flags.map(([tone, text]) => (
        <span key={text} class={`badge ${tone}`}>
          {text}
        </span>
      ))}
    </span>
  )
}

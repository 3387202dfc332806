import { h, type JSX } from 'preact'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { copyText } from './clipboard.js'
import { everything, type Filter, matcher } from './filter.js'
import { FilterBar } from './filter-bar.js'
import { count } from './format.js'
import { Header } from './header.js'
import { useKeys } from './keys.js'
import { useLive } from './live.js'
import { requestsOf } from './requests.js'
import type { Route } from './route.js'
import { Routes } from './routes.js'
import { Summary } from './summary.js'
import { type Tab, Tabs } from './tabs.js'
import { Timeline } from './timeline.js'
import { Topology } from './topology.js'

/** The page. */
export const Inspector = (): JSX.Element => {
  const [asksForHealth, askForHealth] = useState(false)
  const [live, { pauseOrResume, clear }] = useLive(asksForHealth)
  const [filter, setFilter] = useState(everything)
  const [tab, setTab] = useState<Tab>('routes')
  const [request, setRequest] = useState<string | undefined>(undefined)
  const [said, say] = useSaid()
  const textField = useRef<HTMLInputElement>(null)
  const { log, state, rates } = live

  const matching = useMemo(() => log.routes.filter(matcher(filter)), [log.routes, filter])
  const requests = useMemo(
    () => (tab === 'timeline' ? requestsWith(log.routes, matching) : []),
    [log.routes, matching, tab],
  )
  const copy = useCallback((routes: readonly Route[]) => {
    const text = JSON.stringify(routes.length === 1 ? routes[0] : routes, undefined, 2)
    void copyText(text).then((isDone) =>
      say(
        isDone
          ? `Copied ${count(routes.length, 'route')} as JSON.`
          : 'The browser refused to copy.',
      ),
    )
  }, [])
  const showRequest = useCallback((scopeId: string) => {
    setRequest(scopeId)
    setTab('timeline')
  }, [])
  const pause = useCallback(() => {
    say(log.isPaused ? 'Resumed.' : 'Paused.')
    pauseOrResume()
  }, [log.isPaused])

  useKeys({
    '/': () => textField.current?.focus(),
    ' ': pause,
    p: pause,
    c: () => copyFocused(log.routes, copy),
    Escape: () => setFilter(everything),
  })

  return (
    <div class="page">
      <Header
        live={live}
        pause={pause}
        clear={clear}
        asksForHealth={asksForHealth}
        askForHealth={askForHealth}
        copyShown={() => copy(matching)}
      />
      <Topology
        state={state}
        rates={rates}
        chosen={filter}
        choose={(shard, node) => setFilter(chosenServer(filter, shard, node))}
      />
      <main class="main">
        <FilterBar
          filter={filter}
          setFilter={setFilter}
          routes={log.routes}
          shards={state.shards}
          textField={textField}
        />
        <Tabs tab={tab} setTab={setTab}>
          <Summary routes={matching} log={log} />
        </Tabs>
        <div role="tabpanel" id={`panel-${tab}`} aria-labelledby={`tab-${tab}`} class="panel">
          {tab === 'routes' ? (
            <Routes
              routes={matching}
              isEmptyBecause={
                log.routes.length === 0 ? 'No statement yet.' : 'No route is as the filter asks.'
              }
              copy={copy}
              showRequest={showRequest}
            />
          ) : (
            <Timeline requests={requests} chosen={request} choose={setRequest} copy={copy} />
          )}
        </div>
      </main>
      <p class="said" role="status" aria-live="polite">
        {said}
      </p>
    </div>
  )
}

/** The requests, whole, that have a route which the filter asks for. */
const requestsWith = (routes: readonly Route[], matching: readonly Route[]) => {
  const scopes = new Set(matching.map(({ scopeId }) => scopeId))
  return requestsOf(routes.filter(({ scopeId }) => scopes.has(scopeId)))
}

/** The filter for a server of the topology; without it, if it was chosen before. */
const chosenServer = (filter: Filter, shard: string, node: string): Filter =>
  filter.shard === shard && filter.node === node
    ? { ...filter, shard: '', node: '' }
    : { ...filter, shard, node }

const copyFocused = (routes: readonly Route[], copy: (routes: readonly Route[]) => void): void => {
  const row = document.activeElement?.closest('.route-item')?.querySelector('.route')
  const number = Number(row?.getAttribute('data-number'))
  const route = routes.find((each) => each.number === number)
  if (route !== undefined) copy([route])
}

/** What was said last; it is gone after a while. */
const useSaid = (): readonly [string, (text: string) => void] => {
  const [said, say] = useState('')
  useEffect(() => {
    if (said === '') return
    const timer = setTimeout(() => say(''), 4000)
    return () => clearTimeout(timer)
  }, [said])
  return [said, say]
}

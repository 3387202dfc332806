import { h, type JSX } from 'preact'
import { useState } from 'preact/hooks'
import { count } from './format.js'
import type { Live } from './live.js'
import { chooseTheme, chosenTheme, themeAfter } from './theme.js'

interface HeaderProperties {
  readonly live: Live
  readonly pause: () => void
  readonly clear: () => void
  readonly copyShown: () => void
  readonly asksForHealth: boolean
  readonly askForHealth: (asks: boolean) => void
}

export const Header = (properties: HeaderProperties): JSX.Element => {
  const { live, pause, clear, copyShown, asksForHealth, askForHealth } = properties
  const { isPaused, heldCount } = live.log
  return (
    <header class="page-head">
      <h1>
        octopus <span class="quiet">inspector</span>
      </h1>
      <Connection live={live} />
      <span class="grow" />
      <Keys />
      <label
        class="check"
        title="Asks every server, every few seconds, how it is, and replicas how far they are behind"
      >
        <input
          type="checkbox"
          name="health"
          checked={asksForHealth}
          onChange={(event) => askForHealth(event.currentTarget.checked)}
        />
        Ask servers
      </label>
      <button class="pause" aria-pressed={isPaused} aria-keyshortcuts="Space p" onClick={pause}>
        {isPaused ? `Resume (${count(heldCount, 'new', 'new')})` : 'Pause'}
      </button>
      <button onClick={clear}>Clear</button>
      <button onClick={copyShown}>Copy shown</button>
      <ThemeButton />
    </header>
  )
}

const Connection = ({ live }: { readonly live: Live }): JSX.Element => {
  const { isConnected, log, hello } = live
  const [tone, text] = !isConnected
    ? ['bad', 'Not connected']
    : log.isPaused
      ? ['warn', 'Paused']
      : ['good', 'Live']
  return (
    <span class={`connection ${tone}`} role="status">
      {text}
      {hello !== undefined && <span class="quiet process"> · process {hello.pid}</span>}
    </span>
  )
}

const ThemeButton = (): JSX.Element => {
  const [theme, setTheme] = useState(chosenTheme)
  const next = themeAfter(theme)
  return (
    <button
      class="theme"
      title={`Colours: ${theme}. Press for ${next}.`}
      onClick={() => {
        chooseTheme(next)
        setTheme(next)
      }}
    >
      {theme === 'auto' ? '◐' : theme === 'light' ? '☀' : '☾'}
      <span class="off-screen">Colours: {theme}</span>
    </button>
  )
}

const keys = [
  ['/', 'find in routes'],
  ['Space or p', 'pause, resume'],
  ['↑ ↓ Home End', 'go through the list'],
  ['Enter', 'open a route'],
  ['c', 'copy the route as JSON'],
  ['Esc', 'show all'],
] as const

const Keys = (): JSX.Element => (
  <details class="keys">
    <summary>Keys</summary>
    <dl>
      {keys.map(([key, what]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  </details>
)

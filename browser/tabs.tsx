import { type ComponentChildren, h, type JSX, type TargetedKeyboardEvent } from 'preact'

const tabs = [
  ['routes', 'Routes'],
  ['timeline', 'Timeline'],
] as const
export type Tab = (typeof tabs)[number][0]

interface TabsProperties {
  readonly tab: Tab
  readonly setTab: (tab: Tab) => void
  readonly children: ComponentChildren
}

export const Tabs = ({ tab, setTab, children }: TabsProperties): JSX.Element => (
  <div class="tab-bar">
    <div role="tablist" aria-label="Views" onKeyDown={(event) => moveTab(event, tab, setTab)}>
      {tabs.map(([name, text]) => (
        <button
          key={name}
          role="tab"
          id={`tab-${name}`}
          aria-selected={tab === name}
          aria-controls={`panel-${name}`}
          tabIndex={tab === name ? 0 : -1}
          onClick={() => setTab(name)}
        >
          {text}
        </button>
      ))}
    </div>
    {children}
  </div>
)

const moveTab = (
  event: TargetedKeyboardEvent<HTMLDivElement>,
  tab: Tab,
  setTab: (tab: Tab) => void,
): void => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
  if (step === undefined) return
  const at = tabs.findIndex(([name]) => name === tab)
  const [name] = tabs[(at + step + tabs.length) % tabs.length] ?? tabs[0]
  setTab(name)
  event.currentTarget.querySelector<HTMLElement>(`#tab-${name}`)?.focus()
}

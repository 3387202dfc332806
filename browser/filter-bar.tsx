import { h, type JSX, type Ref } from 'preact'
import { type Dispatch, type StateUpdater, useCallback, useRef } from 'preact/hooks'
import type { ShardView } from '../lib/inspector/state.js'
import { type ChosenField, chosenFields, everything, type Filter } from './filter.js'
import { memo } from './memo.js'
import type { Route } from './route.js'

const labels: Readonly<Record<ChosenField, string>> = {
  shard: 'Shard',
  node: 'Server',
  role: 'Role',
  reason: 'Reason',
  operation: 'Operation',
  entity: 'Entity',
}

const kinds: readonly Option[] = [
  ['', 'not internal'],
  ['statement', 'statement'],
  ['bypass', 'bypass'],
  ['internal', 'internal'],
  ['all', 'all'],
]

interface FilterBarProperties {
  readonly filter: Filter
  readonly setFilter: Dispatch<StateUpdater<Filter>>
  readonly routes: readonly Route[]
  readonly shards: readonly ShardView[]
  readonly textField: Ref<HTMLInputElement>
}

/** What each field can be, by the topology and by what was seen. */
const valuesOf = (
  { filter, routes, shards }: FilterBarProperties,
  field: ChosenField,
): readonly string[] => {
  const inShard = (shard: string): boolean => filter.shard === '' || filter.shard === shard
  if (field === 'shard') return shards.map(({ name }) => name)
  if (field === 'node')
    return shards
      .filter(({ name }) => inShard(name))
      .flatMap(({ servers }) => servers.map(({ node }) => node))
  if (field === 'role') return ['primary', 'replica']
  return routes.map((route) => route[field] ?? '')
}

/** The options for some values, sorted and each once: the same array for as long as they are the same. */
const useOptions = (values: readonly string[], chosen: string): readonly Option[] => {
  const before = useRef<readonly Option[]>([])
  const names = [...new Set([...values, chosen])].filter(Boolean).sort()
  const isSame =
    names.length + 1 === before.current.length &&
    names.every((name, at) => before.current[at + 1]?.[0] === name)
  if (!isSame) before.current = [['', 'any'], ...names.map((name) => [name, name] as const)]
  return before.current
}

export const FilterBar = (properties: FilterBarProperties): JSX.Element => {
  const { filter, setFilter, textField } = properties
  const choose = useCallback(
    (name: string, value: unknown) => setFilter((before) => ({ ...before, [name]: value })),
    [],
  )
  return (
    <form
      class="filter"
      role="search"
      aria-label="Routes"
      onSubmit={(event) => event.preventDefault()}
    >
      <div class="filter-find">
        <input
          ref={textField}
          class="filter-text"
          type="search"
          name="text"
          aria-label="Find in routes"
          aria-keyshortcuts="/"
          placeholder="Find in routes   /"
          value={filter.text}
          onInput={(event) => choose('text', event.currentTarget.value)}
        />
        <label class="check">
          Slower than
          <input
            type="number"
            name="slowerThanMs"
            min={0}
            step="any"
            value={filter.slowerThanMs === 0 ? '' : filter.slowerThanMs}
            placeholder="0"
            onInput={({ currentTarget: { valueAsNumber } }) =>
              choose('slowerThanMs', valueAsNumber > 0 ? valueAsNumber : 0)
            }
          />
          ms
        </label>
        <label class="check">
          <input
            type="checkbox"
            name="errorsOnly"
            checked={filter.errorsOnly}
            onChange={(event) => choose('errorsOnly', event.currentTarget.checked)}
          />
          Errors only
        </label>
        <button
          type="button"
          disabled={filter === everything}
          onClick={() => setFilter(() => everything)}
        >
          Show all
        </button>
      </div>
      <div class="filter-fields">
        {chosenFields.map((field) => (
          <Choice
            key={field}
            name={field}
            label={labels[field]}
            value={filter[field]}
            options={useOptions(valuesOf(properties, field), filter[field])}
            choose={choose}
          />
        ))}
        <Choice name="kind" label="Kind" value={filter.kind} options={kinds} choose={choose} />
      </div>
    </form>
  )
}

type Option = readonly [value: string, text: string]

interface ChoiceProperties {
  readonly name: string
  readonly label: string
  readonly value: string
  readonly options: readonly Option[]
  readonly choose: (name: string, value: string) => void
}

const Choice = memo(({ name, label, value, options, choose }: ChoiceProperties): JSX.Element => (
  <label class={value === '' ? 'field' : 'field chosen'}>
    <span>{label}</span>
    <select name={name} value={value} onChange={(event) => choose(name, event.currentTarget.value)}>
      {options.map(([option, text]) => (
        <option key={option} value={option}>
          {text}
        </option>
      ))}
    </select>
  </label>
))

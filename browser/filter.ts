import { answeredBy, type Route, subjectOf } from './route.js'

/** What is to be shown. An empty text asks for nothing in particular. */
export interface Filter {
  readonly text: string
  readonly shard: string
  readonly node: string
  readonly role: string
  readonly kind: string
  readonly reason: string
  readonly operation: string
  readonly entity: string
  readonly slowerThanMs: number
  readonly errorsOnly: boolean
}

export const everything: Filter = {
  text: '',
  shard: '',
  node: '',
  role: '',
  kind: '',
  reason: '',
  operation: '',
  entity: '',
  slowerThanMs: 0,
  errorsOnly: false,
}

/** The fields that a value is chosen for, from those that were seen. */
export const chosenFields = ['shard', 'node', 'role', 'reason', 'operation', 'entity'] as const
export type ChosenField = (typeof chosenFields)[number]

/** All words that a free text is looked for in. */
const wordsOf = (route: Route): string =>
  [
    route.shard,
    route.role,
    answeredBy(route),
    subjectOf(route),
    route.entity,
    route.operation,
    route.reason,
    route.shardReason,
    route.kind,
    route.error?.name,
    route.error?.code,
    ...route.scopes,
  ]
    .join(' ')
    .toLowerCase()

const containsAll = (route: Route, words: readonly string[]): boolean => {
  const [word, ...others] = words
  if (word === undefined) return true
  const text = wordsOf(route)
  return text.includes(word) && others.every((other) => text.includes(other))
}

/** The library's own statements are shown to those who ask for them. */
const isOfKind = (route: Route, kind: string): boolean =>
  kind === '' ? route.kind !== 'internal' : kind === 'all' || route.kind === kind

/** Makes the test that routes are put to. */
export const matcher = (filter: Filter): ((route: Route) => boolean) => {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean)
  const chosen = chosenFields.filter((field) => filter[field] !== '')
  return (route) =>
    isOfKind(route, filter.kind) &&
    chosen.every((field) => route[field] === filter[field]) &&
    route.durationMs >= filter.slowerThanMs &&
    (!filter.errorsOnly || route.error !== undefined) &&
    containsAll(route, words)
}

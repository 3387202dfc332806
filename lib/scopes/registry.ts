import { NoDataSourceError } from '../errors.js'
import type { Scopes } from './scopes.js'

/** The wrapped data sources of the process, held weakly, from octopus() to destroy(). */
const registered = new Set<WeakRef<Scopes>>()

/** Makes `scopes` a candidate for the module-level functions. */
export const registerScopes = (scopes: Scopes): void => {
  unregisterScopes(scopes)
  registered.add(new WeakRef(scopes))
}

/** Takes `scopes`, and those whose data source is gone, off the list. */
export const unregisterScopes = (scopes: Scopes): void => {
  for (const reference of registered) {
    const live = reference.deref()
    if (live === undefined || live === scopes) registered.delete(reference)
  }
}

/**
 * The scopes of the one wrapped data source of the process.
 *
 * @param call - the function that asks, for the message
 * @throws NoDataSourceError if there is none, or more than one
 */
export const onlyScopes = (call: string): Scopes => {
  const live = [...registered].map((reference) => reference.deref()).filter((s) => s !== undefined)
  const [scopes] = live
  if (scopes === undefined || live.length > 1) throw new NoDataSourceError(call, live.length)
  return scopes
}

import { nextScopeId } from '../trace/ids.js'
import { type Frame, type WriteLedger, userFrame } from './frame.js'

const ids = new WeakMap<WriteLedger, string>()

/**
 * The id of the outermost scope around `frame`: the same for all that is sent in one request. Made when
 * it is first asked for.
 *
 * @returns undefined outside the scopes that users open
 */
export const scopeIdOf = (frame: Frame | undefined): string | undefined => {
  if (frame === undefined || userFrame(frame) === undefined) return undefined
  // All frames of one outermost scope share its ledger.
  let id = ids.get(frame.writes)
  if (id === undefined) ids.set(frame.writes, (id = nextScopeId()))
  return id
}

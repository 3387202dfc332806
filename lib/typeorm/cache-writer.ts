import type { QueryRunner } from 'typeorm'
import { setState, stateOf } from './binding.js'
import { RoutedEntityManager } from './entity-manager.js'
import { assign, overlayOf } from './internals.js'
import type { RunnerState } from './runner-state.js'

/**
 * A runner to store with what was read through `runner`. Where the read holds a connection to the
 * primary it serves, for a second one from the same pool might never come: all could be held by reads
 * that wait for theirs. Undefined where the read holds none.
 */
export const writerOver = (runner: QueryRunner | undefined): QueryRunner | undefined => {
  const state = stateOf(runner)
  if (runner === undefined || state === undefined) return runner
  const mode = runner.getReplicationMode()
  if (mode === 'master' && state.intent === 'read') return runner
  if (state.lease?.endpoint.role !== 'primary') return undefined
  const writer = overlayOf(runner)
  writer.getReplicationMode = () => 'master'
  setState(writer, writingState(state))
  // A manager stays on the runner that it was made for.
  assign(writer, { manager: RoutedEntityManager.create(writer.dataSource, writer) })
  return writer
}

/** As the state of a read, but free to write: a cache is no part of the data that a scope protects. */
const writingState = (read: RunnerState): RunnerState => {
  const route = { ...read.route, role: 'primary', isReadOnly: false } as const
  const state = read.otherwise({
    route,
    intent: 'read',
    operation: 'result cache',
    kind: 'statement',
  })
  state.lease = read.lease
  return state
}

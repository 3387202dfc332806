import type { QueryRunner } from 'typeorm'
import { currentFrame } from '../context/carrier.js'
import { frameOf } from '../context/frame.js'
import type { Lease } from '../pool/lease.js'
import type { Route } from '../router/decide.js'
import type { Endpoint } from '../topology/snapshot.js'
import type { RouteEventKind } from '../trace/event.js'
import { stateOf } from './binding.js'
import { type Settled, type Witness, watchNative, witnessOf } from './native-watch.js'
import { RunnerState } from './runner-state.js'
import type { Shard } from './shard.js'
import { TracedStatement, isListenedTo } from './statement-trace.js'

/** The route of what was sent past every decision. */
export const rawRoute = (shard: Shard, endpoint: Endpoint): Route => ({
  shard: shard.name,
  role: endpoint.role,
  replicaGroup: endpoint.group,
  reason: 'query runner',
  shardReason: 'handle',
  passedOver: [],
  isReadOnly: false,
})

/** The state of a statement that no query runner sends. */
export const rawState = (
  shard: Shard,
  endpoint: Endpoint,
  kind: RouteEventKind,
  operation: string,
): RunnerState => {
  const { runtime } = shard
  const state = new RunnerState({
    runtime,
    shard,
    route: rawRoute(shard, endpoint),
    frame: undefined,
    intent: 'primary runner',
    operation,
    metadata: undefined,
    kind,
  })
  state.standAt(endpoint)
  return state
}

/** The same on a connection that a query runner holds. */
const besideRunner = (holder: RunnerState, endpoint: Endpoint, operation: string): RunnerState => {
  const state = holder.otherwise({ kind: 'bypass', operation })
  state.standAt(endpoint)
  return state
}

/** Tells the trace of a statement that no query runner sends; undefined where nobody listens. */
export const traceRaw = (
  state: RunnerState,
  sql: string,
  inTransaction: boolean,
): Settled | undefined => {
  const ambient = frameOf(state.runtime.owner, currentFrame())
  if (!isListenedTo(state, ambient)) return undefined
  const sent = { sql, inTransaction, ambient, isCached: false, retried: false }
  const traced = new TracedStatement(state, sent, undefined)
  return (error) => traced.settled(error)
}

const untold = (): void => undefined

/** Tells the statements of one connection that no query runner sends. */
class RawWitness implements Witness {
  readonly #shard: Shard
  readonly #endpoint: Endpoint
  /** The lease under which it is out, if it is. */
  lease: Lease | undefined = undefined
  /** What the library is just sending on it by itself; an empty text for what is told elsewhere. */
  own: string | undefined = undefined

  constructor(shard: Shard, endpoint: Endpoint) {
    this.#shard = shard
    this.#endpoint = endpoint
  }

  sent(sql: string, method: string): Settled | undefined {
    const { own, lease } = this
    if (own === '') return untold
    if (own !== undefined)
      return traceRaw(rawState(this.#shard, this.#endpoint, 'internal', own), sql, false)
    if (lease === undefined || lease.isReleased)
      return traceRaw(rawState(this.#shard, this.#endpoint, 'bypass', method), sql, false)
    // Its query runner is at it, and tells it.
    if (lease.isRunning) return undefined
    const holder = stateOf(lease.holder as QueryRunner | undefined)
    const state =
      holder === undefined
        ? rawState(this.#shard, this.#endpoint, 'bypass', method)
        : besideRunner(holder, this.#endpoint, method)
    return traceRaw(state, sql, lease.holder?.isTransactionActive ?? false)
  }
}

/** Watches a connection of a server for statements that no query runner sends. */
export const watchRaw = (connection: object, shard: Shard, endpoint: Endpoint): void =>
  watchNative(connection, () => new RawWitness(shard, endpoint))

/** Notes under which lease a connection is out. */
export const noteLease = (lease: Lease): void => {
  const witness = witnessOf(lease.connection)
  if (witness instanceof RawWitness) witness.lease = lease
}

/**
 * Sends what the library sends by itself.
 *
 * @param operation - what it is for, for the trace; an empty text where the trace is told otherwise
 */
export const sendOwn = <T>(connection: object, operation: string, send: () => T): T => {
  const witness = witnessOf(connection)
  if (!(witness instanceof RawWitness)) return send()
  witness.own = operation
  try {
    return send()
  } finally {
    witness.own = undefined
  }
}

import type { VerifiedConnection } from '../pool/lease.js'
import type { Endpoint } from '../topology/snapshot.js'
import { rawRoute } from './raw-statements.js'
import { RunnerState } from './runner-state.js'
import type { Shard } from './shard.js'
import { TracedStatement, isListenedTo } from './statement-trace.js'

/**
 * A connection of whose statements the trace is told, as the library's own.
 *
 * @param operation - what they are sent for
 */
export const tracedConnection = (
  shard: Shard,
  endpoint: Endpoint,
  connection: VerifiedConnection,
  operation: string,
): VerifiedConnection => {
  const state = new RunnerState({
    runtime: shard.runtime,
    shard,
    route: rawRoute(shard, endpoint),
    frame: undefined,
    intent: 'primary runner',
    operation,
    metadata: undefined,
    kind: 'internal',
  })
  state.endpoint = endpoint
  return {
    engine: connection.engine,
    ping: () => connection.ping(),
    async query(sql) {
      if (!isListenedTo(state, undefined)) return connection.query(sql)
      const sent = {
        sql,
        inTransaction: false,
        ambient: undefined,
        isCached: false,
        retried: false,
      }
      const traced = new TracedStatement(state, sent, undefined)
      const send = () => connection.query(sql)
      try {
        const rows = await (traced.observation === undefined
          ? send()
          : traced.observation.send(send))
        traced.settled()
        return rows
      } catch (error) {
        traced.settled(error)
        throw error
      }
    },
  }
}

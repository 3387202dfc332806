import { type EventEmitter, errorMonitor } from 'node:events'
import type { ReadStream } from 'node:fs'
import { failureOf } from '../pool/failure.js'
import type { RunnerState } from './runner-state.js'
import { isLost } from './statement-failures.js'

/**
 * Lets a stream tell the pool of the loss of its connection, and its reader too, who would else wait for
 * ever: mysql2 tells statements with a callback only, and pg-query-stream does not end before its last
 * word has been answered.
 */
export const watched = (
  stream: ReadStream,
  { lease, shard }: RunnerState,
  onError: Function | undefined,
): ReadStream => {
  if (lease === undefined) return stream
  const noteFailure = (error: unknown): void => {
    const kind = failureOf(error)
    if (isLost(error) && kind !== undefined) lease.failed(kind)
  }
  stream.once(errorMonitor, noteFailure)
  if (shard.family === 'postgres') {
    const { _destroy: destroy } = stream
    stream._destroy = (error, done) => {
      if (lease.isSpoilt) done(error)
      else destroy.call(stream, error, done)
    }
    return stream
  }
  const connection = lease.connection as EventEmitter
  const onLost = (error: Error): void => {
    noteFailure(error)
    stream.destroy(error)
    onError?.(error)
  }
  connection.once('error', onLost)
  stream.once('close', () => connection.removeListener('error', onLost))
  return stream
}

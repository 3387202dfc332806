import { QueryFailedError, type QueryRunner } from 'typeorm'
import { QueryTimeoutError } from '../errors.js'
import { routed } from './binding.js'

/**
 * Sends a statement that has so many milliseconds for its answer. After that its caller is freed and the
 * connection closed: neither driver does it, and a server that is stalled would hold both for ever.
 */
export const sendInTime = <T>(
  runner: QueryRunner,
  sql: string,
  parameters: unknown[] | undefined,
  ms: number,
  send: () => Promise<T>,
): Promise<T> =>
  runner.connect().then(
    () =>
      new Promise<T>((resolve, reject) => {
        const { lease } = routed(runner)
        const timer = setTimeout(() => {
          lease?.abort()
          const id = lease?.endpoint.id ?? ''
          reject(new QueryFailedError(sql, parameters, new QueryTimeoutError(id, ms)))
        }, ms)
        send()
          .then(resolve, reject)
          .finally(() => clearTimeout(timer))
      }),
  )

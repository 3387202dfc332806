import { type EventEmitter, errorMonitor } from 'node:events'

/** Is told how a statement ended. */
export type Settled = (error?: unknown) => void

/** Who looks at what is sent on a connection of a driver package. */
export interface Witness {
  /**
   * Is told of a statement right before it is sent.
   *
   * @param method - the connection's method that sends it
   * @returns what is to be told of its end; undefined for nothing
   */
  sent(sql: string, method: string): Settled | undefined
}

const witnessKey = Symbol('typeorm-octopus.witness')

/** A connection of mysql2 or pg, as far as it is watched. */
type Watched = Record<'execute' | 'query', ((...args: unknown[]) => unknown) | undefined> & {
  [witnessKey]?: Witness
}

/** What mysql2 and pg take and return: SQL, its options, a command, or something that submits itself. */
interface Statement {
  readonly sql?: unknown
  readonly text?: unknown
  readonly cursor?: { readonly text?: unknown }
}

const sqlOf = (first: unknown): string => {
  if (typeof first === 'string') return first
  const { sql, text, cursor } = (first ?? {}) as Statement
  const found = sql ?? text ?? cursor?.text
  return typeof found === 'string' ? found : ''
}

const isEmitter = (value: unknown): value is EventEmitter =>
  typeof (value as Partial<EventEmitter> | undefined)?.once === 'function'

/** What pg is given to send itself, such as a cursor: pg calls one of these when it is over. */
interface Submittable {
  submit(connection: unknown): unknown
  handleError(error: unknown, connection: unknown): unknown
  handleReadyForQuery(connection: unknown): unknown
}

const isSubmittable = (value: unknown): value is Submittable => {
  const { submit, handleError, handleReadyForQuery } = (value ?? {}) as Partial<Submittable>
  return [submit, handleError, handleReadyForQuery].every((each) => typeof each === 'function')
}

/** Tells the end of what submits itself. Its events do not: after an error none need come, nor after a stream
 *  that nobody reads to its end. */
const followSubmittable = (statement: Submittable, settled: Settled): void => {
  const { handleError, handleReadyForQuery } = statement
  statement.handleError = (...args) => {
    settled(args[0])
    return handleError.apply(statement, args)
  }
  statement.handleReadyForQuery = (...args) => {
    try {
      return handleReadyForQuery.apply(statement, args)
    } finally {
      settled()
    }
  }
}

/** Tells the end of what a driver package returned for a statement without a callback. */
const following = (returned: unknown, settled: Settled): unknown => {
  if (returned instanceof Promise)
    return returned.then(
      (value: unknown) => {
        settled()
        return value
      },
      (error: unknown) => {
        settled(error)
        throw error
      },
    )
  if (!isEmitter(returned)) {
    settled()
    return returned
  }
  let failure: unknown
  returned.once(errorMonitor, (error) => {
    failure = error
  })
  returned.once('end', () => settled(failure))
  return returned
}

/** A call's arguments with a callback that also tells the end; undefined where it has no callback. */
const withCallback = (args: readonly unknown[], settled: Settled): unknown[] | undefined => {
  const at = args.findLastIndex((value) => typeof value === 'function')
  const callback = args[at]
  if (typeof callback !== 'function') return undefined
  const told = (error: unknown, ...rest: unknown[]): unknown => {
    settled(error ?? undefined)
    return (callback as (...all: unknown[]) => unknown)(error, ...rest)
  }
  return [...args.slice(0, at), told, ...args.slice(at + 1)]
}

const once = (settled: Settled): Settled => {
  let isOver = false
  return (error) => {
    if (isOver) return
    isOver = true
    settled(error)
  }
}

type Send = (args: readonly unknown[]) => unknown

/** Sends a statement, and tells its end once. */
const sendFollowed = (send: Send, args: readonly unknown[], settled: Settled): unknown => {
  try {
    const [first] = args
    if (isSubmittable(first)) {
      followSubmittable(first, settled)
      return send(args)
    }
    const told = withCallback(args, settled)
    return told === undefined ? following(send(args), settled) : send(told)
  } catch (error) {
    // Refused before it was sent.
    settled(error)
    throw error
  }
}

const classMethod = (connection: object, method: string): ((...args: unknown[]) => unknown) =>
  Reflect.get(Object.getPrototypeOf(connection) as object, method) as (
    ...args: unknown[]
  ) => unknown

/**
 * Watches what is sent on a connection, whoever sends it. Once for each connection, and for good: the
 * witness says by itself when it has nothing to tell.
 */
export const watchNative = (connection: object, makeWitness: () => Witness): void => {
  const watched = connection as Watched
  if (watched[witnessKey] !== undefined) return
  const witness = makeWitness()
  watched[witnessKey] = witness
  for (const method of ['query', 'execute'] as const) {
    if (typeof watched[method] !== 'function') continue
    watched[method] = (...args) => {
      // Looked up at each call: instrumentation may patch the class later.
      const send = classMethod(connection, method)
      const settled = witness.sent(sqlOf(args[0]), `connection.${method}`)
      if (settled === undefined) return send.apply(connection, args)
      return sendFollowed((all) => send.apply(connection, [...all]), args, once(settled))
    }
  }
}

/** Who watches a connection; undefined for nobody. */
export const witnessOf = (connection: unknown): Witness | undefined =>
  (connection as Watched | undefined)?.[witnessKey]

import type { VerifyWord } from '../config/words.js'
import type { Endpoint } from '../topology/snapshot.js'
import type { PhysicalConnection, VerifiedConnection } from './lease.js'

/** Says whether a connection reaches the server that it should: in the right role, not too old. */
export interface Verifier {
  /** For messages. */
  readonly name: string
  /**
   * Looks at the server by statements of its own.
   *
   * @returns whether the connection may be used; a rejection is a no
   */
  verify(connection: VerifiedConnection, node: Endpoint): boolean | Promise<boolean>
  /** Whether it is for this server. Default: for every one. */
  handles?(node: Endpoint): boolean
}

/** How a pool verifies. Times in milliseconds. */
export interface VerifyPolicy {
  readonly when: ReadonlySet<VerifyWord>
  readonly idleMs: number
  readonly timeoutMs: number
  readonly verifiers: readonly Verifier[]
}

/** `ping`: only whether somebody answers. `full`: the verifiers too. */
export type Check = 'none' | 'ping' | 'full'

/** What is to be verified of a connection before it is lent. */
export const checkOf = (
  { when, idleMs }: VerifyPolicy,
  connection: PhysicalConnection,
  epoch: number,
  isSuspect: boolean,
  now: () => number,
): Check => {
  if (when.has('always')) return 'full'
  const isNew = connection.epoch === undefined
  if (when.has('after-error') && (isNew ? isSuspect : connection.epoch !== epoch)) return 'full'
  return !isNew && when.has('idle') && now() - connection.usedAt >= idleMs ? 'ping' : 'none'
}

/** How a verification ended: well, by a server that does not answer, or by one in the wrong role. */
export type Verdict =
  | { readonly is: 'good' }
  | { readonly is: 'silent'; readonly error: unknown }
  | { readonly is: 'wrong'; readonly verifier: string; readonly error?: unknown }

const inTime = <T>(work: Promise<T>, timeoutMs: number): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(Object.assign(new Error(`no answer in ${timeoutMs} ms`), { code: 'ETIMEDOUT' }))
    }, timeoutMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })

/** Verifies a connection. Never throws: a verifier that throws or hangs says no. */
export const verify = async (
  connection: PhysicalConnection,
  endpoint: Endpoint,
  check: Exclude<Check, 'none'>,
  { timeoutMs, verifiers }: VerifyPolicy,
): Promise<Verdict> => {
  try {
    await inTime(Promise.resolve(connection.ping()), timeoutMs)
  } catch (error) {
    return { is: 'silent', error }
  }
  if (check === 'ping') return { is: 'good' }
  for (const verifier of verifiers) {
    if (verifier.handles?.(endpoint) === false) continue
    try {
      const isGood = await inTime((async () => verifier.verify(connection, endpoint))(), timeoutMs)
      if (!isGood) return { is: 'wrong', verifier: verifier.name }
    } catch (error) {
      return { is: 'wrong', verifier: verifier.name, error }
    }
  }
  return { is: 'good' }
}

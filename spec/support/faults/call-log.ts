import { errorCodes, OctopusError } from '../../../lib/index.js'

/** What a caller did, and where. */
export interface CallFacts {
  readonly caller: string
  readonly shard: string
  readonly kind: 'read' | 'write' | 'transaction' | 'start' | 'other'
}

/** One call, as its caller saw it: all that the figures of a fault are made from. */
export interface Call extends CallFacts {
  /** Milliseconds of the monotonic clock. */
  readonly at: number
  readonly ms: number
  /** Undefined for a call that succeeded. */
  readonly error: unknown
}

interface CodedError extends Error {
  readonly code?: unknown
  readonly errno?: unknown
  readonly failure?: unknown
  readonly driverError?: unknown
}

/** The library's own codes say what the classes say. */
const isTelling = (word: unknown): boolean =>
  typeof word === 'number' ||
  (typeof word === 'string' && word !== '' && !(errorCodes as readonly string[]).includes(word))

/** An error in few words: its class, what failed to connect, the driver's code or words. */
export const labelOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { name, code, errno, failure, driverError } = error as CodedError
  const own = driverError instanceof OctopusError ? driverError.name : ''
  const words = [own, failure, code ?? errno].filter(isTelling)
  const isNamed = words.length > 0 || error instanceof OctopusError
  return [name, ...(isNamed ? words : [error.message.split('\n')[0]])].join(' ')
}

/** The raw log of all callers, in the order in which their calls ended. */
export class CallLog {
  readonly calls: Call[] = []
  readonly #byCaller = new Map<string, Call[]>()

  /** A caller's calls, in their order. */
  of(caller: string): readonly Call[] {
    return this.#byCaller.get(caller) ?? []
  }

  /** Does a call and writes it down. Its error is the log's: the caller is told whether it succeeded. */
  async call(facts: CallFacts, work: () => Promise<unknown>): Promise<boolean> {
    const at = performance.now()
    const ended = (error: unknown): void => {
      const call = { ...facts, at, ms: performance.now() - at, error }
      this.calls.push(call)
      const own = this.#byCaller.get(facts.caller)
      if (own === undefined) this.#byCaller.set(facts.caller, [call])
      else own.push(call)
    }
    try {
      await work()
      ended(undefined)
      return true
    } catch (error) {
      ended(error ?? new Error('undefined was thrown'))
      return false
    }
  }

  /** Calls that had not ended at this time, and later ones. */
  since(time: number): readonly Call[] {
    return this.calls.filter(({ at, ms }) => at + ms >= time)
  }
}

/** How often each error was seen, by its label. */
export const errorsOf = (calls: readonly Call[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { error } of calls)
    if (error !== undefined) counts[labelOf(error)] = (counts[labelOf(error)] ?? 0) + 1
  return counts
}

/** The longest time for which one of the calls held its caller. */
export const longestOf = (calls: readonly Call[]): number =>
  calls.reduce((longest, { ms }) => Math.max(longest, ms), 0)

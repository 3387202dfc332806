/** How the command line ends. */
export const exitCodes = {
  /** It did what it was asked to, and found nothing wrong. */
  ok: 0,
  /** Something was found to be wrong, or some of the work failed. */
  failed: 1,
  /** It was called wrongly: nothing was done. */
  usage: 2,
  /** It was ended by SIGINT, as a shell counts it, or by SIGTERM. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The command line was called wrongly. The message names what, and what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The work was given up because of SIGINT or SIGTERM. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'

  constructor() {
    super('interrupted')
  }
}

/** What names, given as arguments, the library does not know. */
const namingCodes: ReadonlySet<unknown> = new Set([
  'unknown-shard',
  'unknown-group',
  'unknown-replica-group',
  'unknown-node',
])

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined

/** The exit code for what work has thrown. */
export const exitCodeOf = (error: unknown): ExitCode => {
  if (error instanceof InterruptedError) return exitCodes.interrupted
  return error instanceof UsageError || namingCodes.has(codeOf(error))
    ? exitCodes.usage
    : exitCodes.failed
}

/** An error as a program reads it. */
export interface ErrorFacts {
  readonly name: string
  /** The library's code, or the driver's. */
  readonly code: string | undefined
  readonly message: string
}

// To the last @ of the word: a badly written password has any of : / @ in it.
const credentials = /(\b[a-z][a-z0-9+.-]*:\/\/)([^\s:@/]*:)?\S*@/gi

/** The text without the passwords of the URLs in it. */
export const withoutPasswords = (text: string): string => text.replaceAll(credentials, '$1$2***@')

/** What an error says, its parts too where it is several, without passwords. */
const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if (!(error instanceof AggregateError) || error.errors.length === 0)
    return error.message === '' ? error.name : error.message
  const parts = error.errors.map((part) => messageOf(part))
  return [error.message, ...parts.filter((part) => !error.message.includes(part))].join('\n  - ')
}

/** An error without its stack, and without passwords. */
export const errorFacts = (error: unknown): ErrorFacts => {
  const code = codeOf(error)
  return {
    name: error instanceof Error ? error.name : 'Error',
    code: typeof code === 'string' ? code : undefined,
    message: withoutPasswords(messageOf(error)),
  }
}

/** The stacks of an error and of its causes, without passwords. */
export const stackOf = (error: unknown): string => {
  const stacks: string[] = []
  for (let at = error; at instanceof Error && stacks.length < 10; at = at.cause)
    stacks.push(at.stack ?? at.message)
  return withoutPasswords(stacks.join('\ncaused by: '))
}

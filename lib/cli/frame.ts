/**
 * The frame of the command line: what is around every command.
 *
 * A command is a file in `commands/` that exports an `AddCommand`, and is listed in `commands.ts`:
 *
 *     export const addCount: AddCommand = (program, frame) => {
 *       program
 *         .command('count <entity>')
 *         .description('rows of an entity on each shard')
 *         .action(
 *           frame.action(async (session, entity: string) => {
 *             const db = await session.openDataSource()
 *             const counts = await db.usingAll(() => db.getRepository(entity).count())
 *             session.output.show(counts, (paper) =>
 *               paper.table(['shard', 'rows'], counts.map(({ shard, value }) => [shard, value])))
 *           }),
 *         )
 *     }
 *
 * - The work gets a `Session`, then what commander gives to an action: the arguments, the options, and
 *   the command. It returns its exit code, or nothing for `ok`.
 * - `session.openDataSource()` initialises the data source of `--data-source`; `loadDataSource()` only
 *   loads it, and `describeDataSource()` knows its entities too, both without a server. It is destroyed
 *   at the end in any case.
 * - `session.output.show(value, write)` and `.event(value, write)` print JSON or what people read; see
 *   `output.ts`. Nothing else prints.
 * - Work that throws ends with `error: message`, without a stack, and with exit code 1; with 2 for a
 *   `UsageError` and for a shard, group or server that is not known.
 * - SIGINT and SIGTERM abort `session.signal`. An `action` is given up at once; a `finishingAction` is waited for,
 *   and is to look at the signal between its steps. A second signal ends the process.
 */
import type { Command } from 'commander'
import {
  type ExitCode,
  InterruptedError,
  errorFacts,
  exitCodeOf,
  exitCodes,
  stackOf,
} from './exit.js'
import { Output } from './output.js'
import { CommandSession, type Session } from './session.js'
import type { Surroundings } from './surroundings.js'

export { type ExitCode, UsageError, exitCodes } from './exit.js'
export type { Output, Paper } from './output.js'
export type { Session } from './session.js'
export type { Cell } from './table.js'

/** Adds a command to the program. */
export type AddCommand = (program: Command, frame: Frame) => void

/** A command's work, with commander's arguments after the session. */
export type CommandWork<A extends readonly unknown[]> = (
  session: Session,
  ...args: A
) => Promise<ExitCode | void>

/** The options that every command takes. */
export interface GlobalOptions {
  readonly dataSource?: string
  readonly json?: boolean
  readonly color: boolean
  readonly verbose?: boolean
}

/** Settles with the work, or rejects as soon as the signal is aborted. */
const unlessAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  let giveUp = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    giveUp = () => reject(new InterruptedError())
    signal.addEventListener('abort', giveUp)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

/** Runs the work of commands, each in a session. */
export class Frame {
  readonly #surroundings: Surroundings
  readonly #globals: () => GlobalOptions
  #exitCode: ExitCode = exitCodes.ok

  /** @param globals - the options that every command takes, once they are parsed */
  constructor(surroundings: Surroundings, globals: () => GlobalOptions) {
    this.#surroundings = surroundings
    this.#globals = globals
  }

  /** How the command that has run ended. */
  get exitCode(): ExitCode {
    return this.#exitCode
  }

  /** Work for commander's `action`, which SIGINT ends at once. */
  action<A extends readonly unknown[]>(work: CommandWork<A>): (...args: A) => Promise<void> {
    return this.#action((session, ...args: A) =>
      unlessAborted(work(session, ...args), session.signal),
    )
  }

  /** Work for commander's `action` that ends by itself after SIGINT, at a place of its choice. */
  finishingAction<A extends readonly unknown[]>(
    work: CommandWork<A>,
  ): (...args: A) => Promise<void> {
    return this.#action(work)
  }

  #action<A extends readonly unknown[]>(work: CommandWork<A>): (...args: A) => Promise<void> {
    return async (...args) => {
      const interrupt = new AbortController()
      const ended = this.#surroundings.onInterrupt(() => interrupt.abort())
      const session = this.#session(interrupt.signal)
      try {
        const code = (await work(session, ...args)) ?? exitCodes.ok
        this.#exitCode = interrupt.signal.aborted ? exitCodes.interrupted : code
      } catch (error) {
        this.#fail(session.output, error)
      }
      // Also after a failure, and what fails here counts too.
      await session.close().catch((error: unknown) => this.#fail(session.output, error))
      ended()
    }
  }

  #session(signal: AbortSignal): CommandSession {
    const { json = false, color, verbose = false, dataSource } = this.#globals()
    const output = new Output(this.#surroundings, { json, color, verbose })
    return new CommandSession(this.#surroundings, output, signal, dataSource)
  }

  #fail(output: Output, error: unknown): void {
    this.#exitCode = exitCodeOf(error)
    output.close()
    output.error(errorFacts(error), stackOf(error))
  }
}

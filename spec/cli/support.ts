import { runCommandLine } from '../../lib/cli/program.js'
import type { AddCommand } from '../../lib/cli/frame.js'
import type { Surroundings, TextStream } from '../../lib/cli/surroundings.js'

/** How a command line ended, and what it said. */
export interface CommandRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Where a command line runs in this process. */
export interface Stage {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Whether both streams are terminals with colours. */
  readonly isTerminal?: boolean
  /** The commands; all of the program's by default. */
  readonly commands?: readonly AddCommand[]
  /** Answers what is asked; nobody is there without it. */
  readonly answer?: (question: string) => string
  /** Takes what stands for a SIGINT. */
  readonly onStart?: (interrupt: () => void) => void
}

const recorder = (isTerminal: boolean): TextStream & { readonly text: () => string } => {
  const texts: string[] = []
  return {
    write: (text) => texts.push(text),
    text: () => texts.join(''),
    ...(isTerminal ? { isTTY: true, columns: 120, hasColors: () => true } : {}),
  }
}

/** Runs a command line in this process, with streams of its own. */
export const runInProcess = async (
  args: readonly string[],
  { cwd = process.cwd(), env = {}, isTerminal = false, commands, onStart, answer }: Stage = {},
): Promise<CommandRun> => {
  const [stdout, stderr] = [recorder(isTerminal), recorder(isTerminal)]
  const listeners = new Set<() => void>()
  onStart?.(() => {
    for (const listener of listeners) listener()
  })
  const surroundings: Surroundings = {
    stdout,
    stderr,
    env,
    cwd,
    onInterrupt(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    isInteractive: answer !== undefined,
    ask: (question) => Promise.resolve(answer?.(question)),
  }
  const code = await runCommandLine(
    args,
    surroundings,
    ...(commands === undefined ? [] : [commands]),
  )
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

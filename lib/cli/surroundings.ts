import { createInterface } from 'node:readline/promises'

/** A stream that the command line writes to: a terminal, a pipe, or what a spec puts in its place. */
export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  /** Only a terminal can tell. */
  hasColors?(): boolean
}

/** What the command line needs of the process. */
export interface Surroundings {
  readonly stdout: TextStream
  readonly stderr: TextStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder that relative paths start from. */
  readonly cwd: string
  /**
   * Calls `listener` at the next SIGINT or SIGTERM, in the place of the process's end. One more of them
   * ends it.
   *
   * @returns a function that ends it
   */
  onInterrupt(listener: () => void): () => void
  /** Whether somebody is there to answer. */
  readonly isInteractive: boolean
  /**
   * Asks whoever is there, on stderr.
   *
   * @returns the answer; undefined if `signal` came first
   */
  ask(question: string, signal: AbortSignal): Promise<string | undefined>
}

const askTerminal = async (question: string, signal: AbortSignal): Promise<string | undefined> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // While it reads a line the terminal gives the key to us, and sends no signal.
  terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    return await terminal.question(question, { signal })
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  } finally {
    terminal.close()
  }
}

/** By a person at the terminal, and by what runs containers. */
const interrupts = ['SIGINT', 'SIGTERM'] as const

/** The process as it is. */
export const processSurroundings = (): Surroundings => ({
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  onInterrupt(listener) {
    const leave = (): void => {
      for (const signal of interrupts) process.removeListener(signal, interrupted)
    }
    const interrupted = (): void => {
      leave()
      listener()
    }
    for (const signal of interrupts) process.once(signal, interrupted)
    return leave
  },
  isInteractive: process.stdin.isTTY && process.stderr.isTTY,
  ask: askTerminal,
})

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
   * Calls `listener` at the next SIGINT, in the place of the process's end.
   *
   * @returns a function that ends it
   */
  onInterrupt(listener: () => void): () => void
}

/** The process as it is. */
export const processSurroundings = (): Surroundings => ({
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  onInterrupt(listener) {
    process.once('SIGINT', listener)
    return () => process.removeListener('SIGINT', listener)
  },
})

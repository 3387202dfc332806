import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { shardVariable } from '../../lib/index.js'

/** What a program printed, and whether it ended well. */
export interface ProgramRun {
  readonly lines: readonly string[]
  readonly errors: string
  /** `undefined` if a signal ended it, as when it did not end by itself. */
  readonly exitCode: number | undefined
}

/** Where the compiled form of a file of this repository lies. */
export const compiled = (file: string): string =>
  fileURLToPath(new URL(`../../${file}`, import.meta.url))

/** Runs a compiled program to its end, which it has to reach by itself in time. */
export const runProgram = (
  file: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<ProgramRun> => {
  // Uncoloured, whatever the shell that runs the specs has chosen.
  const env = { ...process.env, FORCE_COLOR: '0', ...environment }
  // What the shell that runs the specs has chosen for its own work.
  Reflect.deleteProperty(env, shardVariable)
  return new Promise((resolve) => {
    const options = { env, timeout: 45_000 }
    execFile(process.execPath, ['--enable-source-maps', file], options, (error, stdout, stderr) => {
      const failed = typeof error?.code === 'number' ? error.code : undefined
      resolve({
        lines: stdout.trimEnd().split('\n'),
        errors: stderr,
        exitCode: error === null ? 0 : failed,
      })
    })
  })
}

/** Runs `examples/<name>/index.ts`. */
export const runExample = (name: string, environment?: NodeJS.ProcessEnv): Promise<ProgramRun> =>
  runProgram(compiled(`examples/${name}/index.js`), environment)

/** The lines without the time that each statement took, which differs from run to run. */
export const withoutTimes = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/ \d+\.\d ms(?= — )/, ''))

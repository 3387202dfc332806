import { execFile } from 'node:child_process'
import path from 'node:path'

/** What a run of mocha in a process of its own said. */
export interface ChildRun {
  readonly passes: number
  readonly failures: readonly string[]
  readonly output: string
}

/**
 * Runs compiled specs in a process of their own: for what a process has only one of.
 *
 * @param file the compiled spec, as a file URL
 */
export const runMocha = (
  file: URL,
  { env = {}, nodeOptions = [] }: { env?: Record<string, string>; nodeOptions?: string[] } = {},
): Promise<ChildRun> => {
  const mocha = path.resolve('node_modules/mocha/bin/mocha.js')
  const args = [
    ...nodeOptions,
    mocha,
    '--no-config',
    '--reporter',
    'json',
    '--require',
    'reflect-metadata',
    file.pathname,
  ]
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      args,
      { env: { ...process.env, ...env }, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        const output = `${stdout}\n${stderr}`
        const json = /^\{[\s\S]*^\}/m.exec(stdout)?.[0]
        if (json === undefined) {
          reject(new Error(`mocha did not run: ${output}`, { cause: error }))
          return
        }
        const result = JSON.parse(json) as {
          stats: { passes: number }
          failures: { fullTitle: string; err: { message?: string } }[]
        }
        resolve({
          passes: result.stats.passes,
          failures: result.failures.map((f) => `${f.fullTitle}: ${f.err.message ?? ''}`),
          output,
        })
      },
    )
  })
}

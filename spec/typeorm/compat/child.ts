import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** The compiled library, for the files that child processes run. */
export const libraryUrl = new URL('../../../lib/index.js', import.meta.url).href

/** What a child process said, and how it ended. */
export interface ChildResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const hasColour = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*m`, 'g')

const run = (
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<ChildResult> =>
  new Promise((resolve) => {
    const { OCTOPUS_SHARD: _, ...inherited } = process.env
    const options = { cwd, env: { ...inherited, ...env }, timeout: 60_000 }
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      // Ended by the timeout it has no code: a socket that was left open keeps it alive.
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({
        code,
        stdout: stdout.replace(hasColour, ''),
        stderr: stderr.replace(hasColour, ''),
      })
    })
  })

/** A folder for the files of child processes, inside the repository so that they find its packages. */
export class ChildFolder {
  readonly path: string

  constructor() {
    const parent = path.join(process.cwd(), '.build', 'children')
    mkdirSync(parent, { recursive: true })
    this.path = mkdtempSync(path.join(parent, 'run-'))
  }

  /** Writes a file. */
  write(name: string, content: string): void {
    writeFileSync(path.join(this.path, name), content)
  }

  /** Runs a module, given as text, which may print one JSON value as its last line. */
  module(source: string, env: Readonly<Record<string, string>> = {}): Promise<ChildResult> {
    this.write('main.mjs', source)
    return run(['--import', 'reflect-metadata', 'main.mjs'], this.path, env)
  }

  /** Runs TypeORM's command line on the data source file of this folder. */
  typeorm(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<ChildResult> {
    const cli = path.join(process.cwd(), 'node_modules', 'typeorm', 'cli.js')
    return run([cli, ...args], this.path, env)
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** The JSON value in the last line that a child process printed. */
export const lastValue = ({ code, stdout, stderr }: ChildResult): unknown => {
  if (code !== 0) throw new Error(`The child process ended with ${code}:\n${stdout}\n${stderr}`)
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
}

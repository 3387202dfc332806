import { execFileSync, type ExecFileSyncOptions } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

/** Runs a program, shows what it says, and throws when it fails. */
export function run(
  program: string,
  args: readonly string[],
  options: ExecFileSyncOptions = {},
): void {
  execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options })
}

/** Runs a program and returns what it says. */
export function ask(
  program: string,
  args: readonly string[],
  options: ExecFileSyncOptions = {},
): string {
  return execFileSync(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
    encoding: 'utf8',
  })
}

export const isOnPath = (program: string): boolean =>
  (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .some((folder) => existsSync(path.join(folder, program)))

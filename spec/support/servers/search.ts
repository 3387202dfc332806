import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** True when servers installed on this machine are to be ignored: to try what happens without them. */
export const systemServersHidden = (): boolean => process.env['OCTOPUS_NO_SYSTEM_SERVERS'] === '1'

export const isRoot = (): boolean => process.getuid?.() === 0

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The folders of `PATH`, then those that a login shell of an ordinary user often leaves out. */
export function binaryFolders(...more: readonly string[]): string[] {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean)
  return [...new Set([...folders, '/usr/sbin', '/usr/local/sbin', '/usr/bin', ...more])]
}

/**
 * Where downloaded servers are kept. Root's own cache is closed to others, and a database server
 * refuses to run as root, so what root downloads goes to a folder that everyone may read.
 */
export function downloadFolder(): string {
  const chosen = process.env['OCTOPUS_DOWNLOAD_DIR']
  if (chosen) return chosen
  if (isRoot()) return '/var/cache/typeorm-octopus'
  return path.join(
    process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'),
    'typeorm-octopus',
  )
}

/** What a server says to `--version`, or undefined when it cannot even say that. */
export function versionText(
  binary: string,
  env: Readonly<Record<string, string>> = {},
): string | undefined {
  try {
    const flags = /maria|mysql/.test(path.basename(binary))
      ? ['--no-defaults', '--version']
      : ['--version']
    return execFileSync(binary, flags, {
      encoding: 'utf8',
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}

/** The folders of one processor architecture, as Debian names them: `x86_64-linux-gnu`. */
export function libraryFolders(parent: string): string[] {
  if (!existsSync(parent)) return []
  return readdirSync(parent)
    .filter((name) => name.includes('-linux-'))
    .map((name) => path.join(parent, name))
}

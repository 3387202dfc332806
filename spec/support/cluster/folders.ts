import { execFile, spawn } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statfsSync,
} from 'node:fs'
import { Socket } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { downloadFolder } from '../servers/search.js'
import { atExit } from './at-exit.js'
import { giveTo, type Account } from './run-as.js'

const bytesPerServer = 128e6

/** Memory when it has room for so many servers (a container has 64 MB of it, if not told otherwise). */
function fastestFolder(servers: number): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    accessSync('/dev/shm', constants.W_OK)
    if (bavail * bsize > servers * bytesPerServer) return '/dev/shm'
  } catch {
    // no such file system here
  }
  return os.tmpdir()
}

/** A folder for servers, that goes away with this process however that ends. */
export interface TemporaryFolder {
  readonly path: string
  remove(): void
}

export function temporaryFolder(
  label: string,
  servers: number,
  account: Account | undefined,
): TemporaryFolder {
  const folder = mkdtempSync(path.join(fastestFolder(servers), `octopus-${label}-`))
  chmodSync(folder, 0o755) // the servers' account has to get in
  giveTo(account, folder)
  const dismissCleaner = removeWhenWeDie(folder)
  // At our exit a server may still be ending, and write: hence the retries.
  const removeNow = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  const forget = atExit('folders', removeNow)
  return {
    path: folder,
    remove() {
      removeNow()
      forget()
      dismissCleaner()
    },
  }
}

/**
 * No hook of ours runs after SIGKILL. A shell that waits on a pipe from us learns of our end
 * whatever it was, and clears up; the servers themselves are killed by the kernel then.
 */
function removeWhenWeDie(folder: string): () => void {
  const script =
    'trap "" INT TERM HUP; read -r word; [ "$word" = done ] || { sleep 1; rm -rf "$0"; }'
  const cleaner = spawn('/bin/sh', ['-c', script, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  cleaner.unref()
  cleaner.stdin.on('error', () => {}) // somebody ended the shell: only the clearing up is lost
  if (cleaner.stdin instanceof Socket) cleaner.stdin.unref()
  return () => cleaner.stdin.end('done\n')
}

/** Where template data folders are kept: `OCTOPUS_CACHE_DIR`, else with the other tools' caches. */
export function cacheFolder(): string {
  const candidates = [
    process.env['OCTOPUS_CACHE_DIR'] ?? path.resolve('node_modules/.cache/typeorm-octopus'),
    path.join(downloadFolder(), 'templates'), // a checkout that belongs to somebody else
  ]
  for (const folder of candidates) {
    try {
      mkdirSync(folder, { recursive: true })
      accessSync(folder, constants.W_OK)
      return folder
    } catch {
      // not ours to write: try the next one
    }
  }
  throw new Error(`Cannot write to ${candidates.join(' nor ')}; set OCTOPUS_CACHE_DIR to a folder.`)
}

const run = promisify(execFile)

/** Copies a data folder with owners and modes. `cp` beats Node's own copying on a thousand small files. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await run('cp', ['-a', from, to])
}

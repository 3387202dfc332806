import { execFileSync } from 'node:child_process'
import { chownSync } from 'node:fs'

/** The system account that runs a server. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

/**
 * Database servers refuse to run as root, so root hands them to the first of these accounts that
 * exists. Everybody else runs them as themselves: undefined.
 */
export function serverAccount(names: readonly string[]): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of names) {
    try {
      return { uid: askId('-u', name), gid: askId('-g', name) }
    } catch {
      // no such account: try the next one
    }
  }
  throw new Error(`Running as root, and none of the accounts ${names.join(', ')} exists.`)
}

const askId = (flag: string, name: string): number =>
  Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }))

export function giveTo(account: Account | undefined, folder: string): void {
  if (account) chownSync(folder, account.uid, account.gid)
}

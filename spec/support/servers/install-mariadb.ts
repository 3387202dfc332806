import { unpackedMariadbFolder } from './find-mariadb.js'
import { ask, isOnPath, run } from './run.js'
import { isRoot, systemServersHidden } from './search.js'
import { unpackPackages } from './unpack.js'

/**
 * Gets the bare server from the distribution's packages: neither a service nor a client. Root
 * installs it; others, who cannot, unpack it into their cache. False where there is no apt.
 */
export function installMariadb(say: (line: string) => void): boolean {
  if (!isOnPath('apt-get')) return false
  if (isRoot() && !systemServersHidden()) installAsRoot(say)
  else unpack(say)
  return true
}

function installAsRoot(say: (line: string) => void): void {
  say('MariaDB is not installed: installing its server with apt-get.')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update', '-qq'], { env })
  const install = ['install', '-y', '-qq', '--no-install-recommends', serverPackage([])]
  run('apt-get', install, { env })
}

function unpack(say: (line: string) => void): void {
  const folder = unpackedMariadbFolder()
  say(`MariaDB is not installed: unpacking its server into ${folder}, with apt-get.`)
  unpackPackages('mariadb', folder, (aptOptions) => [serverPackage(aptOptions)])
}

/** Some releases have the version in the name: `mariadb-server-core-10.6`. */
function serverPackage(aptOptions: readonly string[]): string {
  const found = ask('apt-cache', [...aptOptions, 'search', '--names-only', '^mariadb-server-core'])
  const names = found.split('\n').map((line) => line.split(' ')[0] ?? '')
  return names.sort().find((name) => name.startsWith('mariadb')) ?? 'mariadb-server-core'
}

import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { unpackedMariadbFolder } from './find-mariadb.js'
import { ask, isOnPath, run } from './run.js'
import { downloadFolder, isRoot, systemServersHidden } from './search.js'

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
  say(
    `MariaDB is not installed: unpacking its server into ${unpackedMariadbFolder()}, with apt-get.`,
  )
  const work = path.join(downloadFolder(), `mariadb-draft-${process.pid}`)
  const inWork = (name: string): string => path.join(work, name)
  for (const name of ['lists/partial', 'cache/archives/partial', 'packages', 'root']) {
    mkdirSync(inWork(name), { recursive: true })
  }
  try {
    const ownApt = [
      `Dir::State::Lists=${inWork('lists')}`,
      `Dir::Cache=${inWork('cache')}`,
      'Debug::NoLocking=1',
      'APT::Sandbox::User=',
    ].flatMap((option) => ['-o', option])
    run('apt-get', [...ownApt, '-qq', 'update'])
    const names = packagesToUnpack(ownApt)
    run('apt-get', [...ownApt, '-qq', 'download', ...names], { cwd: inWork('packages') })
    for (const file of readdirSync(inWork('packages'))) {
      run('dpkg', ['-x', file, inWork('root')], { cwd: inWork('packages') })
    }
    rmSync(unpackedMariadbFolder(), { recursive: true, force: true })
    renameSync(inWork('root'), unpackedMariadbFolder())
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The server and all it needs that this machine lacks. */
function packagesToUnpack(aptOptions: readonly string[]): string[] {
  const server = serverPackage(aptOptions)
  const plan = ask('apt-get', [...aptOptions, '-s', 'install', '--no-install-recommends', server])
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name ?? '')
  return [...new Set([server, ...missing])]
}

/** Some releases have the version in the name: `mariadb-server-core-10.6`. */
function serverPackage(aptOptions: readonly string[]): string {
  const found = ask('apt-cache', [...aptOptions, 'search', '--names-only', '^mariadb-server-core'])
  const names = found.split('\n').map((line) => line.split(' ')[0] ?? '')
  return names.sort().find((name) => name.startsWith('mariadb')) ?? 'mariadb-server-core'
}

import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { ask, run } from './run.js'
import { downloadFolder } from './search.js'

/**
 * Unpacks packages of the distribution, with all they need that this machine lacks, into a folder.
 * Installs nothing: anybody may do it, and no service is started.
 *
 * @param name - of the folder to work in
 * @param choose - names the packages, given options for apt's programs
 */
export function unpackPackages(
  name: string,
  folder: string,
  choose: (aptOptions: readonly string[]) => readonly string[],
): void {
  const work = path.join(downloadFolder(), `${name}-draft-${process.pid}`)
  const inWork = (entry: string): string => path.join(work, entry)
  for (const entry of ['lists/partial', 'cache/archives/partial', 'packages', 'root']) {
    mkdirSync(inWork(entry), { recursive: true })
  }
  try {
    const ownApt = [
      `Dir::State::Lists=${inWork('lists')}`,
      `Dir::Cache=${inWork('cache')}`,
      'Debug::NoLocking=1',
      'APT::Sandbox::User=',
    ].flatMap((option) => ['-o', option])
    run('apt-get', [...ownApt, '-qq', 'update'])
    const names = withMissing(choose(ownApt), ownApt)
    run('apt-get', [...ownApt, '-qq', 'download', ...names], { cwd: inWork('packages') })
    for (const file of readdirSync(inWork('packages'))) {
      run('dpkg', ['-x', file, inWork('root')], { cwd: inWork('packages') })
    }
    rmSync(folder, { recursive: true, force: true })
    renameSync(inWork('root'), folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The packages and all they need that this machine lacks. */
function withMissing(packages: readonly string[], aptOptions: readonly string[]): string[] {
  const simulated = [...aptOptions, '-s', 'install', '--no-install-recommends', ...packages]
  const plan = ask('apt-get', simulated)
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name ?? '')
  return [...new Set([...packages, ...missing])]
}

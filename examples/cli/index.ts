// The command line, over the data source of data-source.ts. In a shell of yours:
//
//     export OCTOPUS_DATA_SOURCE=dist/data-source.js
//     npx octopus topology
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Parcel, db } from './data-source.js'

const compiled = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

const folder = mkdtempSync(path.join(tmpdir(), 'octopus-cli-'))
process.chdir(folder)

/** What a command printed, and its exit code. */
const octopus = (...args: string[]): Promise<string> => {
  const env = { ...process.env, OCTOPUS_DATA_SOURCE: compiled('./data-source.js') }
  const command = [compiled('../../lib/cli.js'), ...args]
  return new Promise((resolve) => {
    execFile(process.execPath, command, { env }, (error, stdout, stderr) =>
      resolve(`$ octopus ${args.join(' ')}\n${stdout}${stderr}(exit code ${error?.code ?? 0})\n`),
    )
  })
}

try {
  await db.initialize()
  await db.usingAll(() => db.synchronize())
  const parcels = db.getRepository(Parcel)
  await db.using('brazil', () => parcels.insert([{ to: 'Ana' }, { to: 'Bento' }]))
  await db.using('canada', () => parcels.insert({ to: 'Claire' }))
  await db.destroy()

  const printed = await Promise.all([
    octopus('check'),
    octopus('topology'),
    octopus('explain', 'Parcel', 'save', '--shard', 'brazil'),
    octopus('query', '--group', 'americas', 'SELECT * FROM parcel'),
    octopus('query', '--shard', 'canada', 'DELETE FROM parcel'),
  ])
  for (const text of printed) console.log(text)
} finally {
  process.chdir(tmpdir())
  rmSync(folder, { recursive: true })
}

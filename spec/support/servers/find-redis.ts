import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import {
  binaryFolders,
  downloadFolder,
  isExecutable,
  systemServersHidden,
  versionText,
} from './search.js'

/** A Redis server binary, and the environment that an unpacked one needs to find its libraries. */
export interface RedisBinary {
  readonly binary: string
  readonly version: string
  readonly env: Readonly<Record<string, string>>
}

/** The oldest that can be told the port of its cluster bus. */
export const oldestRedis = 7

/** Where a server is unpacked by us. */
export const unpackedRedisFolder = (): string => path.join(downloadFolder(), 'redis')

/** The server named by `OCTOPUS_REDIS_SERVER`, else an installed one, else the one unpacked by us. */
export function findRedis(): RedisBinary | undefined {
  const chosen = process.env['OCTOPUS_REDIS_SERVER']
  if (chosen) return describeChosen(chosen)
  return (systemServersHidden() ? undefined : findInstalled()) ?? findUnpacked()
}

function describeChosen(binary: string): RedisBinary {
  const server = describe(binary)
  if (server) return server
  throw new Error(
    `OCTOPUS_REDIS_SERVER is ${binary}, but that is not a Redis server ${oldestRedis} or newer.`,
  )
}

function findInstalled(): RedisBinary | undefined {
  for (const folder of binaryFolders('/opt/homebrew/bin')) {
    for (const name of ['redis-server', 'valkey-server']) {
      const server = describe(path.join(folder, name))
      if (server) return server
    }
  }
  return undefined
}

function findUnpacked(): RedisBinary | undefined {
  const root = unpackedRedisFolder()
  const libraries = path.join(root, 'usr/lib')
  if (!existsSync(libraries)) return undefined
  const folders = readdirSync(libraries)
    .filter((name) => name.includes('-linux-'))
    .map((name) => path.join(libraries, name))
  return describe(path.join(root, 'usr/bin/redis-server'), { LD_LIBRARY_PATH: folders.join(':') })
}

function describe(
  binary: string,
  env: Readonly<Record<string, string>> = {},
): RedisBinary | undefined {
  if (!isExecutable(binary)) return undefined
  const version = /\bv=((\d+)\.\S+)/.exec(versionText(binary, env) ?? '')
  return version?.[1] !== undefined && Number(version[2]) >= oldestRedis
    ? { binary, version: version[1], env }
    : undefined
}

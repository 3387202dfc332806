import { findChromium } from './find-chromium.js'
import { findMariadb } from './find-mariadb.js'
import { findPostgres } from './find-postgres.js'
import { findRedis } from './find-redis.js'
import { installChromium } from './install-chromium.js'
import { installMariadb } from './install-mariadb.js'
import { installPostgres } from './install-postgres.js'
import { installRedis } from './install-redis.js'
import { missingServer, type ServerKind } from './missing.js'

type Say = (line: string) => void

interface Source {
  readonly kind: ServerKind
  readonly find: () => { readonly version: string } | undefined
  readonly install: (say: Say) => boolean
}

const sources: readonly Source[] = [
  { kind: 'mariadb', find: findMariadb, install: installMariadb },
  { kind: 'postgres', find: findPostgres, install: installPostgres },
  { kind: 'redis', find: findRedis, install: installRedis },
  { kind: 'chromium', find: findChromium, install: installChromium },
]

/** Finds the servers that the specs run against, and the browser, or gets them. Throws when it can do neither. */
export function ensureServers(say: Say): void {
  for (const source of sources) {
    if (!source.find()) obtain(source, say)
  }
}

function obtain({ kind, find, install }: Source, say: Say): void {
  let cause: unknown
  try {
    install(say)
  } catch (error) {
    cause = error
  }
  const found = find()
  if (!found) throw missingServer(kind, cause)
  say(`${kind} ${found.version} is ready.`)
}

import { oldestChromium } from './find-chromium.js'
import { oldestPostgres } from './find-postgres.js'
import { oldestRedis } from './find-redis.js'

export type ServerKind = 'mariadb' | 'postgres' | 'redis' | 'chromium'

const variables = {
  mariadb: 'OCTOPUS_MARIADBD=/path/to/mariadbd',
  postgres: 'OCTOPUS_POSTGRES_BIN=/path/to/its/bin',
  redis: 'OCTOPUS_REDIS_SERVER=/path/to/redis-server',
  chromium: 'OCTOPUS_CHROMIUM=/path/to/chromium',
} as const

const packages = {
  mariadb:
    'apt-get install mariadb-server-core · dnf install mariadb-server · brew install mariadb',
  postgres:
    'apt-get install postgresql · dnf install postgresql-server · brew install postgresql@17',
  redis: 'apt-get install redis-server · dnf install redis · brew install redis',
  chromium: 'apt-get install chromium · dnf install chromium · brew install --cask google-chrome',
} as const

const wanted = {
  mariadb: 'MariaDB',
  postgres: `PostgreSQL ${oldestPostgres} or newer`,
  redis: `Redis ${oldestRedis} or newer`,
  chromium: `Chromium or Chrome ${oldestChromium} or newer`,
} as const

const inContainer =
  `docker run --rm --init --shm-size=1g -v "$PWD":/source:ro node:22-bookworm ` +
  `sh -c 'cp -a /source /octopus && cd /octopus && npm ci && npm test'`

/** Says which server, or browser, the specs lack, and the three ways to give them one. */
export function missingServer(kind: ServerKind, cause?: unknown): Error {
  const lines = [
    `The specs need ${wanted[kind]}, and found none. Any one of these helps:`,
    `  1. install it:            ${packages[kind]}`,
    `  2. use a container:       ${inContainer}`,
    `  3. point to its binaries: ${variables[kind]} npm test`,
  ]
  return new Error(lines.join('\n'), { cause })
}

import type { Logger } from 'typeorm'

/** TypeORM's log, which it writes to stdout by default, reduced to warnings, which go to `warn`. */
export const quietLogger = (warn: (message: string) => void): Logger => ({
  logQuery: () => undefined,
  logQueryError: () => undefined,
  logQuerySlow: () => undefined,
  logSchemaBuild: () => undefined,
  logMigration: () => undefined,
  log: (level, message) => {
    if (level === 'warn') warn(String(message))
  },
})

import type { Logger, QueryRunner } from 'typeorm'
import { stateOf } from './binding.js'
import type { Shard } from './shard.js'

interface PrefixedLogger {
  readonly inner: Logger
  readonly isVerbose: boolean
  readonly logger: Logger
}

const loggers = new WeakMap<Shard, PrefixedLogger>()

/** The shard's logger: the wrapped data source's own, told on which shard and server a query runs. */
export const loggerOf = (shard: Shard): Logger => {
  const { front } = shard.runtime
  const inner = front.logger
  const { logging, logger: kind } = front.options
  // With logging off TypeORM's loggers drop queries, but for the one that DEBUG switches on; do not build a
  // text for each of them.
  const isOff = logging === undefined || logging === false
  const isVerbose = !isOff || typeof kind === 'object' || kind === 'debug'
  const known = loggers.get(shard)
  if (known?.inner === inner && known.isVerbose === isVerbose) return known.logger
  const logger = prefixed(inner, shard, isVerbose)
  loggers.set(shard, { inner, isVerbose, logger })
  return logger
}

const prefixOf = (shard: Shard, runner: QueryRunner | undefined): string => {
  const state = stateOf(runner)
  if (state === undefined) return `[Shard: ${shard.name}] `
  const { server, route } = state
  const where = server === undefined ? route.role : `${server.role} ${server.node}`
  return `[Shard: ${shard.name}, ${where}] `
}

const prefixed = (inner: Logger, shard: Shard, isVerbose: boolean): Logger => {
  const told = <T>(text: T, runner: QueryRunner | undefined): T | string =>
    // Loggers of one's own may be given objects and lists, which TypeORM's take apart themselves.
    typeof text === 'string' ? prefixOf(shard, runner) + text : text
  return {
    logQuery: (sql, parameters, runner) =>
      inner.logQuery(isVerbose ? told(sql, runner) : sql, parameters, runner),
    logQueryError: (error, sql, parameters, runner) =>
      inner.logQueryError(error, told(sql, runner), parameters, runner),
    logQuerySlow: (time, sql, parameters, runner) =>
      inner.logQuerySlow(time, told(sql, runner), parameters, runner),
    logSchemaBuild: (message, runner) => inner.logSchemaBuild(told(message, runner), runner),
    logMigration: (message, runner) => inner.logMigration(told(message, runner), runner),
    log: (level, message: unknown, runner) => inner.log(level, told(message, runner), runner),
  }
}

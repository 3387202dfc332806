import type { Logger, QueryRunner } from 'typeorm'
import { stateOf } from './binding.js'
import type { Shard } from './shard.js'

interface PrefixedLogger {
  readonly inner: Logger
  readonly isVerbose: boolean
  readonly logger: Logger
}

const loggers = new WeakMap<Shard, PrefixedLogger>()

/** The shard's logger: the wrapped data source's own, told on which shard and replica a query ran. */
export const loggerOf = (shard: Shard): Logger => {
  const { front } = shard.runtime
  const inner = front.logger
  const { logging, logger: kind } = front.options
  // With logging off TypeORM's loggers drop queries; do not build a text for each of them.
  const isVerbose = (logging !== undefined && logging !== false) || typeof kind === 'object'
  const known = loggers.get(shard)
  if (known?.inner === inner && known.isVerbose === isVerbose) return known.logger
  const logger = prefixed(inner, shard, isVerbose)
  loggers.set(shard, { inner, isVerbose, logger })
  return logger
}

const prefixOf = (shard: Shard, runner: QueryRunner | undefined): string => {
  const state = stateOf(runner)
  return state?.route.role === 'replica'
    ? `[Shard: ${shard.name}, replica ${state.node ?? ''}] `
    : `[Shard: ${shard.name}] `
}

const prefixed = (inner: Logger, shard: Shard, isVerbose: boolean): Logger => ({
  logQuery: (sql, parameters, runner) =>
    inner.logQuery(isVerbose ? prefixOf(shard, runner) + sql : sql, parameters, runner),
  logQueryError: (error, sql, parameters, runner) =>
    inner.logQueryError(error, prefixOf(shard, runner) + sql, parameters, runner),
  logQuerySlow: (time, sql, parameters, runner) =>
    inner.logQuerySlow(time, prefixOf(shard, runner) + sql, parameters, runner),
  logSchemaBuild: (message, runner) =>
    inner.logSchemaBuild(prefixOf(shard, runner) + message, runner),
  logMigration: (message, runner) => inner.logMigration(prefixOf(shard, runner) + message, runner),
  log: (level, message, runner) =>
    inner.log(level, `${prefixOf(shard, runner)}${String(message)}`, runner),
})

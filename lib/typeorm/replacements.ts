import { type DataSource, type QueryRunner, SelectQueryBuilder } from 'typeorm'
import { bindingOf, boundTo, stateOf, targetOf } from './binding.js'
import { RoutedSelectQueryBuilder } from './builders.js'
import { assign, overlayOf } from './internals.js'
import { builder } from './settle.js'

type Method = (...args: unknown[]) => unknown

/** The data source object that a new builder is made on. */
export const sourceForBuilder = (
  dataSource: object,
  runner: QueryRunner | undefined,
): DataSource => {
  if (runner !== undefined) return stateOf(runner)?.shard.view ?? runner.dataSource
  const binding = boundTo(dataSource)
  const frame = binding.frame ?? binding.runtime.scopes.current()
  if (binding.isFloating)
    return frame?.shard === undefined
      ? binding.runtime.target(binding).shard.floating
      : binding.runtime.shard(frame.shard).boundIn(frame, 'scope')
  // An overlay of a view has its scope already; the view takes the one around the caller.
  return frame === undefined || binding.frame !== undefined
    ? (dataSource as DataSource)
    : binding.shard.boundIn(frame, binding.by)
}

const isBound = (dataSource: unknown): dataSource is DataSource =>
  typeof dataSource === 'object' && dataSource !== null && bindingOf(dataSource) !== undefined

/** A builder that TypeORM's own `createQueryBuilder` made on a data source object of ours, as ours. */
const routedBuilder = (built: unknown): unknown => {
  if (!(built instanceof SelectQueryBuilder) || built instanceof RoutedSelectQueryBuilder)
    return built
  const { dataSource: madeOn, queryRunner } = builder(built)
  if (!isBound(madeOn)) return built
  const dataSource = sourceForBuilder(madeOn, queryRunner)
  const routed = new RoutedSelectQueryBuilder(built)
  assign(builder(routed), { dataSource })
  Object.assign(routed.expressionMap, { dataSource })
  return routed
}

/** A data source object whose runners are for raw SQL, as those of our own `query` are. */
const sourceForRaw = (self: unknown): unknown => {
  if (!isBound(self)) return self
  return Object.defineProperty(overlayOf(self), 'createQueryRunner', {
    value: () => {
      const { runtime, shard, by, frame } = targetOf(self)
      return runtime.openRunner(shard, by, frame, 'raw', 'query', undefined)
    },
  })
}

/** What is done around the methods that others put in the place of ours. */
const surroundings: Readonly<Record<string, ProxyHandler<Method>>> = {
  createQueryBuilder: {
    apply: (theirs, self, args) => routedBuilder(Reflect.apply(theirs, self, args)),
  },
  query: {
    apply: (theirs, self, args) => Reflect.apply(theirs, sourceForRaw(self), args),
  },
}

/** The methods that keep their routing when others replace them. */
export const replaceable = Object.keys(surroundings)

/**
 * What to keep of a value that somebody puts on a data source of ours. typeorm-transactional replaces
 * `query` and `createQueryBuilder` by functions that call those of `DataSource.prototype`, which know
 * nothing of shards; around such functions routing goes on.
 */
export const adopted = (key: PropertyKey, value: unknown): unknown => {
  const handler = Object.hasOwn(surroundings, key) ? surroundings[key as string] : undefined
  // A Proxy, so that what a spy keeps on its function stays in sight.
  return handler === undefined || typeof value !== 'function'
    ? value
    : new Proxy(value as Method, handler)
}

import { QueryBuilder } from 'typeorm'
import { boundTo } from './binding.js'
import { namedInCriteria } from './named-entities.js'
import { type AnyBuilder, builder, followPin, goHome } from './settle.js'

type BuilderClass = new (builder: AnyBuilder) => AnyBuilder
type Method = (...args: unknown[]) => unknown
type CriteriaMethod = (this: AnyBuilder, criteria: unknown) => unknown

/** What a builder can be turned into, by the method that does it. */
const conversions = [
  'select',
  'insert',
  'update',
  'delete',
  'softDelete',
  'restore',
  'relation',
] as const
type Conversion = (typeof conversions)[number]

/** TypeORM's protected methods through which a builder takes criteria. */
const criteriaMethods = ['getWhereCondition', 'getWhereInIdsCondition'] as const

/** The builder whose query runs: brackets and subqueries have builders of their own. */
const outermost = (own: AnyBuilder): AnyBuilder => {
  let found = own
  while (found.parentQueryBuilder !== undefined) found = builder(found.parentQueryBuilder)
  return found
}

const methodOf = (owner: object, name: string): Method =>
  (owner as Readonly<Record<string, Method>>)[name] as Method

const replace = (owner: object, name: string, value: Method): void => {
  Object.defineProperty(owner, name, { configurable: true, writable: true, value })
}

/**
 * Makes the conversions of routed builders (`insert()`, `update()` …) yield routed builders: TypeORM's
 * global registry is left alone. TypeORM's own method does the work on the builder it is called on
 * and then makes the new one through its registry; here the new one is made first, as a copy, and
 * the method is called on that. And makes criteria that name entities take the builder home, and an
 * entity outside sharding to its shard.
 *
 * @param classes - the routed builder that each conversion yields
 */
export const routeBuilders = (classes: Readonly<Record<Conversion, unknown>>): void => {
  for (const Builder of new Set(Object.values(classes) as BuilderClass[])) {
    for (const name of conversions) {
      const Target = classes[name] as BuilderClass
      const original = methodOf(QueryBuilder.prototype, name)
      // A builder's own override (SelectQueryBuilder.select) stays.
      const inherited = methodOf(Builder.prototype as object, name)
      replace(Builder.prototype as object, name, function (this: AnyBuilder, ...args) {
        if (this instanceof Target) return inherited.apply(this, args)
        return original.apply(new Target(this), args)
      } as Method)
    }
    const createFromAlias = methodOf(QueryBuilder.prototype, 'createFromAlias')
    replace(Builder.prototype as object, 'createFromAlias', function (this: AnyBuilder, ...args) {
      followPin(this, args[0])
      return createFromAlias.apply(this, args)
    } as Method)
    for (const name of criteriaMethods) {
      const original = methodOf(QueryBuilder.prototype, name) as CriteriaMethod
      const routed: CriteriaMethod = function (criteria) {
        if (typeof criteria === 'object')
          goHome(outermost(this), namedInCriteria(criteria, boundTo(this.dataSource).runtime.homes))
        return original.call(this, criteria)
      }
      replace(Builder.prototype as object, name, routed as Method)
    }
  }
}

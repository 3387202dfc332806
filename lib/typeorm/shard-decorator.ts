import { InvalidDecoratorError } from '../errors.js'
import { onlyScopes } from '../scopes/registry.js'
import type { Scopes } from '../scopes/scopes.js'
import { bindingOf } from './binding.js'

/** The shard of a decorated call: a name, or a function that tells it from the call's arguments. */
export type ShardOf<A extends unknown[]> = string | ((...args: A) => string)

/** A decorator for classes and for methods, of the legacy and of the standard kind. */
export interface ShardDecorator<A extends unknown[]> {
  // `any`: a class decorator fits classes with any constructor.
  <C extends abstract new (...args: any) => any>(
    target: C,
    context?: ClassDecoratorContext<C>,
  ): void
  // The method may take more arguments than the function looks at.
  <T, F extends (this: T, ...args: [...A, ...any[]]) => unknown>(
    method: F,
    context: ClassMethodDecoratorContext<T, F>,
  ): F
  <F extends (...args: [...A, ...any[]]) => unknown>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<F>,
  ): void
}

type Method = (this: unknown, ...args: unknown[]) => unknown

/** What a repository, a BaseEntity class and an instance of one know their data source by. */
interface Knowing {
  readonly manager?: { readonly dataSource?: object }
  readonly dataSource?: object
  readonly constructor?: { readonly dataSource?: object }
}

/** The scopes of the data source that an object works on: its manager's or its entity class's, else
 *  the one of the process. */
const scopesOf = (self: unknown): Scopes => {
  const { manager, dataSource, constructor } = (self ?? {}) as Knowing
  const source = manager?.dataSource ?? dataSource ?? constructor?.dataSource
  return (source && bindingOf(source)?.runtime.scopes) ?? onlyScopes('@Shard')
}

const nameFor = (shard: ShardOf<any[]>, self: unknown, args: unknown[], method: string): string => {
  const name: unknown = typeof shard === 'function' ? shard.apply(self, args) : shard
  if (typeof name === 'string') return name
  const got = name instanceof Promise ? 'a promise' : String(name)
  throw new InvalidDecoratorError(
    `@Shard on ${method}(): the function must return a shard's name at once, and returned ${got}.`,
  )
}

const sharded = (shard: ShardOf<any[]>, method: Method, name: string): Method => {
  const wrapped: Method = function (...args) {
    return scopesOf(this).using(nameFor(shard, this, args, name), () => method.apply(this, args))
  }
  Object.defineProperties(wrapped, {
    name: { value: method.name, configurable: true },
    length: { value: method.length, configurable: true },
  })
  return wrapped
}

/** The methods of an object and of what it inherits, the nearest first, up to `end`. */
const methodsOf = (start: object, end: object): Map<string | symbol, Method> => {
  const methods = new Map<string | symbol, Method>()
  for (
    let at: object | null = start;
    at !== null && at !== end;
    at = Object.getPrototypeOf(at) as object | null
  )
    for (const key of Reflect.ownKeys(at)) {
      const value: unknown = Object.getOwnPropertyDescriptor(at, key)?.value
      if (typeof value === 'function' && key !== 'constructor' && !methods.has(key))
        methods.set(key, value as Method)
    }
  return methods
}

/** Methods that a decorator of a class put in place, with what they run. */
const ofClass = new WeakMap<Method, Method>()

/** A class's own decorator replaces that of the class it extends, also for inherited methods. */
const decorate = (target: object, end: object, shard: ShardOf<any[]>): void => {
  for (const [key, found] of methodsOf(target, end)) {
    const method = ofClass.get(found) ?? found
    const value = sharded(shard, method, String(key))
    ofClass.set(value, method)
    Object.defineProperty(target, key, { value, configurable: true, writable: true })
  }
}

const decorateClass = (target: Function, shard: ShardOf<any[]>): void => {
  decorate(target.prototype as object, Object.prototype, shard)
  decorate(target, Function.prototype, shard)
}

/**
 * Runs a method, or every method of a class with those it inherits, on one shard.
 *
 * On a class that extends TypeORM's Repository or BaseEntity the data source is its own; on any other
 * it is the one wrapped data source of the process. Methods that are properties of each object (arrow
 * functions in fields) are not reached.
 *
 * @param shard - a shard's name, or a function that returns it at once from the call's arguments; a
 *   call with a name that does not exist throws UnknownShardError
 * @throws InvalidDecoratorError where it stands on something other than a class or a method
 */
export const Shard = <A extends unknown[] = any[]>(shard: ShardOf<A>): ShardDecorator<A> => {
  const of = shard as ShardOf<any[]>
  const decorator = (
    target: unknown,
    context?: unknown,
    descriptor?: PropertyDescriptor,
  ): unknown => {
    if (isStandardContext(context)) {
      if (context.kind === 'method') return sharded(of, target as Method, String(context.name))
      if (context.kind === 'class') return decorateClass(target as Function, of)
      throw new InvalidDecoratorError(
        `@Shard stands on a ${context.kind}; it goes on a class or a method.`,
      )
    }
    if (context === undefined && typeof target === 'function') return decorateClass(target, of)
    if (typeof descriptor?.value === 'function') {
      descriptor.value = sharded(of, descriptor.value as Method, String(context))
      return undefined
    }
    throw new InvalidDecoratorError(
      `@Shard on ${String(context)}: it goes on a class or a method, not on a property or accessor.`,
    )
  }
  return decorator as ShardDecorator<A>
}

const isStandardContext = (value: unknown): value is { kind: string; name: string | symbol } =>
  typeof value === 'object' && value !== null && 'kind' in value

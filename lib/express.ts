import { type ConnectionProxy, UnknownShardError } from './index.js'

/** Express's (and Connect's) `next`. */
export type Next = (error?: unknown) => void
/** A handler as Express and Connect call it. */
export type OctopusMiddleware<Request> = (request: Request, response: unknown, next: Next) => void

/** Settings of {@link octopusMiddleware}. */
export interface OctopusMiddlewareOptions<Request> {
  /**
   * The request's shard, from its host name, path, token … Undefined leaves the request on the
   * default shard. May be asynchronous.
   */
  readonly shard?: (request: Request) => string | undefined | Promise<string | undefined>
}

/**
 * An Express middleware that opens a scope for each request: inside it reads follow the request's own
 * writes, and every query goes to the shard that `shard` names. What `shard` throws, and the error for
 * a name that does not exist, goes to `next`.
 *
 * @param db - the data source that `octopus()` returned
 */
export const octopusMiddleware = <Request = { headers: Record<string, unknown> }>(
  db: ConnectionProxy,
  { shard = () => undefined }: OctopusMiddlewareOptions<Request> = {},
): OctopusMiddleware<Request> => {
  const enter = (name: string | undefined, next: Next): void => {
    const { octopus } = db
    if (name === undefined) octopus.scope(() => next())
    else if (octopus.shardNames.includes(name)) octopus.scope(() => db.using(name, () => next()))
    else next(new UnknownShardError(name, octopus.shardNames))
  }
  return (request, _response, next) => {
    // An exception of the handlers behind `next` is Express's to catch: it must not call `next` twice.
    void shardOf(shard, request, (name) => enter(name, next), next)
  }
}

/** Tells the request's shard to `use`, at once where it is known at once. */
const shardOf = <Request>(
  shard: NonNullable<OctopusMiddlewareOptions<Request>['shard']>,
  request: Request,
  use: (name: string | undefined) => void,
  fail: Next,
): void | Promise<void> => {
  let name: ReturnType<typeof shard>
  try {
    name = shard(request)
  } catch (error) {
    return fail(error)
  }
  return name instanceof Promise ? name.then(use, fail) : use(name)
}

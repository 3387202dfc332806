import { AsyncResource } from 'node:async_hooks'
import { type IncomingMessage, type ServerResponse, validateHeaderName } from 'node:http'
import { parse, serialize } from 'cookie'
import onHeaders from 'on-headers'
import { type ConnectionProxy, UnknownShardError, WritesTokenError } from './index.js'

/** Express's (and Connect's) `next`. */
export type Next = (error?: unknown) => void
/** A handler as Express and Connect call it. */
export type OctopusMiddleware<Request> = (request: Request, response: unknown, next: Next) => void

/** Carries a client's writes to its next request in a cookie, which nothing in the page can read. */
export interface WritesCookie {
  /** Its name. */
  readonly cookie: string
  /** Whether the client sends it by HTTPS only. Default: `true`. */
  readonly secure?: boolean
  /** Whether requests that another site causes have it. Default: `lax`. */
  readonly sameSite?: 'strict' | 'lax' | 'none'
  /** The paths that it is for. Default: `/`. */
  readonly path?: string
  /** The domain that it is for, with all in it. Default: the host that answers. */
  readonly domain?: string
}

/** Carries a client's writes in a header of the answer, which the client sends with its requests. */
export interface WritesHeader {
  /** The header's name, in both directions. */
  readonly header: string
}

/** How a client's writes get to its next request. */
export type WritesCarrier<Request> = (WritesCookie | WritesHeader) & {
  /**
   * Told of a token that was refused, also of each that has merely expired. The request goes on
   * without it.
   */
  readonly onRefused?: (error: WritesTokenError, request: Request) => void
}

/** Settings of {@link octopusMiddleware}. */
export interface OctopusMiddlewareOptions<Request> {
  /**
   * The request's shard, from its host name, path, token … Undefined leaves the request on the
   * default shard. May be asynchronous.
   */
  readonly shard?: (request: Request) => string | undefined | Promise<string | undefined>
  /**
   * Lets reads follow the writes of the client's requests before, in whichever process they were
   * answered. Needs `readYourWrites.secret`. Default: each request knows its own writes only.
   */
  readonly writes?: WritesCarrier<Request>
  /**
   * `throwaway`: each request opens connections of its own, also for what it runs in parallel or does
   * not wait for, and they are closed once its answer has been sent or its client has gone. Default:
   * `pooled`.
   */
  readonly connections?: 'pooled' | 'throwaway'
  /**
   * What becomes of work that asks for a connection after that, with `throwaway`. `refuse`: it gets a
   * `ScopeEndedError`. `connect`: a connection is opened for it, and closed after the statement or the
   * transaction. Default: `refuse`.
   */
  readonly late?: 'refuse' | 'connect'
}

/**
 * An Express middleware that opens a scope for each request: inside it reads follow the request's own
 * writes, and every query goes to the shard that `shard` names. What `shard` throws, and the error for
 * a name that does not exist, goes to `next`.
 *
 * @param db - the data source that `octopus()` returned
 * @throws ConfigError if `writes` is given, and there is no `readYourWrites.secret`
 * @throws TypeError if no cookie, or no header, can have the name given
 */
export const octopusMiddleware = <Request = { headers: Record<string, unknown> }>(
  db: ConnectionProxy,
  { shard = () => undefined, writes, connections, late }: OctopusMiddlewareOptions<Request> = {},
): OctopusMiddleware<Request> => {
  const { octopus } = db
  octopus.scope(() => undefined, { connections, late }) // a wrong word shows here
  const openScope = connections === 'throwaway' ? scopeUntilClosed(db, late) : scopeOf(db)
  const open = writes === undefined ? undefined : scopeWithWrites(db, writes, openScope)
  const enter = (name: string | undefined, work: () => void): void =>
    name === undefined ? work() : db.using(name, work)
  return (request, response, next) => {
    const use = (name: string | undefined): void => {
      if (name !== undefined && !octopus.shardNames.includes(name))
        return next(new UnknownShardError(name, octopus.shardNames))
      const work = (): void => enter(name, () => next())
      if (open === undefined) openScope(response as ServerResponse, work)
      else open(request, response as ServerResponse, work, next)
    }
    // An exception of the handlers behind `next` is Express's to catch: it must not call `next` twice.
    void shardOf(shard, request, use, next)
  }
}

/** Opens the scope of a request. */
type OpenScope = (response: ServerResponse, work: () => void, writes?: string) => void

const scopeOf =
  ({ octopus }: ConnectionProxy): OpenScope =>
  (_response, work, writes) =>
    octopus.scope(work, { writes })

/** Opens a scope that owns its connections, until the answer has been sent or the client has gone. */
const scopeUntilClosed =
  ({ octopus }: ConnectionProxy, late: 'refuse' | 'connect' | undefined): OpenScope =>
  (response, work, writes) => {
    const untilClosed = (): Promise<void> => {
      const closed = response.closed
        ? Promise.resolve()
        : new Promise<void>((resolve) => response.once('close', resolve))
      work()
      return closed
    }
    void octopus.scope(untilClosed, { writes, connections: 'throwaway', late })
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

/** Reads a token from a request, and writes one to its answer. */
interface Transport {
  read(request: IncomingMessage): string | undefined
  write(response: ServerResponse, token: string): void
}

const transportOf = (carrier: WritesCookie | WritesHeader, maxAge: number): Transport => {
  if ('header' in carrier) {
    const name = carrier.header.toLowerCase()
    validateHeaderName(name)
    return {
      read: ({ headers }) => headers[name]?.toString(),
      write: (response, token) => response.setHeader(name, token),
    }
  }
  const { cookie: name, secure = true, sameSite = 'lax', path = '/', domain } = carrier
  const options = { httpOnly: true, maxAge, secure, sameSite, path, ...(domain && { domain }) }
  const cookieOf = (token: string): string => serialize(name, token, options)
  cookieOf('') // a name that no cookie can have shows here
  return {
    read: ({ headers }) => parse(headers.cookie ?? '')[name],
    write: (response, token) => response.appendHeader('set-cookie', cookieOf(token)),
  }
}

/** Opens a request's scope with the writes that it brings along, and sends those of its own back. */
const scopeWithWrites = <Request>(
  db: ConnectionProxy,
  carrier: WritesCarrier<Request>,
  openScope: OpenScope,
) => {
  const { octopus } = db
  const { onRefused = () => undefined } = carrier
  const transport = transportOf(carrier, Math.ceil(octopus.readYourWritesMs / 1000))
  octopus.scope(() => octopus.exportWrites()) // a missing secret shows here

  return (request: Request, response: ServerResponse, work: () => void, fail: Next): void => {
    const writes = transport.read(request as IncomingMessage)
    let isOpen = false
    const inScope = (): void => {
      isOpen = true
      // Headers are sent in the context of whatever ends the response.
      const send = AsyncResource.bind(() => {
        // A client that has written nothing since keeps what it has: an answer that comes late must
        // not put an old token in the place of a new one.
        const token = octopus.exportWrites({ onlyNew: true })
        if (token !== undefined) transport.write(response, token)
      })
      onHeaders(response, () => send())
      work()
    }
    try {
      openScope(response, inScope, writes)
    } catch (error) {
      if (isOpen || !(error instanceof WritesTokenError)) throw error
      try {
        onRefused(error, request)
      } catch (failure) {
        return fail(failure)
      }
      openScope(response, inScope)
    }
  }
}

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { parse, serialize } from 'cookie'
import type { InspectorSettings } from './settings.js'

/** What becomes of a request. */
export type Verdict =
  | { readonly kind: 'open' }
  /** The token was right: to be asked for again without it, with a cookie in its place. */
  | { readonly kind: 'entered'; readonly cookie: string }
  | { readonly kind: 'refused'; readonly status: 401 | 403 | 405; readonly text: string }

const refused = (status: 401 | 403 | 405, text: string): Verdict => ({
  kind: 'refused',
  status,
  text,
})

const loopbackNames = ['localhost', '127.0.0.1', '[::1]']

/** Of equal length for whatever is compared, which `timingSafeEqual` needs. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** The host in a Host header, without its port. */
const hostName = (header: string): string => header.toLowerCase().replace(/:\d+$/, '')

/**
 * Says who may ask.
 *
 * - A page of another site, whose name was made to resolve to this address, asks by that name: only
 *   known names are answered.
 * - A page of another site that asks by the right name is told by the browser's own headers.
 * - With a token, nobody is answered who has not shown it. The cookie holds a secret of its own, so
 *   that the token is in no browser's store.
 */
export class Guard {
  readonly #settings: InspectorSettings
  readonly #names: ReadonlySet<string>
  readonly #token: Buffer | undefined
  readonly #session = randomBytes(32).toString('base64url')
  #cookieName = ''

  constructor(settings: InspectorSettings) {
    const { host, names, token } = settings
    this.#settings = settings
    this.#names = new Set(
      [...loopbackNames, isIP(host) === 6 ? `[${host}]` : host, ...names].map((name) =>
        name.toLowerCase(),
      ),
    )
    this.#token = token === undefined ? undefined : digest(token)
  }

  /** Cookies do not know ports: two inspectors on one machine have to differ by name. */
  listensOn(port: number): void {
    this.#cookieName = `octopus-inspector-${port}`
  }

  judge(request: IncomingMessage, query: URLSearchParams): Verdict {
    const { method, headers } = request
    if (!this.#isKnown(headers.host ?? ''))
      return refused(
        403,
        "The inspector does not answer for this host name. Use localhost, or give the name in the inspector's `names`.",
      )
    if (isForeign(request)) return refused(403, 'The inspector does not answer other sites.')
    if (method !== 'GET') return refused(405, 'The inspector only answers GET.')
    return this.#identified(request, query)
  }

  #identified({ headers }: IncomingMessage, query: URLSearchParams): Verdict {
    if (this.#token === undefined) return { kind: 'open' }
    const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
    if (bearer !== undefined && this.#isToken(bearer)) return { kind: 'open' }
    const asked = query.get('token')
    if (asked !== null && this.#isToken(asked)) return { kind: 'entered', cookie: this.#cookie() }
    const kept = parse(headers.cookie ?? '')[this.#cookieName]
    if (kept !== undefined && timingSafeEqual(digest(kept), digest(this.#session)))
      return { kind: 'open' }
    return refused(
      401,
      'The inspector needs its token. In a browser: open /?token=… once. Elsewhere: send the header authorization: Bearer …',
    )
  }

  #isToken(text: string): boolean {
    return this.#token !== undefined && timingSafeEqual(digest(text), this.#token)
  }

  #cookie(): string {
    const options = { httpOnly: true, sameSite: 'strict', path: '/' } as const
    return serialize(this.#cookieName, this.#session, options)
  }

  #isKnown(header: string): boolean {
    const name = hostName(header)
    if (this.#names.has(name)) return true
    // Listening on all addresses, it is reached by any of them. No name of another site is a number.
    const isEverywhere = this.#settings.host === '0.0.0.0' || this.#settings.host === '::'
    return isEverywhere && isIP(name.replace(/^\[|\]$/g, '')) !== 0
  }
}

/** Whether a page of another origin asks. Following a link from there is not asking. */
const isForeign = ({ headers }: IncomingMessage): boolean => {
  const { origin, host = '' } = headers
  if (origin !== undefined && !isOriginOf(origin, host)) return true
  const site = headers['sec-fetch-site']
  const isLink =
    headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  return site !== undefined && site !== 'same-origin' && site !== 'none' && !isLink
}

/** The scheme is not compared: a proxy before the inspector may have spoken HTTPS. */
const isOriginOf = (origin: string, host: string): boolean =>
  origin.toLowerCase().replace(/^https?:\/\//, '') === host.toLowerCase()

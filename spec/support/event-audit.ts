import type { ConnectionProxy, RouteEvent } from '../../lib/index.js'
import { statementKeyword } from '../../lib/trace/event.js'

/** A server whose own log is read. */
export interface AuditedServer {
  readonly name: string
  /** PostgreSQL does not log what it cannot parse, nor what names unknown tables. */
  readonly engine: string
  mark(): unknown
  /** The SQL that the application sent since `mark`. */
  since(mark: unknown): Promise<readonly string[]>
}

/** How often each first keyword was seen. */
const counted = (keywords: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const keyword of keywords) counts.set(keyword, (counts.get(keyword) ?? 0) + 1)
  return counts
}

/**
 * Holds the events of data sources against the logs of the servers: every statement that a server was
 * sent has one event that names the server, and every event that names a server was a statement there.
 * Statements are told apart by server and first keyword. It sees what is sent by the data sources that it
 * follows; whatever else reaches the servers as the application, a plain DataSource or another process,
 * shows as a statement without an event.
 *
 * Used by the scenarios, the catalogue of Octopus's behaviours, the roles, the interleaved tasks, the
 * migrations and the schema work: there all that reaches the servers comes from data sources that can be followed. Not by specs
 * in which servers are killed, stalled or reached through proxies (a statement may be lost on its way, and
 * its event is then of an error), which let children or plain DataSources work on the same servers, or which
 * count statements of one data source by hand.
 */
export class EventAudit {
  readonly #servers: readonly (AuditedServer & { readonly from: unknown })[]
  readonly #nameOf: (event: RouteEvent) => string
  readonly #events: RouteEvent[] = []
  readonly #shared = new Set<string>()

  /**
   * @param servers - read from here on
   * @param nameOf - the name of the server that an event tells of
   */
  constructor(servers: readonly AuditedServer[], nameOf: (event: RouteEvent) => string) {
    this.#servers = servers.map((server) => ({
      name: server.name,
      engine: server.engine,
      mark: () => server.mark(),
      since: (mark) => server.since(mark),
      from: server.mark(),
    }))
    this.#nameOf = nameOf
  }

  /** Hears all that a data source tells. To be called before it connects. */
  follow<T extends ConnectionProxy>(db: T): T {
    db.octopus.onRoute((event) => this.#events.push(event), { internal: true })
    return db
  }

  /** Leaves a server out: others work on it, whom it cannot follow. */
  leaveOut(server: string): void {
    this.#shared.add(server)
  }

  /** How many statements it has heard of that reached a server. */
  get heard(): number {
    return this.#events.filter(({ node }) => node !== undefined).length
  }

  /** Where log and events differ: one line for each server and keyword. Nothing may be under way. */
  async differences(): Promise<readonly string[]> {
    const own = this.#servers.filter(({ name }) => !this.#shared.has(name))
    const found = await Promise.all(own.map((server) => this.#differencesOn(server)))
    return found.flat()
  }

  async #differencesOn({
    name,
    engine,
    since,
    from,
  }: AuditedServer & { readonly from: unknown }): Promise<readonly string[]> {
    const logged = counted((await since(from)).map(statementKeyword))
    const heard = this.#events.filter(
      (event) => event.node !== undefined && this.#nameOf(event) === name,
    )
    const told = counted(heard.map(({ statement }) => statement))
    const unlogged = counted(
      heard
        .filter(({ error }) => engine === 'postgres' && error !== undefined)
        .map(({ statement }) => statement),
    )
    return [...new Set([...logged.keys(), ...told.keys()])].flatMap((keyword) => {
      const [sent, events] = [logged.get(keyword) ?? 0, told.get(keyword) ?? 0]
      const fewest = events - (unlogged.get(keyword) ?? 0)
      return sent <= events && sent >= fewest
        ? []
        : [`${name} ${keyword}: ${sent} sent, ${events} told`]
    })
  }
}

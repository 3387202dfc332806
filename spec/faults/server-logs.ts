import type { StatementMark } from '../support/cluster/index.js'
import { until } from '../support/until.js'
import { isWrite, shardOfStatement } from './words.js'
import { type FaultWorld, type ServerName, serverNames, shardOfServer } from './world.js'

/** A place in the log of each server. */
export type Marks = ReadonlyMap<ServerName, StatementMark>

/** Statements of callers that reached a server. */
export interface Traffic {
  readonly reads: number
  readonly writes: number
}

/** From one place in the logs to another, or to their end. */
export interface Span {
  readonly from: Marks
  readonly to?: Marks | undefined
}

/** The callers' statements in the servers' own logs, and the connections that servers know of. */
export class ServerLogs {
  readonly #world: FaultWorld

  constructor(world: FaultWorld) {
    this.#world = world
  }

  mark(): Marks {
    return new Map(this.#world.all.map(({ name, node }) => [name, node.mark()]))
  }

  async statements(name: ServerName, { from, to }: Span): Promise<readonly string[]> {
    const [begin, end] = [from.get(name), to?.get(name)]
    if (begin === undefined) throw new Error(`${name} has no mark.`)
    const after = end === undefined ? [] : [{ from: end, to: { bytes: Number.POSITIVE_INFINITY } }]
    const found = await this.#world.servers[name].node.statementsSince(begin, after)
    return found.map(({ sql }) => sql).filter((sql) => shardOfStatement(sql) !== undefined)
  }

  async traffic(name: ServerName, span: Span): Promise<Traffic> {
    const statements = await this.statements(name, span)
    const writes = statements.filter(isWrite).length
    return { reads: statements.length - writes, writes }
  }

  /** By server; those that were sent nothing are left out. */
  async trafficOfAll(span: Span): Promise<Partial<Record<ServerName, Traffic>>> {
    const found: Partial<Record<ServerName, Traffic>> = {}
    for (const name of serverNames) {
      const traffic = await this.traffic(name, span)
      if (traffic.reads + traffic.writes > 0) found[name] = traffic
    }
    return found
  }

  /** @param promotion - the server that is a replica no more, and since when */
  async writesOnReplicas(
    from: Marks,
    promotion: { readonly name: ServerName; readonly at: Marks } | undefined,
  ): Promise<number> {
    let count = 0
    for (const name of ['north-1', 'north-2'] as const) {
      const to = promotion?.name === name ? promotion.at : undefined
      count += (await this.traffic(name, { from, to })).writes
    }
    return count
  }

  /** Statements that reached a server of another shard than theirs. */
  async strays(from: Marks): Promise<number> {
    let count = 0
    for (const name of serverNames) {
      const statements = await this.statements(name, { from })
      count += statements.filter((sql) => shardOfStatement(sql) !== shardOfServer(name)).length
    }
    return count
  }

  /** Those of servers that can answer. A server may count a connection for a moment after it was closed, so it is given a while. */
  async connectionsLeft(): Promise<number> {
    const count = async (): Promise<number> => {
      const reachable = this.#world.all.filter(({ node }) => node.isReachable)
      const counts = await Promise.all(reachable.map(({ node }) => node.connections()))
      return counts.reduce((sum, each) => sum + each, 0)
    }
    const isNone = async () => (await count()) === 0
    await until(isNone, { what: 'no connection', timeoutMs: 2000 }).catch(() => undefined)
    return count()
  }
}

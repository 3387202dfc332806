import type { NodesCheck, Role } from '../index.js'

/** What a server told when it was asked. */
export interface HealthView {
  readonly isReachable: boolean
  /** How far it is behind, as it knows itself. */
  readonly lagMs?: number | undefined
  readonly connectMs?: number | undefined
  readonly version?: string | undefined
  /** What is not as it should be, the worst first. */
  readonly findings: readonly {
    level: 'warning' | 'error'
    what: string
    remedy?: string | undefined
  }[]
}

/** Every check opens a connection to each server: so many milliseconds lie between two. */
const restMs = 5000

const keyOf = (shard: string, role: Role, node: string): string =>
  JSON.stringify([shard, role, node])

const viewsOf = ({ nodes, findings }: NodesCheck): ReadonlyMap<string, HealthView> => {
  const views = new Map<string, HealthView & { findings: HealthView['findings'][number][] }>()
  for (const { shard, role, node, isReachable, connectMs, server } of nodes)
    views.set(keyOf(shard, role, node), {
      isReachable,
      connectMs,
      lagMs: server?.replication?.lagMs,
      version: server?.version,
      findings: [],
    })
  for (const { shard, role, node, level, what, remedy } of findings)
    if (level !== 'ok') views.get(keyOf(shard, role, node))?.findings.push({ level, what, remedy })
  return views
}

/** Asks the servers how they are, now and then, while a page wants to know. */
export class Health {
  readonly #check: () => Promise<NodesCheck>
  #views: ReadonlyMap<string, HealthView> = new Map()
  #problem: string | undefined
  #running: Promise<void> | undefined
  #endedAt = -Infinity

  constructor(check: () => Promise<NodesCheck>) {
    this.#check = check
  }

  /** Why the servers could not be asked. */
  get problem(): string | undefined {
    return this.#problem
  }

  of(shard: string, role: Role, node: string): HealthView | undefined {
    return this.#views.get(keyOf(shard, role, node))
  }

  /** Asks the servers, unless that was done just now; what was told is forgotten when nobody wants it. */
  look(isWanted: boolean): void {
    if (!isWanted) {
      this.#views = new Map()
      this.#problem = undefined
    } else if (this.#running === undefined && Date.now() - this.#endedAt >= restMs)
      this.#running = this.#ask()
  }

  /** Settles when no server is being asked any more. */
  async ended(): Promise<void> {
    await this.#running
  }

  async #ask(): Promise<void> {
    try {
      this.#views = viewsOf(await this.#check())
      this.#problem = undefined
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error)
    }
    this.#running = undefined
    this.#endedAt = Date.now()
  }
}

import type { BedEndpoint } from '../support/engines/endpoint.js'
import { summaries } from '../support/engines/summary.js'
import type { Expected, ServerName } from './row.js'
import { type CatalogueServers, replicas, shardNames } from './servers.js'

/** One server, with the names by which rows may call it. */
interface Watched {
  readonly endpoint: BedEndpoint
  readonly names: readonly [ServerName, ...ServerName[]]
  readonly mark: unknown
}

const watch = (servers: CatalogueServers): readonly Watched[] =>
  [
    ...shardNames.map((name) => ({ endpoint: servers.primaries[name], names: [name] as const })),
    ...replicas.map(({ name, group }) => ({
      endpoint: servers.replicas[name],
      names: [`russia/${group}`, 'russia/*'] as const,
    })),
  ].map(({ endpoint, names }) => ({ endpoint, names, mark: endpoint.mark() }))

/** What is asked of a server when it is first connected: its version by TypeORM's drivers, its limits by
 *  the pool. */
const firstWords =
  /^SELECT (?:version\(\)(?: as version)?|\* FROM current_schema\(\)|@@wait_timeout AS .*|name, setting FROM pg_settings .*)$/

/** What the lock of a shard's migrations says, which not every engine has: `spec/migrations` counts it. */
const lockWords =
  /^(?:SELECT (?:GET_LOCK|IS_USED_LOCK|pg_try_advisory_lock|pg_advisory_unlock)\(|DO RELEASE_LOCK\(|SELECT 1 FROM pg_locks )/

/** Which statements reached which server from its making on, by the servers' own logs. */
export class StatementRecord {
  readonly #watched: readonly Watched[]
  readonly #pauses: { readonly from: readonly unknown[]; to?: readonly unknown[] }[] = []

  constructor(servers: CatalogueServers) {
    this.#watched = watch(servers)
  }

  get isPaused(): boolean {
    const last = this.#pauses.at(-1)
    return last !== undefined && last.to === undefined
  }

  pause(): void {
    this.#pauses.push({ from: this.#marks() })
  }

  resume(): void {
    const last = this.#pauses.at(-1)
    if (last !== undefined) last.to = this.#marks()
  }

  #marks(): readonly unknown[] {
    return this.#watched.map(({ endpoint }) => endpoint.mark())
  }

  /** What was recorded, in the words and by the servers' names that a row uses; servers that got
   *  nothing are left out. Where a name stands for several servers their order does not count. */
  async in(expected: Expected): Promise<Expected> {
    const logs = await Promise.all(
      this.#watched.map(({ endpoint, mark }, index) => {
        const pauses = this.#pauses.map(({ from, to }) => ({ from: from[index], to: to?.[index] }))
        return endpoint.since(mark, pauses)
      }),
    )
    const told: Partial<Record<ServerName, string[]>> = {}
    for (const [index, { names }] of this.#watched.entries()) {
      const words = summaries(
        (logs[index] ?? []).filter((sql) => !firstWords.test(sql) && !lockWords.test(sql)),
      )
      if (words.length === 0) continue
      const name = names.find((each) => each in expected) ?? names[0]
      told[name] = [...(told[name] ?? []), ...words]
    }
    return inOrder(told)
  }
}

const several: ReadonlySet<string> = new Set<ServerName>(['russia/*', 'russia/fast'])

/** Sorts the statements of names that stand for several servers. */
export const inOrder = (expected: Expected): Expected =>
  Object.fromEntries(
    Object.entries(expected).map(([name, words]) => [
      name,
      several.has(name) ? words.toSorted() : [...words],
    ]),
  )

import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { ConnectionProxy, PoolInfo, RouteEvent } from '../index.js'
import { type PoolMetric, poolMetrics } from './pool-series.js'
import { errorType } from './words.js'

type Labels = Record<string, string>

/** One data source that is measured, and the labels it has used. */
class Source {
  readonly db: ConnectionProxy
  readonly #seen = new Map<string, Labels>()

  constructor(db: ConnectionProxy) {
    this.db = db
  }

  /** Remembers a set of labels, so that it can be taken away. */
  use(labels: Labels): void {
    const key = Object.values(labels).join('\n')
    if (!this.#seen.has(key)) this.#seen.set(key, labels)
  }

  get used(): Iterable<Labels> {
    return this.#seen.values()
  }
}

const ofServer = ['db', 'shard', 'role', 'node'] as const
const ofStatement = [...ofServer, 'reason', 'kind', 'result'] as const
const ofFailure = [...ofServer, 'stage', 'error'] as const

const only = (labels: Labels, names: readonly string[]): Labels =>
  Object.fromEntries(names.map((name) => [name, labels[name] ?? '']))

const resultOf = ({ cached, error }: RouteEvent): string =>
  cached ? 'cached' : error === undefined ? 'ok' : 'error'

/** What is registered under one prefix, for all data sources there. */
export class Exposition {
  readonly buckets: readonly number[]
  readonly #registry: Registry
  readonly #prefix: string
  readonly #ended: () => void
  readonly #sources = new Map<string, Source>()
  readonly #names: string[] = []
  readonly #statements: Counter
  readonly #durations: Histogram
  readonly #failures: Counter
  readonly #retries: Counter
  #pools: readonly (readonly [string, PoolInfo])[] | undefined

  /** @param ended - is called when no data source is left */
  constructor(registry: Registry, prefix: string, buckets: readonly number[], ended: () => void) {
    this.#registry = registry
    this.#prefix = prefix
    this.buckets = buckets
    this.#ended = ended
    const statements = 'Statements, by the rule that decided their role and how they ended.'
    this.#statements = new Counter(this.#metric('statements_total', statements, ofStatement))
    this.#durations = new Histogram({
      ...this.#metric('statement_duration_seconds', 'How long statements took.', ofServer),
      buckets: [...buckets],
    })
    const failures = 'Statements that failed, by the stage and the code of their error.'
    this.#failures = new Counter(this.#metric('statement_errors_total', failures, ofFailure))
    const retries = 'Reads that were sent once more, as their connection was lost.'
    this.#retries = new Counter(this.#metric('statement_retries_total', retries, ofServer))
    for (const metric of poolMetrics) this.#expose(metric)
  }

  #metric<Name extends string>(name: string, help: string, labelNames: readonly Name[]) {
    this.#names.push(`${this.#prefix}${name}`)
    return { name: `${this.#prefix}${name}`, help, labelNames, registers: [this.#registry] }
  }

  /** Registers a metric that is read when the registry is. */
  #expose({ name, help, type, labels, read }: PoolMetric): void {
    const metric = this.#metric(name, help, [...ofServer, ...labels])
    const tell = (to: (labels: Labels, value: number) => void): void => {
      for (const [db, pool] of this.#present()) {
        const { shard, role, node } = pool
        for (const { value, ...more } of read(pool)) to({ db, shard, role, node, ...more }, value)
      }
    }
    if (type === 'gauge')
      new Gauge({
        ...metric,
        collect() {
          this.reset()
          tell((of, value) => this.set(of, value))
        },
      })
    else
      new Counter({
        ...metric,
        collect() {
          this.reset()
          tell((of, value) => this.inc(of, value))
        },
      })
  }

  /** All pools, read once for all metrics that are collected at a time. */
  #present(): readonly (readonly [string, PoolInfo])[] {
    if (this.#pools === undefined) {
      this.#pools = [...this.#sources].flatMap(([name, { db }]) =>
        db.octopus.pools().map((pool) => [name, pool] as const),
      )
      queueMicrotask(() => {
        this.#pools = undefined
      })
    }
    return this.#pools
  }

  has(name: string): boolean {
    return this.#sources.has(name)
  }

  /** Measures one more data source; returns the function that ends it. */
  add(name: string, db: ConnectionProxy): () => void {
    const source = new Source(db)
    this.#sources.set(name, source)
    const stop = db.octopus.onRoute((event) => this.#count(name, source, event))
    return () => {
      if (this.#sources.get(name) !== source) return
      stop()
      this.#sources.delete(name)
      this.#pools = undefined
      if (this.#sources.size > 0) this.#forget(source)
      else this.#end()
    }
  }

  #count(db: string, source: Source, event: RouteEvent): void {
    const { shard, role, node = '', reason, kind, error } = event
    const labels = { db, shard, role, node, reason, kind, result: resultOf(event) }
    const server = { db, shard, role, node }
    source.use(labels)
    this.#statements.inc(labels)
    if (!event.cached) this.#durations.observe(server, event.durationMs / 1000)
    if (event.retried) this.#retries.inc(server)
    if (error === undefined) return
    const failure = { ...server, stage: error.stage, error: errorType(error) }
    source.use(failure)
    this.#failures.inc(failure)
  }

  #forget(source: Source): void {
    for (const labels of source.used)
      if ('stage' in labels) this.#failures.remove(labels)
      else {
        this.#statements.remove(labels)
        this.#durations.remove(only(labels, ofServer))
        this.#retries.remove(only(labels, ofServer))
      }
  }

  #end(): void {
    for (const name of this.#names) this.#registry.removeSingleMetric(name)
    this.#ended()
  }
}
